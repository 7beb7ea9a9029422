"""The audit log: append-only (triggers refuse everything else) and chained (`audit_chain`), so that removed or changed entries are
detected.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appliance.model import times
from appliance.model.viewer import Viewer
from appliance.store import audit_chain


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: by actor's name, action's prefix, object id, moment (ISO text), one of several object ids; empty = all."""

    actor: str = ""
    action: str = ""
    object_id: str = ""
    since: str = ""
    until: str = ""
    objects: tuple[str, ...] = ()


def add(
    tx: sqlite3.Connection, viewer: Viewer, action: str, object_type: str = "", object_id: str = "", **detail: Any
) -> None:
    """Append an entry: who (`viewer`) did what (`action`, e.g. ``dataset.create``) to which object."""
    values = (
        times.now(),
        viewer.user_id,
        viewer.name or "anonymous",
        action,
        object_type,
        object_id,
        json.dumps(detail, ensure_ascii=False, sort_keys=True),
        viewer.address,
    )
    audit_chain.append(tx, values)


def entries(
    conn: sqlite3.Connection, which: Filter | None = None, *, limit: int = 100, offset: int = 0
) -> list[dict[str, Any]]:
    """Entries, newest first."""
    where, values = _where(which or Filter())
    rows = conn.execute(
        f"SELECT seq, at, actor, action, object_type, object_id, detail, address FROM audit WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return [dict(row) | {"detail": json.loads(row["detail"])} for row in rows]


def after(conn: sqlite3.Connection, seq: int, limit: int) -> list[dict[str, Any]]:
    """Entries with a larger number, oldest first; `detail` as JSON text."""
    rows = conn.execute(
        """SELECT seq, at, actor_id, actor, action, object_type, object_id, detail, address FROM audit WHERE seq > ? ORDER BY seq LIMIT ?""",
        (seq, limit),
    )
    return [dict(row) for row in rows]


def forwarded(conn: sqlite3.Connection) -> int:
    """Number of the last entry that was forwarded to a syslog server, 0 for none."""
    row = conn.execute("SELECT value FROM meta WHERE key = 'audit_forwarded'").fetchone()
    return int(row[0]) if row else 0


def note_forwarded(tx: sqlite3.Connection, seq: int) -> None:
    """Store the number of the last entry that was forwarded to a syslog server."""
    tx.execute("INSERT OR REPLACE INTO meta VALUES ('audit_forwarded', ?)", (str(seq),))


def count(conn: sqlite3.Connection, which: Filter | None = None) -> int:
    """Number of entries."""
    where, values = _where(which or Filter())
    return int(conn.execute(f"SELECT count(*) FROM audit WHERE {where}", values).fetchone()[0])


def _where(which: Filter) -> tuple[str, list[str]]:
    terms = {
        "actor = ?": which.actor,
        "action LIKE ? || '%'": which.action,
        "object_id = ?": which.object_id,
        "at >= ?": which.since,
        "at < ?": which.until,
        "object_id IN (SELECT value FROM json_each(?))": json.dumps(which.objects) if which.objects else "",
    }
    chosen = {term: value for term, value in terms.items() if value}
    return " AND ".join(chosen) or "1", list(chosen.values())


def has_done(conn: sqlite3.Connection, user_id: str, actions: Sequence[str], object_id: str) -> bool:
    """Whether this user has done one of `actions` to this object."""
    marks = ", ".join("?" * len(actions))
    query = f"SELECT 1 FROM audit WHERE object_id = ? AND actor_id = ? AND action IN ({marks})"
    return conn.execute(query, (object_id, user_id, *actions)).fetchone() is not None
