"""Notifications: one row for each kind and dataset until it is read; repeated events only increase its count."""

from __future__ import annotations

import sqlite3

from appliance.model import times
from appliance.model.viewer import Viewer
from appliance.store import visibility

_WATERMARK = "notified_jobs"


def add(
    tx: sqlite3.Connection, user_id: str, kind: str, dataset_id: str, actor_id: str | None, number: int = 1
) -> None:
    """Notify a user about a dataset, according to their preferences."""
    wanted = tx.execute(
        "SELECT page = 1 OR mail != 'off' FROM notification_choice WHERE user_id = ? AND kind = ?", (user_id, kind)
    ).fetchone()
    if wanted is not None and not wanted[0]:
        return
    tx.execute(
        """INSERT INTO notification (user_id, kind, dataset_id, actor_id, number, at) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (user_id, kind, dataset_id) WHERE seen IS NULL
           DO UPDATE SET number = number + excluded.number, at = excluded.at, actor_id = excluded.actor_id""",
        (user_id, kind, dataset_id, actor_id, number, times.now()),
    )


#: Unread, of a kind that the reader wants to see on the page.
_NEW = """user_id = :reader AND seen IS NULL AND kind NOT IN (
  SELECT kind FROM notification_choice WHERE user_id = :reader AND page = 0)"""
_SEEN = """FROM notification n JOIN dataset d ON d.id = n.dataset_id
  LEFT JOIN notification_choice c ON c.user_id = n.user_id AND c.kind = n.kind
  LEFT JOIN user a ON a.id = n.actor_id
  WHERE n.user_id = :reader AND coalesce(c.page, 1) = 1 AND d.state != 'deleted' AND {seen} AND {asked}"""
#: Requests for access concern the current admins of the circle.
_ASKED = """(n.kind != 'request' OR EXISTS (SELECT 1 FROM member m WHERE m.user_id = n.user_id AND m.community_id = d.circle_id
  AND m.role = 'admin'))"""


def of_user(conn: sqlite3.Connection, viewer: Viewer, *, limit: int, offset: int = 0) -> list[sqlite3.Row]:
    """Notifications about datasets that the reader may see, newest first, with title and actor."""
    seen, parameters = visibility.condition(viewer)
    return conn.execute(
        f"""SELECT n.*, d.name AS dataset, d.title, a.name AS actor, a.fullname AS actor_fullname {_SEEN.format(seen=seen, asked=_ASKED)}
            ORDER BY n.at DESC, n.id DESC LIMIT :limit OFFSET :offset""",
        parameters | {"reader": viewer.user_id, "limit": limit, "offset": offset},
    ).fetchall()


def count(conn: sqlite3.Connection, viewer: Viewer, *, new: bool) -> int:
    """Number of notifications, or of unread ones."""
    seen, parameters = visibility.condition(viewer)
    where = f"{seen} AND n.seen IS NULL" if new else seen
    return int(
        conn.execute(
            f"SELECT count(*) {_SEEN.format(seen=where, asked=_ASKED)}", parameters | {"reader": viewer.user_id}
        ).fetchone()[0]
    )


def has_new(conn: sqlite3.Connection, viewer: Viewer) -> bool:
    """Whether there is an unread notification that the reader may see. Fast, because every page needs it."""
    return count(conn, viewer, new=True) > 0


def without_right(conn: sqlite3.Connection, viewer: Viewer, ids: list[int]) -> set[int]:
    """Which of these notifications are about datasets that the reader may no longer see."""
    seen, parameters = visibility.condition(viewer)
    names = {f"id{number}": one for number, one in enumerate(ids)}
    rows = conn.execute(
        f"""SELECT n.id FROM notification n JOIN dataset d ON d.id = n.dataset_id
            WHERE n.id IN ({", ".join(f":{name}" for name in names)}) AND d.state != 'deleted' AND {seen} AND {_ASKED}""",
        parameters | names,
    )
    return set(ids) - {row["id"] for row in rows}


def newest_id(conn: sqlite3.Connection, user_id: str) -> int:
    """Id of the latest notification of a user, 0 if there is none."""
    row = conn.execute("SELECT coalesce(max(id), 0) FROM notification WHERE user_id = ?", (user_id,)).fetchone()
    return int(row[0])


