"""Artefacts: files that jobs made of a resource, as rows. The file is published before its row is written."""

from __future__ import annotations

import sqlite3

from appliance.model import times


def put(tx: sqlite3.Connection, resource_id: str, kind: str, *, size: int, sha256: str, etag: str) -> None:
    """Note that the artefact `kind` of a resource exists with this content; replaces an earlier one."""
    tx.execute(
        "INSERT OR REPLACE INTO artefact (resource_id, kind, size, sha256, etag, created) VALUES (?, ?, ?, ?, ?, ?)",
        (resource_id, kind, size, sha256, etag, times.now()),
    )


def get(conn: sqlite3.Connection, resource_id: str, kind: str) -> sqlite3.Row | None:
    """The row of one artefact, or None."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM artefact WHERE resource_id = ? AND kind = ?", (resource_id, kind)
    ).fetchone()
    return row


def of_resource(conn: sqlite3.Connection, resource_id: str) -> dict[str, sqlite3.Row]:
    """All artefacts of a resource by kind."""
    return {row["kind"]: row for row in conn.execute("SELECT * FROM artefact WHERE resource_id = ?", (resource_id,))}


def remove(tx: sqlite3.Connection, resource_id: str, kind: str) -> None:
    """Forget an artefact, so that it is made again."""
    tx.execute("DELETE FROM artefact WHERE resource_id = ? AND kind = ?", (resource_id, kind))
