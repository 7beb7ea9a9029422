"""Keeping the search index in step with the catalogue, inside the transaction that changes it.

What is stored of a dataset: its words by field (`search_text`), its facet values and the measured values of its resources
(`search_value`, `search_posting`), and a few numbers to sort and filter by (`search_dataset`). State, circle, privacy and
times are not copied: a search reads them from the dataset's row, so that what may be seen is never stale.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from appliance.model import licences
from appliance.store.search.words import fold, indexed

_BATCH = 200
_SHORT = 200  # characters of a value whose description is kept for the next time
_LONGEST_TEXT = 50_000  # characters of a description that are searched
_LARGEST = 10**30
_LONGEST_VALUE = 300  # characters of a metadata value that are kept
#: What is indexed of a file.
FILE_COLUMNS = "name, description, format, size, event_count, supplements, dc"
#: Text fields of a measurement that people search for without naming the field.
_SPOKEN = ("dc:experiment:sample", "dc:setup:identifier")

Key = tuple[str, str]
"""What a search_value is found by: field, text."""
Value = tuple[str, str, float | None, str | None]
"""A search_value: field, text, number, words."""


def refresh(tx: sqlite3.Connection, dataset_ids: Iterable[str]) -> None:
    """Index these datasets anew; ids that no longer exist are ignored (deleting the row cleaned the index).

    Call it in every transaction that changes a dataset, its tags, collections or resources; about 1 ms a dataset.
    """
    ids = list(dataset_ids)
    for start in range(0, len(ids), _BATCH):
        entries = list(_entries(tx, ids[start : start + _BATCH]))
        values = value_ids(tx, {key: value for entry in entries for key, value in entry.values.items()})
        for entry in entries:
            _store(tx, entry, values)
    tx.execute("UPDATE search_state SET version = version + 1")


def rebuild(tx: sqlite3.Connection) -> int:
    """Empty the index and index every dataset; returns how many. About 1 ms a dataset; readers use the old index meanwhile."""
    for table in ("search_posting", "search_value", "search_field", "search_dataset"):
        tx.execute(f"DELETE FROM {table}")
    made_by = tx.execute("SELECT sql FROM sqlite_master WHERE name = 'search_text'").fetchone()[0]
    tx.execute("DROP TABLE search_text")  # deleting its rows would look up every word
    tx.execute(made_by)
    ids = [row[0] for row in tx.execute("SELECT id FROM dataset ORDER BY pk").fetchall()]
    refresh(tx, ids)
    tx.execute("INSERT INTO search_text(search_text) VALUES ('optimize')")
    return len(ids)


def unindexed(conn: sqlite3.Connection) -> int:
    """How many datasets the index does not know."""
    query = "SELECT count(*) FROM dataset WHERE pk NOT IN (SELECT rowid FROM search_dataset)"
    return int(conn.execute(query).fetchone()[0])


def damage(tx: sqlite3.Connection) -> str | None:
    """What is wrong with the index of words, None when nothing is. Reads all of it."""
    try:
        tx.execute("INSERT INTO search_text(search_text) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        return f"the index of words is damaged ({error})"
    return None


@dataclass(slots=True)
class Entry:
    """What the index holds of one dataset."""

    pk: int
    title: str
    texts: dict[str, list[str]]
    num_tags: int = 0
    num_events: int = 0
    size: int = 0
    facets: dict[Key, Value] = field(default_factory=dict)
    measures: dict[Key, Value] = field(default_factory=dict)
    spoken: dict[Key, None] = field(default_factory=dict)  # of the measures, those that are also words
    seen: set[tuple[str, str | float, type]] = field(default_factory=set)

    @property
    def values(self) -> dict[Key, Value]:
        """Facets and measured values together."""
        return self.facets | self.measures

    def facet(self, name: str, text: str | None) -> None:
        """Note a facet value."""
        if text:
            text = _storable(text)
            self.facets[name, text] = (name, text, None, None)


def _entries(tx: sqlite3.Connection, ids: list[str]) -> Iterator[Entry]:
    """Gather what is to be indexed of these datasets: five statements for the whole batch."""
    wanted = json.dumps(ids)
    found: dict[str, Entry] = {}
    for row in tx.execute(
        """SELECT d.pk, d.id, d.name, d.title, d.notes, d.authors, d.doi, d.reference_list, d.license_id, d.circle_id, d.created,
                  d.extras, c.name, c.title
           FROM dataset d LEFT JOIN community c ON c.id = d.circle_id WHERE d.id IN (SELECT value FROM json_each(?))""",
        (wanted,),
    ):
        pk, id_, name, title, notes, authors, doi, references, licence, circle, created, extras, *community = row
        circle_name, circle_title = community
        texts = {"name": [name], "title": [title], "authors": [authors], "notes": [notes[:_LONGEST_TEXT]]}
        known = licences.find(licence)
        texts["more"] = [references, doi, circle_name or "", circle_title or "", known["title"] if known else licence]
        entry = found[id_] = Entry(
            pk, title, texts | {"tags": [], "collections": [], "res_name": [], "res_description": []}
        )
        entry.facet("organization", circle)
        entry.facet("license_id", licence)
        entry.facet("year", created[:4])
        for extra in json.loads(extras):
            entry.texts["more"].append(extra["value"][:_LONGEST_TEXT])
            entry.facet(f"extras_{extra['key']}", extra["value"][:_LONGEST_VALUE])
    for id_, tag in tx.execute(
        "SELECT dt.dataset_id, t.name FROM dataset_tag dt JOIN tag t ON t.id = dt.tag_id WHERE dt.dataset_id IN (SELECT value FROM json_each(?))",
        (wanted,),
    ):
        found[id_].num_tags += 1
        found[id_].texts["tags"].append(tag)
        found[id_].facet("tags", tag)
    for id_, collection, name, title in tx.execute(
        """SELECT cd.dataset_id, g.id, g.name, g.title FROM collection_dataset cd JOIN community g ON g.id = cd.collection_id
           WHERE cd.dataset_id IN (SELECT value FROM json_each(?))""",
        (wanted,),
    ):
        found[id_].texts["collections"] += [name, title]
        found[id_].facet("groups", collection)
    for row in tx.execute(
        f"""SELECT dataset_id, {FILE_COLUMNS} FROM resource
           WHERE dataset_id IN (SELECT value FROM json_each(?)) ORDER BY dataset_id, position""",
        (wanted,),
    ):
        add_resource(found[row[0]], *tuple(row)[1:])
    for id_, grade in tx.execute(
        """SELECT DISTINCT r.dataset_id, v.grade FROM resource r CROSS JOIN verdict v ON v.resource_id = r.id
           WHERE r.dataset_id IN (SELECT value FROM json_each(?))""",
        (wanted,),
    ):
        found[id_].facet("verdict", grade)
    yield from found.values()


def add_resource(
    entry: Entry,
    name: str,
    description: str | None,
    format_: str,
    size: int | None,
    events: int | None,
    supplements: str,
    dc: str,
) -> None:
    """Add the words and values of one resource to its dataset's entry."""
    entry.texts["res_name"].append(name)
    entry.texts["res_description"].append((description or "")[:_LONGEST_TEXT])
    entry.facet("res_format", format_)
    entry.size += size or 0
    entry.num_events += events or 0
    for key, value in json.loads(dc).items():
        # most values are those of the files before; a value of another type may be equal to one that was seen
        if isinstance(value, str | int | float) and (pair := (key, value, value.__class__)) not in entry.seen:
            entry.seen.add(pair)
            _add_measure(entry, key, value, spoken=key in _SPOKEN)
    for key, value in json.loads(supplements).items():
        for one in value if isinstance(value, list) else [value]:
            _add_measure(entry, key, one, spoken=isinstance(one, str))