def look(tx: sqlite3.Connection, user_id: str, until: int) -> None:
    """Mark the notifications up to `until` as read."""
    tx.execute(
        f"UPDATE notification SET seen = :now WHERE {_NEW} AND id <= :until",
        {"now": times.now(), "reader": user_id, "until": until},
    )


def forget(tx: sqlite3.Connection, before: str) -> int:
    """Remove notifications read or mailed before a moment; → how many."""
    return tx.execute("DELETE FROM notification WHERE seen < ?1 OR mailed < ?1", (before,)).rowcount


def choices(conn: sqlite3.Connection, user_id: str) -> dict[str, sqlite3.Row]:
    """A user's preferences by kind; kinds with the default are missing."""
    rows = conn.execute("SELECT * FROM notification_choice WHERE user_id = ?", (user_id,))
    return {row["kind"]: row for row in rows}


def choose(tx: sqlite3.Connection, user_id: str, kind: str, *, page: bool, mail: str, language: str) -> None:
    """Set a user's preference for a kind."""
    tx.execute(
        "INSERT OR REPLACE INTO notification_choice (user_id, kind, page, mail, language) VALUES (?, ?, ?, ?, ?)",
        (user_id, kind, int(page), mail, language),
    )


def unmailed(conn: sqlite3.Connection, day_ago: str) -> list[sqlite3.Row]:
    """Notifications whose time for a mail has come: user_id, email, language, id, kind, dataset_id; by user.

    Daily ones wait until the oldest of them is a day old; then all go together.
    """
    return conn.execute(
        """SELECT n.id, n.user_id, u.email, c.language, n.kind, n.dataset_id
           FROM notification n JOIN notification_choice c ON c.user_id = n.user_id AND c.kind = n.kind
           JOIN user u ON u.id = n.user_id AND u.state = 'active'
           WHERE n.mailed IS NULL AND n.seen IS NULL AND (c.mail = 'soon' OR (c.mail = 'daily' AND EXISTS (
             SELECT 1 FROM notification o JOIN notification_choice oc ON oc.user_id = o.user_id AND oc.kind = o.kind
             WHERE o.user_id = n.user_id AND oc.mail = 'daily' AND o.mailed IS NULL AND o.seen IS NULL AND o.at < ?)))
           ORDER BY n.user_id, n.at""",
        (day_ago,),
    ).fetchall()


def mailed(tx: sqlite3.Connection, ids: list[int]) -> None:
    """Record that these were mailed."""
    tx.executemany("UPDATE notification SET mailed = ? WHERE id = ?", [(times.now(), one) for one in ids])


def checked_uploads(conn: sqlite3.Connection) -> tuple[str | None, list[sqlite3.Row]]:
    """Uploads whose last job has ended since the moment stored by `note_checked`: dataset_id, user_id, files, failed (files of
    them).

    Also returns the moment to store now; uploads from before the first call are not reported.
    """
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (_WATERMARK,)).fetchone()
    last: str | None = conn.execute("SELECT max(finished) FROM job").fetchone()[0]
    if row is None or last is None:
        return last, []
    return last, conn.execute(
        """SELECT j.dataset_id, j.user_id, count(DISTINCT j.resource_id) AS files,
                  count(DISTINCT CASE WHEN j.state = 'failed' THEN j.resource_id END) AS failed
           FROM job j JOIN dataset d ON d.id = j.dataset_id JOIN user u ON u.id = j.user_id
           WHERE j.resource_id IS NOT NULL AND j.kind != 'gate_export' AND j.dataset_id IN (
             SELECT dataset_id FROM job
             WHERE finished > ? AND finished <= ? AND resource_id IS NOT NULL AND kind != 'gate_export')
           GROUP BY j.dataset_id, j.user_id
           HAVING sum(j.state IN ('queued', 'running')) = 0""",
        (row[0], last),
    ).fetchall()


def note_checked(tx: sqlite3.Connection, moment: str) -> None:
    """Record that uploads that ended until `moment` were reported."""
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_WATERMARK, moment))
