"""Uploads in progress: files that arrive in several requests, before they belong to a dataset.

The file itself is the depot part with the upload's id. States: open → complete → attached, or aborted; a complete upload is
reopened when one of its parts is sent again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

from appliance.model import times
from appliance.model.crc32 import combine
from appliance.model.multipart_parts import etag, part_count, part_size
from appliance.store.database import Database
from appliance.store.depot import Depot

#: Time for which an upload that has received nothing keeps its space reserved.
_BEGUN = timedelta(minutes=30)
#: Time for which rows of ended uploads are kept after they expire.
_REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Upload:
    """A row of the table `upload`.

    :ivar kind: "direct" (parts to presigned URLs) or "browser" (resumable).
    :ivar size: of the complete file [bytes]; :ivar received: of it so far [bytes].
    :ivar part_size: of all parts but the last [bytes]; :ivar parts: their number.
    :ivar etag: MD5 by the rule for parts, None until it is known; likewise `sha256` and `crc32`.
    :ivar state: "open", "complete", "attached" or "aborted".
    """

    id: str
    resource_id: str
    dataset_id: str | None
    circle_id: str | None
    user_id: str
    kind: str
    name: str | None
    size: int
    part_size: int
    parts: int
    received: int
    sha256: str | None
    etag: str | None
    state: str
    created: str
    expires: str
    crc32: int | None


_COLUMNS = ", ".join(one.name for one in fields(Upload))


@dataclass(frozen=True, slots=True)
class Promise:
    """Space promised to an accepted upload: its user, its size and the part of that not yet on disk [bytes]."""

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
) -> Upload:
    """Add an upload of `size` bytes (`kind` "direct" or "browser") that expires after `lifetime` seconds without data."""
    row = tx.execute(
        f"""INSERT INTO upload (id, resource_id, dataset_id, circle_id, user_id, kind, name, size, part_size, parts, created, expires)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {_COLUMNS}""",
        (
            upload_id, resource_id, dataset_id, circle_id, user_id, kind, name, size, part_size(size), part_count(size),
            times.now(), times.ahead(timedelta(seconds=lifetime)),
        ),
    ).fetchone()  # fmt: skip
    return Upload(*row)


def get(conn: sqlite3.Connection, upload_id: str) -> Upload | None:
    """The upload with this id, or None."""
    return next(_select(conn, "id = ?", upload_id), None)


def open_of(conn: sqlite3.Connection, user_id: str, kind: str) -> list[Upload]:
    """The unattached uploads of a user, newest first."""
    return list(
        _select(conn, "user_id = ? AND kind = ? AND state IN ('open', 'complete') ORDER BY created DESC", user_id, kind)
    )


def unattached(conn: sqlite3.Connection) -> list[tuple[str, int]]:
    """(id, size in bytes) of every open or complete upload."""
    rows = conn.execute("SELECT id, size FROM upload WHERE state IN ('open', 'complete')")
    return [(row["id"], row["size"]) for row in rows]


def promised(conn: sqlite3.Connection, depot: Depot) -> int:
    """Bytes that accepted uploads have yet to write."""
    return sum(one.missing for one in promises(conn, depot))


def promises(conn: sqlite3.Connection, depot: Depot) -> list[Promise]:
    """The space promised to accepted uploads. An upload that received nothing within `_BEGUN` does not count until it does."""
    rows = conn.execute(
        "SELECT id, size, user_id FROM upload WHERE state IN ('open', 'complete') AND (received > 0 OR created > ?)",
        (times.ahead(-_BEGUN),),
    )
    return [Promise(row["user_id"], row["size"], max(0, row["size"] - depot.allocated(row["id"]))) for row in rows]


def bytes_of_circle(conn: sqlite3.Connection, circle_id: str, *, without: str = "") -> int:
    """Bytes of a circle's open and complete uploads. :param without: id of a resource to leave out."""
    row = conn.execute(
        "SELECT coalesce(sum(size), 0) FROM upload WHERE circle_id = ? AND state IN ('open', 'complete') AND resource_id != ?",
        (circle_id, without),
    ).fetchone()
    return int(row[0])


def prolong(tx: sqlite3.Connection, upload_id: str, lifetime: int) -> None:
    """Data has arrived: restart the time until the upload expires."""
    tx.execute("UPDATE upload SET expires = ? WHERE id = ?", (times.ahead(timedelta(seconds=lifetime)), upload_id))


