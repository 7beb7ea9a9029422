"""The audit log: append-only (triggers refuse anything else) and chained, so that a removed or changed entry shows."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from appliance.model import times
from appliance.model.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: by actor's name, action's prefix, object id, moment (ISO text); empty = all."""

    actor: str = ""
    action: str = ""
    object_id: str = ""
    since: str = ""
    until: str = ""


def add(
    tx: sqlite3.Connection, viewer: Viewer, action: str, object_type: str = "", object_id: str = "", **detail: Any
) -> None:
    """Append an entry: who (`viewer`) did what (`action`, e.g. ``dataset.create``) to which object."""
    last = tx.execute("SELECT chain FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
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
    tx.execute(
        "INSERT INTO audit (at, actor_id, actor, action, object_type, object_id, detail, address, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, _link(last[0] if last else b"", values)),
    )


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


def count(conn: sqlite3.Connection, which: Filter | None = None) -> int:
    """How many entries there are."""
    where, values = _where(which or Filter())
    return int(conn.execute(f"SELECT count(*) FROM audit WHERE {where}", values).fetchone()[0])


def broken_links(conn: sqlite3.Connection) -> Iterator[int]:
    """Sequence numbers at which the chain does not hold."""
    chain, expected = b"", 1
    for row in conn.execute(
        "SELECT seq, at, actor_id, actor, action, object_type, object_id, detail, address, chain FROM audit ORDER BY seq"
    ):
        if row["seq"] != expected or row["chain"] != _link(chain, tuple(row)[1:9]):
            yield row["seq"]
        chain, expected = row["chain"], row["seq"] + 1


def _link(previous: bytes, values: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(previous + json.dumps(values, ensure_ascii=False).encode()).digest()


def _where(which: Filter) -> tuple[str, list[str]]:
    terms = {
        "actor = ?": which.actor,
        "action LIKE ? || '%'": which.action,
        "object_id = ?": which.object_id,
        "at >= ?": which.since,
        "at < ?": which.until,
    }
    chosen = {term: value for term, value in terms.items() if value}
    return " AND ".join(chosen) or "1", list(chosen.values())
