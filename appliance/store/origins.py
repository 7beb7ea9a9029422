"""Where users, circles, collections and datasets came from that were mirrored, and files received of datasets that are not complete."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance.model import times


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived whole and is flushed, as the part of this id. :ivar size: [bytes]."""

    part: str
    size: int
    sha256: str
    etag: str | None
    crc32: int


def put(tx: sqlite3.Connection, kind: str, id_: str, source: str, digest: str) -> None:
    """Note where something came from, with a fingerprint of what was told of it."""
    tx.execute("INSERT OR REPLACE INTO origin VALUES (?, ?, ?, ?, ?)", (kind, id_, source, digest, times.now()))


def of_source(conn: sqlite3.Connection, kind: str, source: str) -> dict[str, str]:
    """Id → fingerprint of everything of a kind that came from there."""
    rows = conn.execute("SELECT id, digest FROM origin WHERE kind = ? AND source = ?", (kind, source))
    return {row[0]: row[1] for row in rows}


def get(conn: sqlite3.Connection, kind: str, id_: str) -> sqlite3.Row | None:
    """Source, digest and moment (`taken`) of one thing, None when it was made here."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM origin WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
    return row


def note_received(tx: sqlite3.Connection, resource_id: str, source: str, file: Received) -> None:
    """The file is whole and on the disk."""
    tx.execute(
        "INSERT OR REPLACE INTO received_file (resource_id, source, part, size, sha256, etag, crc32) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (resource_id, source, file.part, file.size, file.sha256, file.etag, file.crc32),
    )


def received(conn: sqlite3.Connection, resource_id: str, source: str) -> Received | None:
    """A file that has arrived and belongs to no dataset yet."""
    row = conn.execute(
        "SELECT part, size, sha256, etag, crc32 FROM received_file WHERE resource_id = ? AND source = ?",
        (resource_id, source),
    ).fetchone()
    return None if row is None else Received(*row)


def forget_received(tx: sqlite3.Connection, resource_id: str, source: str) -> None:
    """It belongs to a dataset now, or is not there."""
    tx.execute("DELETE FROM received_file WHERE resource_id = ? AND source = ?", (resource_id, source))


def all_received(conn: sqlite3.Connection, source: str) -> dict[str, str]:
    """Resource id → part, of everything that arrived from there and is not done with."""
    rows = conn.execute("SELECT resource_id, part FROM received_file WHERE source = ?", (source,))
    return {row[0]: row[1] for row in rows}
