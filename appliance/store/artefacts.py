"""Rows of artefacts: files that jobs generate from a resource. The file is published before its row is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from appliance.model import times


def put(
    tx: sqlite3.Connection,
    resource_id: str,
    kind: str,
    *,
    size: int,
    sha256: str,
    etag: str,
    site_url: str | None = None,
) -> None:
    """Record that the artefact `kind` of a resource exists with this content; replaces an earlier row.

    :param site_url: the server's address that is in the file.
    """
    tx.execute(
        "INSERT OR REPLACE INTO artefact (resource_id, kind, size, sha256, etag, created, site_url) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (resource_id, kind, size, sha256, etag, times.now(), site_url),
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


def bytes_of(conn: sqlite3.Connection, resource_ids: Sequence[str]) -> int:
    """Bytes of all artefacts of these resources."""
    found = conn.execute(
        "SELECT coalesce(sum(size), 0) FROM artefact WHERE resource_id IN (SELECT value FROM json_each(?))",
        (json.dumps(resource_ids),),
    ).fetchone()
    return int(found[0])


def remove(tx: sqlite3.Connection, resource_id: str, kind: str) -> None:
    """Remove the row of an artefact, so that a job generates it again."""
    tx.execute("DELETE FROM artefact WHERE resource_id = ? AND kind = ?", (resource_id, kind))


def of_other_addresses(conn: sqlite3.Connection, site_url: str) -> list[tuple[str, str | None]]:
    """Condensed files that contain another address of the server: (resource id, address; None for one of an earlier release, which did
    not record it).
    """
    rows = conn.execute(
        "SELECT resource_id, site_url FROM artefact WHERE kind = 'condensed' AND site_url IS NOT ? ORDER BY resource_id",
        (site_url,),
    )
    return [(row[0], row[1]) for row in rows]
