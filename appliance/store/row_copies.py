"""Copying rows with their dependents from another database of this server (in a backup) into the catalogue.

Existing rows are kept; rows that refer to something that no longer exists are skipped. Both databases have the same schema.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model.problem import invalid
from appliance.store import datasets, documents

#: Tables with transient rows, which are not restored.
_PASSING = frozenset({"upload", "upload_part", "job", "job_dependency", "token", "session", "one_time_link"})
_DATASET = "SELECT * FROM dataset WHERE id = ?1 OR name = ?1 ORDER BY state = 'deleted', modified DESC LIMIT 1"


def find(source: sqlite3.Connection, kind: str, ref: str) -> sqlite3.Row | None:
    """The dataset, file (by its id), user, circle or collection called `ref` in the other database, unless it is deleted there."""
    query = {
        "dataset": f"SELECT * FROM ({_DATASET}) WHERE state != 'deleted'",
        "file": "SELECT * FROM resource WHERE id = ?1",
        "user": "SELECT * FROM user WHERE (id = ?1 OR name = ?1) AND state != 'deleted'",
        "circle": "SELECT * FROM community WHERE (id = ?1 OR name = ?1) AND kind = 'circle' AND state = 'active'",
        "collection": "SELECT * FROM community WHERE (id = ?1 OR name = ?1) AND kind = 'collection' AND state = 'active'",
    }[kind]
    row: sqlite3.Row | None = source.execute(query, (ref,)).fetchone()
    return row


def contents(source: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    """What can be restored: datasets with their files, users, circles and collections; by name."""
    queries = {
        "datasets": """SELECT d.name, d.id, d.title, d.state, c.name AS circle, count(r.id) AS files, coalesce(sum(r.size), 0) AS bytes
                       FROM dataset d JOIN community c ON c.id = d.circle_id LEFT JOIN resource r ON r.dataset_id = d.id
                       WHERE d.state != 'deleted' GROUP BY d.pk ORDER BY d.name""",
        "files": """SELECT r.id, r.name, r.size AS bytes, d.name AS dataset FROM resource r JOIN dataset d ON d.id = r.dataset_id
                    WHERE d.state != 'deleted' ORDER BY d.name, r.position""",
        "users": "SELECT name, id, fullname, state FROM user WHERE state != 'deleted' ORDER BY name",
        "circles": "SELECT name, id, title FROM community WHERE kind = 'circle' AND state = 'active' ORDER BY name",
        "collections": "SELECT name, id, title FROM community WHERE kind = 'collection' AND state = 'active' ORDER BY name",
    }
    return {kind: [dict(row) for row in source.execute(query)] for kind, query in queries.items()}


def resources_of(source: sqlite3.Connection, dataset_id: str) -> list[sqlite3.Row]:
    """The files of a dataset in the other database."""
    return source.execute("SELECT * FROM resource WHERE dataset_id = ? ORDER BY position", (dataset_id,)).fetchall()


def artefact_kinds(source: sqlite3.Connection, resource_id: str) -> list[str]:
    """Kinds of artefacts that a file had."""
    rows = source.execute("SELECT kind FROM artefact WHERE resource_id = ? AND kind != 'original'", (resource_id,))
    return [row[0] for row in rows]


def dataset(tx: sqlite3.Connection, source: sqlite3.Connection, row: sqlite3.Row, name: str) -> None:
    """Copy a dataset under `name`, with tags, files, sharing; one that is marked as deleted here becomes what it was.

    With whom that one was shared when it was deleted is noted here, and newer than the copy: what had ended stays ended.
    """
    in_trash = tx.execute("SELECT 1 FROM dataset WHERE id = ? AND state = 'deleted'", (row["id"],)).fetchone()
    values = _values(tx, "dataset", row) | {"name": name}
    _put(tx, "dataset", values)
    if in_trash:
        datasets.restore(tx, row["id"], name, state=row["state"])
    for tag in source.execute(
        "SELECT t.name, t.id FROM dataset_tag dt JOIN tag t ON t.id = dt.tag_id WHERE dt.dataset_id = ?", (row["id"],)
    ):
        tx.execute("INSERT OR IGNORE INTO tag (id, name) VALUES (?, ?)", (tag["id"], tag["name"]))
        tx.execute("INSERT OR IGNORE INTO dataset_tag SELECT ?, id FROM tag WHERE name = ?", (row["id"], tag["name"]))
    for one in resources_of(source, row["id"]):
        if tx.execute("SELECT 1 FROM resource WHERE id = ?", (one["id"],)).fetchone() is None:
            resource(tx, source, one)
    known_here = {"collaborator", "collection_dataset", "follower"} if in_trash else set()
    _copy_dependents(
        tx, source, "dataset", row["id"], without={"resource", "dataset_tag", "deleted_relation"} | known_here
    )
    refresh(tx, row["id"])


def resource(
    tx: sqlite3.Connection, source: sqlite3.Connection, row: sqlite3.Row, *, position: int | None = None
) -> None:
    """Copy the row of a file, whose dataset is there, with what jobs read out of it. `position` None: as it was."""
    values = _values(tx, "resource", row)
    if position is not None:
        values["position"] = position
    _put(tx, "resource", values)
    _copy_dependents(tx, source, "resource", row["id"])


def forget_artefact(tx: sqlite3.Connection, resource_id: str, kind: str) -> None:
    """Remove the row of a generated file that was not restored, so that a job generates it again."""
    tx.execute("DELETE FROM artefact WHERE resource_id = ? AND kind = ?", (resource_id, kind))


def refresh(tx: sqlite3.Connection, dataset_id: str) -> None:
    """Update API documents and search index from the copied rows."""
    for (resource_id,) in tx.execute("SELECT id FROM resource WHERE dataset_id = ?", (dataset_id,)).fetchall():
        documents.refresh_resource(tx, resource_id)
    datasets.touch(tx, dataset_id)


def user(tx: sqlite3.Connection, source: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Copy an account with its memberships and what is shared with it, as an ordinary user's. Tokens and sessions stay ended.

    Raises Problem 409 when its name or address belongs to somebody else now.
    """
    for column in ("name", "email"):
        if tx.execute(f"SELECT 1 FROM user WHERE {column} = ? AND id != ?", (row[column], row["id"])).fetchone():
            raise invalid(message=f"'{row[column]}' belongs to another user now. Rename that one first.")
    _put(tx, "user", _values(tx, "user", row) | {"sysadmin": 0})
    _copy_dependents(tx, source, "user", row["id"])


