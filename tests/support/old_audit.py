"""The audit log as releases up to 0.1 wrote it: chained by plain SHA-256."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

from appliance.model import times
from appliance.model.viewer import Viewer

VALUES = "at, actor_id, actor, action, object_type, object_id, detail, address"


def add(
    tx: sqlite3.Connection, viewer: Viewer, action: str, object_type: str = "", object_id: str = "", **detail: Any
) -> None:
    """Append an entry."""
    last = tx.execute("SELECT seq, chain FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, b"")
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    values = (times.now(), viewer.user_id, viewer.name, action, object_type, object_id, text, viewer.address)
    tx.execute(
        f"INSERT INTO audit (seq, {VALUES}, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (last[0] + 1, *values, link(last[1], values)),
    )


def link(previous: bytes, values: tuple[Any, ...]) -> bytes:
    """An entry's link of the chain."""
    return hashlib.sha256(previous + json.dumps(values, ensure_ascii=False).encode()).digest()