def _add_measure(entry: Entry, key: str, value: Any, *, spoken: bool) -> None:
    """Add one metadata value; `spoken`: people also search for it as a word."""
    if not isinstance(value, str | int | float):
        return
    text, number, words = describe_value(value)
    if not text or (key, text) in entry.measures:
        return
    entry.measures[key, text] = (key, text, number, words)
    if spoken:
        entry.spoken[key, text] = None


def describe_value(value: str | float) -> tuple[str, float | None, str | None]:
    """How a JSON value is kept: its text ("" = not at all), its number, its words."""
    short = not isinstance(value, str) or len(value) <= _SHORT
    return _known_description(value) if short else _description(value)


def _description(value: str | float) -> tuple[str, float | None, str | None]:
    if isinstance(value, bool):
        text = "true" if value else "false"
        return text, float(value), f" {indexed(text)} "
    if isinstance(value, int):
        return (str(value), float(value), None) if abs(value) < _LARGEST else ("", None, None)
    if isinstance(value, float) and math.isfinite(value):
        # Files hold 32-bit floats: 0.05999999865889549 is what the user calls 0.06.
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.7g}"
        return text, float(text), None
    if isinstance(value, float):
        return "", None, None
    text = _storable(value).strip()[:_LONGEST_VALUE]
    return text, as_number(text), f" {indexed(text)} "


