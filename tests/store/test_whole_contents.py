"""The schema step by which what an older release cut or refused is looked at again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from appliance.store.database import Database
from appliance.store.migrations import m0012_whole_contents as step

_NOTE = "Logs and tables are longer than 5 MB; the rest is in the file only."


@pytest.fixture
def db(tmp_path: Path) -> Database:
    """A catalogue as the release before left it, with four measurements."""
    made = Database(tmp_path / "dcor.sqlite")
    made.create()
    with made.write() as tx:
        tx.execute("ALTER TABLE rtdc DROP COLUMN contents")
        tx.execute("ALTER TABLE rtdc DROP COLUMN condensed_logs")
        tx.execute("INSERT INTO community (id, kind, name, created) VALUES ('c', 'circle', 'lab', '2024')")
        tx.execute(
            "INSERT INTO dataset (id, name, title, private, circle_id, creator_id, state, created, modified)"
            " VALUES ('d', 'd', 'd', 1, 'c', 'u', 'draft', '2024', '2024')"
        )
        for position, name in enumerate(("whole", "cut", "text", "refused")):
            tx.execute(
                "INSERT INTO resource (id, dataset_id, name, position, created, last_modified, metadata_modified) VALUES (?, 'd', ?, ?, '2024', '2024', '2024')",
                (name, f"{name}.rtdc", position),
            )
        _kernel(tx, "whole", "2024", 1, logs={"a": ["x"], "dclab-condense": ["{}"]})
        _kernel(tx, "cut", "2024", 1, integrity={"notes": [_NOTE]})
        _kernel(tx, "text", "2024", 1, config={"user": {"remark": "x" * 10_000}})
        _kernel(tx, "refused", None, 0)
        for kind in ("metadata", "condense", "preview", "checksum"):
            tx.execute(
                "INSERT INTO job (id, kind, resource_id, dataset_id, state, attempts, error, created, available, dedupe)"
                " VALUES (?, ?, 'refused', 'd', 'failed', 1, 'no', '2024', '2024', ?)",
                (f"{kind}-1", kind, f"{kind}:refused"),
            )
    return made


def _kernel(tx: sqlite3.Connection, resource_id: str, extracted: str | None, sane: int, **values: object) -> None:
    tx.execute("INSERT INTO rtdc (resource_id, extracted, sane) VALUES (?, ?, ?)", (resource_id, extracted, sane))
    for column, value in values.items():
        tx.execute(f"UPDATE rtdc SET {column} = ? WHERE resource_id = ?", (json.dumps(value), resource_id))


def test_what_was_cut_or_refused_is_queued_again(db: Database) -> None:
    with db.write() as tx:
        step.upgrade(tx)
    with db.read() as conn:
        queued = {(row["kind"], row["resource_id"]) for row in conn.execute("SELECT * FROM job WHERE state = 'queued'")}
        failed = [row["kind"] for row in conn.execute("SELECT * FROM job WHERE state = 'failed'")]
        rows = {row["resource_id"]: row for row in conn.execute("SELECT * FROM rtdc")}
    again = {(kind, "refused") for kind in ("metadata", "condense", "preview")}
    assert queued == {("metadata", "cut"), ("metadata", "text")} | again
    assert failed == ["checksum"]
    assert rows["refused"]["sane"] is None
    assert json.loads(rows["whole"]["condensed_logs"]) == {"dclab-condense": ["{}"]}
    assert rows["cut"]["sane"] == 1
