"""Originals in the object storage: one row for each object that may exist there.

`sending`: the object may be incomplete, the file is here. `stored`: the object was verified, and the file here may go or is gone.
`recalled`: the file is here again, and the object is still there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.model import times


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A row. :ivar modified: time of the file [Unix s]; :ivar since: when it got its state; :ivar removed: when its resource was found gone."""

    resource_id: str
    state: str
    place: str
    object_key: str
    etag: str
    size: int
    sha256: str
    modified: int
    since: str
    checked: str
    removed: str | None


def get(conn: sqlite3.Connection, resource_id: str) -> ArchivedFile | None:
    """The row of a resource, in any state."""
    row = conn.execute("SELECT * FROM archived_file WHERE resource_id = ?", (resource_id,)).fetchone()
    return ArchivedFile(**dict(row)) if row else None


def stored(conn: sqlite3.Connection, resource_id: str) -> ArchivedFile | None:
    """The row of a resource whose original is in the storage, None for all others."""
    found = get(conn, resource_id)
    return found if found is not None and found.state == "stored" else None


def all_(conn: sqlite3.Connection, state: str = "") -> list[ArchivedFile]:
    """Rows in this state (or in all), the earliest first."""
    rows = conn.execute("SELECT * FROM archived_file WHERE ? IN ('', state) ORDER BY since, resource_id", (state,))
    return _files(rows)


def stored_ids(conn: sqlite3.Connection) -> set[str]:
    """Ids of all resources whose originals are in the storage."""
    return {row[0] for row in conn.execute("SELECT resource_id FROM archived_file WHERE state = 'stored'")}


def stored_of_dataset(conn: sqlite3.Connection, dataset_id: str) -> list[ArchivedFile]:
    """The archived files of a dataset, in their order."""
    rows = conn.execute(
        """SELECT a.* FROM archived_file a JOIN resource r ON r.id = a.resource_id
           WHERE r.dataset_id = ? AND a.state = 'stored' ORDER BY r.position""",
        (dataset_id,),
    )
    return _files(rows)


def candidates(
    conn: sqlite3.Connection,
    *,
    before: str,
    least_size: int,
    circles: Sequence[str] = (),
    dataset_ids: Sequence[str] = (),
    scanned: str = "",
) -> list[sqlite3.Row]:
    """Originals that may be moved: (id, name, dataset, size, sha256), the earliest upload first.

    They belong to active datasets, are uploaded (and recalled) before `before`, have all checksums, and no job is open for them.

    :param circles: names of circles; none = all. :param dataset_ids: only of these datasets; none = all.
    :param scanned: kind of check that the file must have had, for the virus scanner.
    """
    marks = ", ".join("?" * len(circles)) if circles else "''"
    wanted = ", ".join("?" * len(dataset_ids)) if dataset_ids else "''"
    return conn.execute(
        f"""SELECT r.id, r.name, d.name AS dataset, r.size, r.sha256
            FROM resource r JOIN dataset d ON d.id = r.dataset_id JOIN community c ON c.id = d.circle_id
            LEFT JOIN archived_file a ON a.resource_id = r.id
            WHERE d.state = 'active' AND r.sha256 IS NOT NULL AND r.crc32 IS NOT NULL AND r.size >= ? AND r.created < ?
              AND (a.state IS NULL OR a.state = 'sending' OR a.state = 'recalled' AND a.since < ?)
              AND (? OR c.name IN ({marks})) AND (? OR d.id IN ({wanted}))
              AND (? = '' OR EXISTS (SELECT 1 FROM file_check f WHERE f.resource_id = r.id AND f.kind = ?))
              AND NOT EXISTS (SELECT 1 FROM job j WHERE j.resource_id = r.id AND j.state IN ('queued', 'running'))
            ORDER BY r.created, r.id""",
        (least_size, before, before, not circles, *circles, not dataset_ids, *dataset_ids, scanned, scanned),
    ).fetchall()


def begin(
    tx: sqlite3.Connection, resource_id: str, *, place: str, key: str, size: int, sha256: str, modified: int
) -> None:
    """Note that an object is about to be written."""
    tx.execute(
        """INSERT OR REPLACE INTO archived_file (resource_id, state, place, object_key, size, sha256, modified, since)
           VALUES (?, 'sending', ?, ?, ?, ?, ?, ?)""",
        (resource_id, place, key, size, sha256, modified, times.now()),
    )


def mark_stored(tx: sqlite3.Connection, resource_id: str, etag: str) -> bool:
    """Note that the object was verified: from now on the file here may go. False when its resource is gone, or the row."""
    now = times.now()
    done = tx.execute(
        """UPDATE archived_file SET state = 'stored', etag = ?, since = ?, checked = ?, removed = NULL
           WHERE resource_id = ? AND EXISTS (SELECT 1 FROM resource r WHERE r.id = resource_id)""",
        (etag, now, now, resource_id),
    )
    return done.rowcount == 1


def mark_recalled(tx: sqlite3.Connection, resource_id: str) -> bool:
    """Note that the file is here again, verified. False when it was not in the storage."""
    done = tx.execute(
        "UPDATE archived_file SET state = 'recalled', since = ? WHERE resource_id = ? AND state = 'stored'",
        (times.now(), resource_id),
    )
    return done.rowcount == 1


def forget(tx: sqlite3.Connection, resource_id: str) -> None:
    """There is no object any more."""
    tx.execute("DELETE FROM archived_file WHERE resource_id = ?", (resource_id,))


def note_removed(tx: sqlite3.Connection) -> None:
    """Note which resources are gone since the last call, and which came back."""
    gone = "NOT EXISTS (SELECT 1 FROM resource r WHERE r.id = archived_file.resource_id)"
    tx.execute(f"UPDATE archived_file SET removed = ? WHERE removed IS NULL AND {gone}", (times.now(),))
    tx.execute(f"UPDATE archived_file SET removed = NULL WHERE removed IS NOT NULL AND NOT {gone}")


def removed_before(conn: sqlite3.Connection, moment: str) -> list[ArchivedFile]:
    """Rows whose resources were found gone before `moment`."""
    rows = conn.execute("SELECT * FROM archived_file WHERE removed < ? ORDER BY removed", (moment,))
    return _files(rows)


def least_recently_checked(conn: sqlite3.Connection, before: str) -> list[ArchivedFile]:
    """Stored files whose objects were last looked at before `moment`, the longest ago first."""
    rows = conn.execute(
        "SELECT * FROM archived_file WHERE state = 'stored' AND removed IS NULL AND checked < ? ORDER BY checked",
        (before,),
    )
    return _files(rows)


def note_checked(tx: sqlite3.Connection, resource_id: str) -> None:
    """The object was looked at just now and is as it should be."""
    tx.execute("UPDATE archived_file SET checked = ? WHERE resource_id = ?", (times.now(), resource_id))


def totals(conn: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """(files, bytes) by state; `removed` for objects whose resources are gone."""
    rows = conn.execute(
        """SELECT CASE WHEN removed IS NULL THEN state ELSE 'removed' END AS kind, count(*), coalesce(sum(size), 0)
           FROM archived_file GROUP BY kind"""
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _files(rows: Iterable[sqlite3.Row]) -> list[ArchivedFile]:
    return [ArchivedFile(**dict(row)) for row in rows]
