"""Uploads under way: files that arrive in parts or in pieces, before they belong to a dataset.

The file itself is a part of the depot with the upload's id. States: open → complete → attached, or aborted; a complete
upload becomes open again when one of its parts is sent anew.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from appliance.model import times
from appliance.model.crc32 import combine
from appliance.model.multipart_parts import etag, part_count, part_size
from appliance.store.database import Database
from appliance.store.depot import Depot

#: An upload keeps its room so long without a byte.
_BEGUN = timedelta(minutes=30)
#: Rows of uploads that ended are kept so long after their time, for whoever asks what became of them.
_REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Promise:
    """An upload under way: whose it is, its size and what of that is not on the disk yet [bytes]."""

    user_id: str
    size: int
    missing: int


def create(
    tx: sqlite3.Connection,
    upload_id: str,
    resource_id: str,
    *,
    user_id: str,
    kind: str,
    size: int,
    lifetime: int,
    circle_id: str | None = None,
    dataset_id: str | None = None,
    name: str | None = None,
) -> None:
    """Note a new upload of `size` bytes (`kind` "direct" or "browser") that is swept after `lifetime` seconds of silence."""
    tx.execute(
        """INSERT INTO upload (id, resource_id, dataset_id, circle_id, user_id, kind, name, size, part_size, parts, created, expires)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            upload_id, resource_id, dataset_id, circle_id, user_id, kind, name, size, part_size(size), part_count(size),
            times.now(), times.ahead(timedelta(seconds=lifetime)),
        ),
    )  # fmt: skip


