"""The origin of mirrored users, circles, collections and datasets, and received files of incomplete datasets."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance.model import times


@dataclass(frozen=True, slots=True)
class Received:
    """A completely received and flushed file, stored as the part with this id. :ivar size: [bytes]."""

    part: str
    size: int
    sha256: str
    etag: str | None
    crc32: int


def put(tx: sqlite3.Connection, kind: str, id_: str, source: str, digest: str) -> None:
    """Store the origin of an object, with a digest of its data there."""
    tx.execute("INSERT OR REPLACE INTO origin VALUES (?, ?, ?, ?, ?)", (kind, id_, source, digest, times.now()))


def of_source(conn: sqlite3.Connection, kind: str, source: str) -> dict[str, str]:
    """Id → digest of all objects of a kind from this source."""
    rows = conn.execute("SELECT id, digest FROM origin WHERE kind = ? AND source = ?", (kind, source))
    return {row[0]: row[1] for row in rows}


def get(conn: sqlite3.Connection, kind: str, id_: str) -> sqlite3.Row | None:
    """Source, digest and time (`taken`) of one object, None when it was created here."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM origin WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
    return row


def note_received(tx: sqlite3.Connection, resource_id: str, source: str, file: Received) -> None:
    """Record that the file is complete and on disk."""
    tx.execute(
        "INSERT OR REPLACE INTO received_file (resource_id, source, part, size, sha256, etag, crc32) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (resource_id, source, file.part, file.size, file.sha256, file.etag, file.crc32),
    )


def received(conn: sqlite3.Connection, resource_id: str, source: str) -> Received | None:
    """A received file that does not belong to a dataset yet."""
    row = conn.execute(
        "SELECT part, size, sha256, etag, crc32 FROM received_file WHERE resource_id = ? AND source = ?",
        (resource_id, source),
    ).fetchone()
    return None if row is None else Received(*row)


def forget_received(tx: sqlite3.Connection, resource_id: str, source: str) -> None:
    """Remove the record of a received file: it was attached or is lost."""
    tx.execute("DELETE FROM received_file WHERE resource_id = ? AND source = ?", (resource_id, source))


def all_received(conn: sqlite3.Connection, source: str) -> dict[str, str]:
    """Resource id → part, of all received files from this source that are not attached yet."""
    rows = conn.execute("SELECT resource_id, part FROM received_file WHERE source = ?", (source,))
    return {row[0]: row[1] for row in rows}
