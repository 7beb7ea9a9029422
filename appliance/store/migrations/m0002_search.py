"""The search index: words of datasets, their facets and measured values, and indexes that answer lists by themselves."""

from __future__ import annotations

import secrets
import sqlite3

_TABLES = (
    # Names the state of the index; both together are the key under which column arrays are kept in memory.
    "CREATE TABLE search_state (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT NOT NULL, version INTEGER NOT NULL)",
    # Words are folded, split and stemmed before they come here, so the plain ASCII tokenizer has nothing left to do.
    """CREATE VIRTUAL TABLE search_text USING fts5(
         name, title, tags, collections, authors, notes, res_name, res_description, more, tokenize = 'ascii')""",
    "CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab('search_text', 'row')",
    "CREATE TABLE search_field (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # One row for each distinct value of a field, however many datasets have it.
    """CREATE TABLE search_value (
         id INTEGER PRIMARY KEY,
         field_id INTEGER NOT NULL,
         text TEXT NOT NULL,
         number REAL,
         words TEXT,                     -- ' folded words ' of a text
         UNIQUE (field_id, text))""",
    "CREATE INDEX search_value_number ON search_value(field_id, number) WHERE number IS NOT NULL",
    "CREATE TABLE search_posting (value_id INTEGER NOT NULL, pk INTEGER NOT NULL, PRIMARY KEY (value_id, pk)) WITHOUT ROWID",
    """CREATE TABLE search_dataset (
         pk INTEGER PRIMARY KEY,
         title_key TEXT NOT NULL,        -- folded title, to sort by
         num_tags INTEGER NOT NULL,
         num_events INTEGER NOT NULL,    -- of all its measurements
         size INTEGER NOT NULL,          -- of all its files [bytes]
         facet_ids TEXT NOT NULL,        -- JSON list of search_value.id
         measure_ids TEXT NOT NULL,
         digest BLOB NOT NULL)           -- of the indexed words""",
    "CREATE INDEX search_dataset_title ON search_dataset(title_key)",
    "CREATE INDEX search_dataset_events ON search_dataset(num_events)",
    "CREATE INDEX search_dataset_size ON search_dataset(size)",
    # A purge must leave nothing behind, whoever deletes the row. (A trigger may not touch a virtual table where the schema
    # is not trusted: the words leave in `datasets.purge`.)
    """CREATE TRIGGER search_forget AFTER DELETE ON dataset BEGIN
         DELETE FROM search_posting WHERE pk = old.pk AND value_id IN (
           SELECT j.value FROM search_dataset s, json_each(s.facet_ids) j WHERE s.pk = old.pk
           UNION ALL SELECT j.value FROM search_dataset s, json_each(s.measure_ids) j WHERE s.pk = old.pk);
         DELETE FROM search_dataset WHERE pk = old.pk;
         UPDATE search_state SET version = version + 1;
       END""",
    # Everything that decides who sees a dataset is in the index itself: lists never have to touch the wide rows.
    "CREATE INDEX dataset_listing ON dataset(pk, state, private, circle_id, id, created, modified)",
    "DROP INDEX dataset_created",
    "CREATE INDEX dataset_created ON dataset(created, state, private, circle_id, id, modified)",
    "DROP INDEX dataset_modified",
    "CREATE INDEX dataset_modified ON dataset(modified, state, private, circle_id, id, created)",
    "DROP INDEX dataset_circle",
    "CREATE INDEX dataset_circle ON dataset(circle_id, state, private, id, created, modified)",
    "CREATE INDEX resource_sha256 ON resource(sha256) WHERE sha256 IS NOT NULL",
    "CREATE INDEX resource_etag ON resource(etag) WHERE etag IS NOT NULL",
)


def upgrade(conn: sqlite3.Connection) -> None:
    """Create the index; it is empty until `search.index.rebuild` or the first change of a dataset."""
    for statement in _TABLES:
        conn.execute(statement)
    conn.execute("INSERT INTO search_state VALUES (1, ?, 1)", (secrets.token_hex(8),))