def begin_part(tx: sqlite3.Connection, upload_id: str, number: int) -> bool:
    """Discard the record of part `number`, which is about to be written. False when the upload accepts no more data."""
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
    """Record that part `number` is on disk. :param sha256: of the file, if the part is the whole file."""
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
    """Complete an upload whose parts have all arrived; returns its ETag, None when parts are missing. Idempotent."""
    upload = get(tx, upload_id)
    if upload is None or upload.state not in {"open", "complete", "attached"}:
        return None
    if upload.state == "open":
        found = parts(tx, upload_id)
        if list(found) != list(range(1, upload.parts + 1)):
            return None
        tag = etag(list(found.values()))
        tx.execute(
            "UPDATE upload SET state = 'complete', etag = ?, crc32 = ? WHERE id = ?",
            (tag, _crc32_of_parts(tx, upload_id), upload_id),
        )
        return tag
    return str(upload.etag)


def _crc32_of_parts(conn: sqlite3.Connection, upload_id: str) -> int | None:
    """CRC-32 of the whole file, combined from those of its parts; None when one is unknown."""
    found = 0
    for row in conn.execute("SELECT size, crc32 FROM upload_part WHERE upload_id = ? ORDER BY number", (upload_id,)):
        if row["crc32"] is None:
            return None
        found = combine(found, row["crc32"], row["size"])
    return found


def received(tx: sqlite3.Connection, upload_id: str, total: int, lifetime: int, *, crc32: int | None = None) -> bool:
    """Record that the first `total` bytes are on disk, with this CRC-32 (None: unknown). False when the upload accepts no more data."""
    prolong(tx, upload_id, lifetime)
    changed = tx.execute(
        "UPDATE upload SET received = ?, crc32 = ? WHERE id = ? AND state = 'open'", (total, crc32, upload_id)
    )
    return changed.rowcount == 1


def complete_whole(tx: sqlite3.Connection, upload_id: str, sha256: str | None, tag: str | None) -> bool:
    """Complete an upload that has no parts; False when it is not open."""
    if not _set_state(tx, upload_id, "complete", ("open",)):
        return False
    tx.execute("UPDATE upload SET sha256 = ?, etag = ? WHERE id = ?", (sha256, tag, upload_id))
    return True


def completed(conn: sqlite3.Connection, resource_id: str) -> Upload | None:
    """The complete, unattached upload that is to become this resource, or None."""
    return next(_select(conn, "resource_id = ? AND state = 'complete'", resource_id), None)


def attached(tx: sqlite3.Connection, resource_id: str, dataset_id: str) -> None:
    """Record that the upload has become a resource of a dataset."""
    tx.execute(
        "UPDATE upload SET state = 'attached', dataset_id = ? WHERE resource_id = ? AND state = 'complete'",
        (dataset_id, resource_id),
    )


def abort(tx: sqlite3.Connection, upload_id: str) -> bool:
    """Abort an upload; its file may be removed when this returns True."""
    return _set_state(tx, upload_id, "aborted", ("open", "complete"))


def expired(conn: sqlite3.Connection, moment: str) -> list[Upload]:
    """Uploads that have expired at `moment`, and aborted ones."""
    return list(_select(conn, "state = 'aborted' OR (state IN ('open', 'complete') AND expires < ?)", moment))


def forget(tx: sqlite3.Connection, before: str) -> int:
    """Remove the rows of uploads that ended before the moment `before`; returns their number."""
    return tx.execute("DELETE FROM upload WHERE state IN ('attached', 'aborted') AND expires < ?", (before,)).rowcount


def sweep(
    db: Database, depot: Depot, lifetime: int, *, silent: int | None = None, dry_run: bool = False
) -> dict[str, list[str]]:
    """End expired uploads and remove their files. → ``{"removed": ids of parts, "put_aside": ids of parts}``.

    Incomplete files are removed; a complete file that was never added to a dataset goes to quarantine. Parts without an upload
    (of a form interrupted by a crash) are removed when nothing was written to them for `lifetime` seconds.

    :param silent: end uploads without progress for this many seconds, instead of `lifetime`.
    """
    silent = lifetime if silent is None else silent
    limit = times.ahead(timedelta(seconds=lifetime - silent))
    removed: list[str] = []
    put_aside: list[str] = []
    with db.read() as conn:
        over = expired(conn, limit)
    for upload in over:
        if upload.state == "aborted" and not depot.part(upload.id).exists():
            continue  # handled by an earlier sweep
        (put_aside if upload.state == "complete" else removed).append(upload.id)
        if not dry_run:
            _end(db, depot, upload.id, limit, keep=upload.state == "complete")
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
        upload = get(tx, upload_id)
        if upload is None or upload.state == "attached" or (upload.state != "aborted" and upload.expires >= limit):
            return  # it has changed since it was listed
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


def _select(conn: sqlite3.Connection, condition: str, *values: str) -> Iterator[Upload]:
    rows = conn.execute(f"SELECT {_COLUMNS} FROM upload WHERE {condition}", values)
    return (Upload(*row) for row in rows)