_known_description = lru_cache(maxsize=4096, typed=True)(_description)


def _storable(text: str) -> str:
    """`text` without what SQLite's JSON functions cannot carry."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def as_number(text: str) -> float | None:
    """The number that `text` writes, in the precision in which numbers are kept; None if it is none."""
    if len(text) > _LONGEST_VALUE or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    return number if number.is_integer() else float(f"{number:.7g}")


TEXT_COLUMNS = ("name", "title", "tags", "collections", "authors", "notes", "res_name", "res_description", "more")
_INSERT_TEXT = f"INSERT INTO search_text(rowid, {', '.join(TEXT_COLUMNS)}) VALUES (?{', ?' * len(TEXT_COLUMNS)})"


def digest_of(texts: Iterable[str]) -> bytes:
    """What tells whether the indexed words of a dataset are still the same."""
    return hashlib.blake2b("\x00".join(texts).encode(), digest_size=16).digest()


def _store(tx: sqlite3.Connection, entry: Entry, values: dict[Key, int]) -> None:
    """Write an entry, whose values have these ids; parts that are as they were are left alone."""
    entry.texts["more"] += [text for _, text in entry.spoken]
    texts = [indexed(" ".join(dict.fromkeys(entry.texts[column]))) for column in TEXT_COLUMNS]
    digest = digest_of(texts)
    old = tx.execute("SELECT facet_ids, measure_ids, digest FROM search_dataset WHERE pk = ?", (entry.pk,)).fetchone()
    if old is None or old[2] != digest:
        if old is not None:
            tx.execute("DELETE FROM search_text WHERE rowid = ?", (entry.pk,))
        tx.execute(_INSERT_TEXT, (entry.pk, *texts))
    facets = json.dumps(sorted(values[key] for key in entry.facets), separators=(",", ":"))
    measures = json.dumps(sorted(values[key] for key in entry.measures), separators=(",", ":"))
    if old is None or (old[0], old[1]) != (facets, measures):
        before = set() if old is None else {*json.loads(old[0]), *json.loads(old[1])}
        after = {values[key] for key in entry.values}
        tx.executemany(
            "DELETE FROM search_posting WHERE value_id = ? AND pk = ?", [(one, entry.pk) for one in before - after]
        )
        tx.executemany("INSERT INTO search_posting VALUES (?, ?)", [(one, entry.pk) for one in after - before])
    tx.execute(
        "INSERT OR REPLACE INTO search_dataset VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (entry.pk, fold(entry.title)[:100], entry.num_tags, entry.num_events, entry.size, facets, measures, digest),
    )


def value_ids(tx: sqlite3.Connection, values: dict[Key, Value]) -> dict[Key, int]:
    """Ids of these values, made where they are missing."""
    fields = _field_ids(tx, {name for name, _ in values})
    asked = json.dumps([[fields[name], text] for name, text in values], ensure_ascii=False)
    names = {id_: name for name, id_ in fields.items()}
    find = """SELECT v.field_id, v.text, v.id FROM json_each(?) j
              CROSS JOIN search_value v ON v.field_id = j.value ->> 0 AND v.text = j.value ->> 1"""
    found = {(names[row[0]], row[1]): row[2] for row in tx.execute(find, (asked,))}
    for key, (name, text, number, words) in values.items():
        if key not in found:
            cursor = tx.execute(
                "INSERT INTO search_value (field_id, text, number, words) VALUES (?, ?, ?, ?)",
                (fields[name], text, number, words),
            )
            found[key] = int(cursor.lastrowid or 0)
    return found


def _field_ids(tx: sqlite3.Connection, names: set[str]) -> dict[str, int]:
    """Ids of these fields, made where they are missing."""
    found = {
        row[0]: row[1]
        for row in tx.execute(
            "SELECT name, id FROM search_field WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps(list(names)),),
        )
    }
    for name in names - found.keys():
        found[name] = int(tx.execute("INSERT INTO search_field (name) VALUES (?)", (name,)).lastrowid or 0)
    return found
