"""When each stored file was last compared with its checksum or scanned."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from appliance.model import times

#: Kind of the check that a scan for viruses is noted as.
VIRUS = "virus"
_FILES = """SELECT id AS resource_id, 'original' AS kind, size, sha256, created FROM resource WHERE sha256 IS NOT NULL
              AND id NOT IN (SELECT resource_id FROM archived_file WHERE state = 'stored')
            UNION ALL SELECT resource_id, kind, size, sha256, created FROM artefact WHERE kind != 'original'"""


def oldest(conn: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """The files whose last check (or else upload) is oldest: resource_id, kind, size, sha256, checked."""
    return conn.execute(
        f"""SELECT f.resource_id, f.kind, f.size, f.sha256, max(f.created, coalesce(c.checked, '')) AS checked FROM ({_FILES}) f
            LEFT JOIN file_check c ON c.resource_id = f.resource_id AND c.kind = f.kind ORDER BY checked LIMIT ?""",
        (limit,),
    ).fetchall()


def total_bytes(conn: sqlite3.Connection) -> int:
    """Bytes of all files that have a checksum."""
    return int(conn.execute(f"SELECT coalesce(sum(size), 0) FROM ({_FILES})").fetchone()[0])


def bytes_since(conn: sqlite3.Connection, moment: str) -> int:
    """Bytes of the files that were checked after `moment`."""
    query = f"""SELECT coalesce(sum(f.size), 0) FROM ({_FILES}) f
                JOIN file_check c ON c.resource_id = f.resource_id AND c.kind = f.kind WHERE c.checked > ?"""
    return int(conn.execute(query, (moment,)).fetchone()[0])


def checksum(conn: sqlite3.Connection, resource_id: str, kind: str) -> str | None:
    """The expected checksum of a file; None when it is no longer listed."""
    row = conn.execute(
        f"SELECT sha256 FROM ({_FILES}) WHERE resource_id = ? AND kind = ?",
        (resource_id, kind),
    ).fetchone()
    return row[0] if row else None


def note(tx: sqlite3.Connection, files: Iterable[tuple[str, str]]) -> None:
    """Record that these (resource id, kind) were checked now."""
    now = times.now()
    tx.executemany(
        "INSERT OR REPLACE INTO file_check (resource_id, kind, checked) VALUES (?, ?, ?)",
        [(*one, now) for one in files],
    )


def without(
    conn: sqlite3.Connection, kind: str, limit: int, after: int = 0, *, unless: tuple[str, str] = ("", "")
) -> list[tuple[int, str]]:
    """(row number, id) of resources that were not checked as `kind` yet, the earliest upload first, behind the row number `after`.

    :param unless: (kind, moment): leave out those that were checked as that since.
    """
    query = """SELECT r.pk, r.id FROM resource r
               WHERE r.pk > ? AND NOT EXISTS (SELECT 1 FROM file_check c WHERE c.resource_id = r.id AND
                 (c.kind = ? OR c.kind = ? AND c.checked > ?)) ORDER BY r.pk LIMIT ?"""
    return [(row[0], row[1]) for row in conn.execute(query, (after, kind, *unless, limit))]


def is_noted(conn: sqlite3.Connection, resource_id: str, kind: str) -> bool:
    """Whether this file was checked as `kind`."""
    query = "SELECT 1 FROM file_check WHERE resource_id = ? AND kind = ?"
    return conn.execute(query, (resource_id, kind)).fetchone() is not None


def tidy(tx: sqlite3.Connection) -> None:
    """Remove entries of files that no longer exist."""
    tx.execute("DELETE FROM file_check WHERE resource_id NOT IN (SELECT id FROM resource)")