def community(tx: sqlite3.Connection, source: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Copy a circle or collection with its members; a collection with its datasets. Raises Problem 409 when its name is taken."""
    if tx.execute("SELECT 1 FROM community WHERE name = ? AND id != ?", (row["name"], row["id"])).fetchone():
        raise invalid(
            message=f"Another circle or collection is called '{row['name']}' now. Rename or purge that one first."
        )
    _put(tx, "community", _values(tx, "community", row))
    _copy_dependents(tx, source, "community", row["id"], without={"dataset"})
    if row["kind"] == "collection":
        held = tx.execute("SELECT dataset_id FROM collection_dataset WHERE collection_id = ?", (row["id"],)).fetchall()
        for (dataset_id,) in held:
            datasets.touch(tx, dataset_id)


def _copy_dependents(
    tx: sqlite3.Connection,
    source: sqlite3.Connection,
    parent: str,
    id_: str,
    *,
    without: frozenset[str] | set[str] = frozenset(),
) -> None:
    """Rows of every table that refers to the row `id_` of the table `parent`, as far as all else they refer to is there."""
    for table in _tables(tx):
        if table in without or table in _PASSING:
            continue
        foreign = _foreign_keys(tx, table)
        for column in (name for name, (other, _key) in foreign.items() if other == parent):
            for row in source.execute(f"SELECT * FROM {table} WHERE {column} = ?", (id_,)):
                if all(_is_there(tx, other, key, row[name]) for name, (other, key) in foreign.items()):
                    _put(tx, table, _values(tx, table, row), replace=False)


def _is_there(tx: sqlite3.Connection, table: str, key: str, value: Any) -> bool:
    if value is None:
        return True
    alive = " AND state != 'deleted'" if table in ("user", "community") else ""
    return tx.execute(f"SELECT 1 FROM {table} WHERE {key} = ?{alive}", (value,)).fetchone() is not None


def _put(tx: sqlite3.Connection, table: str, values: dict[str, Any], *, replace: bool = True) -> None:
    """Insert a row; an existing one with the same id is updated (`replace`) or kept."""
    columns = list(values)
    conflict = "OR IGNORE " if not replace else ""
    update = ", ".join(f"{column} = excluded.{column}" for column in columns if column != "id")
    tx.execute(
        f"INSERT {conflict}INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        + (f" ON CONFLICT (id) DO UPDATE SET {update}" if replace else ""),
        list(values.values()),
    )


def _values(tx: sqlite3.Connection, table: str, row: sqlite3.Row) -> dict[str, Any]:
    """The columns that both databases have, without the row number."""
    known = {info[1] for info in tx.execute(f"PRAGMA table_info({table})")}
    return {key: row[key] for key in row.keys() if key in known and key != "pk"}  # noqa: SIM118 - a Row iterates over values


def _foreign_keys(tx: sqlite3.Connection, table: str) -> dict[str, tuple[str, str]]:
    """Foreign keys: column → (table, column)."""
    return {info[3]: (info[2], info[4] or "id") for info in tx.execute(f"PRAGMA foreign_key_list({table})")}


def _tables(tx: sqlite3.Connection) -> list[str]:
    return [
        row[0] for row in tx.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    ]