def get(conn: sqlite3.Connection, upload_id: str) -> sqlite3.Row | None:
    """The upload with this id, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT * FROM upload WHERE id = ?", (upload_id,)).fetchone()
    return row


def open_of(conn: sqlite3.Connection, user_id: str, kind: str) -> list[sqlite3.Row]:
    """The unattached uploads of a user, newest first."""
    return conn.execute(
        "SELECT * FROM upload WHERE user_id = ? AND kind = ? AND state IN ('open', 'complete') ORDER BY created DESC",
        (user_id, kind),
    ).fetchall()


def unattached(conn: sqlite3.Connection) -> list[tuple[str, int]]:
    """(id, size in bytes) of every upload that was accepted and is not over."""
    rows = conn.execute("SELECT id, size FROM upload WHERE state IN ('open', 'complete')")
    return [(row["id"], row["size"]) for row in rows]


def promised(conn: sqlite3.Connection, depot: Depot) -> int:
    """Bytes that accepted uploads will still take on the disk."""
    return sum(one.missing for one in promises(conn, depot))


def promises(conn: sqlite3.Connection, depot: Depot) -> list[Promise]:
    """What accepted uploads will take. Those of which nothing has come for a while count as nothing until something does."""
    rows = conn.execute(
        "SELECT id, size, user_id FROM upload WHERE state IN ('open', 'complete') AND (received > 0 OR created > ?)",
        (times.ahead(-_BEGUN),),
    )
    return [Promise(row["user_id"], row["size"], max(0, row["size"] - depot.allocated(row["id"]))) for row in rows]


def bytes_of_circle(conn: sqlite3.Connection, circle_id: str, *, without: str = "") -> int:
    """Bytes of the uploads that were accepted for a circle and are not over. :param without: id of a resource to be left out."""
    row = conn.execute(
        "SELECT coalesce(sum(size), 0) FROM upload WHERE circle_id = ? AND state IN ('open', 'complete') AND resource_id != ?",
        (circle_id, without),
    ).fetchone()
    return int(row[0])


def prolong(tx: sqlite3.Connection, upload_id: str, lifetime: int) -> None:
    """Something has arrived: the time until the upload is swept begins anew."""
    tx.execute("UPDATE upload SET expires = ? WHERE id = ?", (times.ahead(timedelta(seconds=lifetime)), upload_id))


def begin_part(tx: sqlite3.Connection, upload_id: str, number: int) -> bool:
    """Part `number` is about to be written: what it held no longer counts. False when the upload takes nothing more."""
    if not _set_state(tx, upload_id, "open", ("open", "complete")):
        return False
    tx.execute("DELETE FROM upload_part WHERE upload_id = ? AND number = ?", (upload_id, number))
    return True


def finish_part(
    tx: sqlite3.Connection,
    upload_id: str,
    number: int,
    size: int,
    md5: str,
    sha256: str | None = None,
    *,
    crc32: int | None = None,
) -> None:
    """Part `number` is on disk. `sha256` is that of the file, where the part is the whole file."""
    tx.execute(
        "INSERT OR REPLACE INTO upload_part (upload_id, number, size, md5, finished, crc32) VALUES (?, ?, ?, ?, ?, ?)",
        (upload_id, number, size, md5, times.now(), crc32),
    )
    tx.execute("UPDATE upload SET sha256 = ? WHERE id = ?", (sha256, upload_id))
    tx.execute(
        "UPDATE upload SET received = (SELECT coalesce(sum(size), 0) FROM upload_part WHERE upload_id = ?1) WHERE id = ?1",
        (upload_id,),
    )


def parts(conn: sqlite3.Connection, upload_id: str) -> dict[int, str]:
    """MD5 of each part that has arrived, by its number."""
    rows = conn.execute("SELECT number, md5 FROM upload_part WHERE upload_id = ? ORDER BY number", (upload_id,))
    return {row["number"]: row["md5"] for row in rows}


def complete(tx: sqlite3.Connection, upload_id: str) -> str | None:
    """Close an upload whose parts have all arrived; returns its ETag, None when parts are missing. May be repeated."""
    row = get(tx, upload_id)
    if row is None or row["state"] not in {"open", "complete", "attached"}:
        return None
    if row["state"] == "open":
        found = parts(tx, upload_id)
        if list(found) != list(range(1, row["parts"] + 1)):
            return None
        tag = etag(list(found.values()))
        tx.execute(
            "UPDATE upload SET state = 'complete', etag = ?, crc32 = ? WHERE id = ?",
            (tag, _crc32_of_parts(tx, upload_id), upload_id),
        )
        return tag
    return str(row["etag"])


def _crc32_of_parts(conn: sqlite3.Connection, upload_id: str) -> int | None:
    """CRC-32 of the whole file from those of its parts, in whichever order they came; None when one is not known."""
    found = 0
    for row in conn.execute("SELECT size, crc32 FROM upload_part WHERE upload_id = ? ORDER BY number", (upload_id,)):
        if row["crc32"] is None:
            return None
        found = combine(found, row["crc32"], row["size"])
    return found


def received(tx: sqlite3.Connection, upload_id: str, total: int, lifetime: int, *, crc32: int | None = None) -> bool:
    """The first `total` bytes are on disk, and have this CRC-32 (None: not known); False when the upload takes nothing more."""
    prolong(tx, upload_id, lifetime)
    changed = tx.execute(
        "UPDATE upload SET received = ?, crc32 = ? WHERE id = ? AND state = 'open'", (total, crc32, upload_id)
    )
    return changed.rowcount == 1


def complete_whole(tx: sqlite3.Connection, upload_id: str, sha256: str | None, tag: str | None) -> bool:
    """Close an upload that came in one stream; False when it is not open."""
    if not _set_state(tx, upload_id, "complete", ("open",)):
        return False
    tx.execute("UPDATE upload SET sha256 = ?, etag = ? WHERE id = ?", (sha256, tag, upload_id))
    return True


def completed(conn: sqlite3.Connection, resource_id: str) -> sqlite3.Row | None:
    """The complete, unattached upload that is to become this resource, or None."""
    row: sqlite3.Row | None = conn.execute(
        "SELECT * FROM upload WHERE resource_id = ? AND state = 'complete'", (resource_id,)
    ).fetchone()
    return row


def attached(tx: sqlite3.Connection, resource_id: str, dataset_id: str) -> None:
    """The upload has become a resource of a dataset."""
    tx.execute(
        "UPDATE upload SET state = 'attached', dataset_id = ? WHERE resource_id = ? AND state = 'complete'",
        (dataset_id, resource_id),
    )


def abort(tx: sqlite3.Connection, upload_id: str) -> bool:
    """Give an upload up; its file may be removed when this returns True."""
    return _set_state(tx, upload_id, "aborted", ("open", "complete"))


def expired(conn: sqlite3.Connection, moment: str) -> list[sqlite3.Row]:
    """Uploads whose time is over at `moment`, and those that were given up."""
    return conn.execute(
        "SELECT * FROM upload WHERE state = 'aborted' OR (state IN ('open', 'complete') AND expires < ?)", (moment,)
    ).fetchall()


def forget(tx: sqlite3.Connection, before: str) -> int:
    """Remove the rows of uploads that ended before the moment `before`; returns their number."""
    return tx.execute("DELETE FROM upload WHERE state IN ('attached', 'aborted') AND expires < ?", (before,)).rowcount


def sweep(
    db: Database, depot: Depot, lifetime: int, *, silent: int | None = None, dry_run: bool = False
) -> dict[str, list[str]]:
    """Clear up after uploads that nobody will finish. → ``{"removed": ids of parts, "put_aside": ids of parts}``.

    Pieces of files are removed; a complete file that was never added to a dataset goes to quarantine. Files without an
    upload (of forms that broke off with the machine) are removed when nothing was written to them for `lifetime` seconds.

    :param silent: take those that have made no progress for so many seconds, instead of `lifetime` (what uploads are given).
    """
    silent = lifetime if silent is None else silent
    limit = times.ahead(timedelta(seconds=lifetime - silent))
    removed: list[str] = []
    put_aside: list[str] = []
    with db.read() as conn:
        over = expired(conn, limit)
    for row in over:
        if row["state"] == "aborted" and not depot.part(row["id"]).exists():
            continue  # seen before
        (put_aside if row["state"] == "complete" else removed).append(row["id"])
        if not dry_run:
            _end(db, depot, row["id"], limit, keep=row["state"] == "complete")
    with db.read() as conn:
        pending = {row["id"] for row in conn.execute("SELECT id FROM upload WHERE state IN ('open', 'complete')")}
    before = time.time() - silent
    for part_id, _, changed in depot.parts():
        if part_id not in pending and changed < before and part_id not in removed:
            removed.append(part_id)
            if not dry_run:
                depot.discard_part(part_id)
    if not dry_run:
        with db.write() as tx:
            forget(tx, times.ahead(-_REMEMBERED))
    return {"removed": removed, "put_aside": put_aside}


def _end(db: Database, depot: Depot, upload_id: str, limit: str, *, keep: bool) -> None:
    with db.write() as tx:
        row = get(tx, upload_id)
        if row is None or row["state"] == "attached" or (row["state"] != "aborted" and row["expires"] >= limit):
            return  # something has happened since we looked
        abort(tx, upload_id)
    path = depot.part(upload_id)
    if keep and path.exists():
        depot.put_aside(path)
    depot.discard_part(upload_id)


def _set_state(tx: sqlite3.Connection, upload_id: str, state: str, sources: Sequence[str]) -> bool:
    marks = ", ".join("?" * len(sources))
    changed = tx.execute(
        f"UPDATE upload SET state = ? WHERE id = ? AND state IN ({marks})",
        (state, upload_id, *sources),
    )
    return changed.rowcount == 1
