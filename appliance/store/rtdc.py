"""Metadata extracted from measurements by jobs, one row per resource, so that no request has to open the file."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from appliance.model import messages, times
from appliance.store import measurements

_JSON = (
    "config",
    "features",
    "scalar_features",
    "condensed_features",
    "traces",
    "logs",
    "tables",
    "statistics",
    "integrity",
    "personal",
    "file_basins",
    "contents",
    "condensed_logs",
)
_WITH_MESSAGES = ("integrity", "personal")
_PLAIN = ("identifier", "preview_alt", "sane")


def put(tx: sqlite3.Connection, resource_id: str, **values: Any) -> None:
    """Set columns (JSON columns as Python values); inserts the row if it is missing."""
    tx.execute("INSERT INTO rtdc (resource_id) VALUES (?) ON CONFLICT DO NOTHING", (resource_id,))
    for key, value in values.items():
        if key in _JSON:
            value = (
                messages.dumps(value)
                if key in _WITH_MESSAGES
                else json.dumps(value, ensure_ascii=False, allow_nan=False)
            )
        elif key == "preview_alt" and isinstance(value, messages.Message):
            value = messages.dumps(value)
        elif key not in _PLAIN:
            raise KeyError(key)
        tx.execute(f"UPDATE rtdc SET {key} = ? WHERE resource_id = ?", (value, resource_id))
    if "statistics" in values:
        measurements.refresh(tx, resource_id)


def mark_extracted(tx: sqlite3.Connection, resource_id: str) -> None:
    """Record that the metadata job has finished with this resource."""
    tx.execute("UPDATE rtdc SET extracted = ? WHERE resource_id = ?", (times.now(), resource_id))


def row(conn: sqlite3.Connection, resource_id: str) -> sqlite3.Row | None:
    """The raw row (JSON columns as text, ready to send), or None."""
    found: sqlite3.Row | None = conn.execute("SELECT * FROM rtdc WHERE resource_id = ?", (resource_id,)).fetchone()
    return found


def get(conn: sqlite3.Connection, resource_id: str) -> dict[str, Any] | None:
    """The row with its JSON columns decoded, or None."""
    found = row(conn, resource_id)
    if found is None:
        return None
    return {key: _decoded(key, value) for key, value in dict(found).items()}


def siblings(conn: sqlite3.Connection, resource_id: str) -> list[dict[str, Any]]:
    """The other measurements of the same dataset: id, name, identifier, features, condensed_features (lists; identifier None before extraction)."""
    rows = conn.execute(
        """SELECT r.id, r.name, t.identifier, coalesce(t.features, '[]') AS features, coalesce(t.condensed_features, '[]') AS condensed_features
           FROM resource r LEFT JOIN rtdc t ON t.resource_id = r.id
           WHERE r.dataset_id = (SELECT dataset_id FROM resource WHERE id = ?1) AND r.id != ?1 ORDER BY r.position""",
        (resource_id,),
    )
    return [
        dict(one)
        | {"features": json.loads(one["features"]), "condensed_features": json.loads(one["condensed_features"])}
        for one in rows
    ]


def verdicts(conn: sqlite3.Connection, dataset_id: str) -> dict[str, bool | None]:
    """Validity by resource id; None = not checked yet."""
    rows = conn.execute(
        "SELECT r.id, t.sane FROM resource r LEFT JOIN rtdc t ON t.resource_id = r.id WHERE r.dataset_id = ?",
        (dataset_id,),
    )
    return {one["id"]: None if one["sane"] is None else bool(one["sane"]) for one in rows}


def set_verdict(tx: sqlite3.Connection, resource_id: str, sane: bool, reasons: list[str]) -> None:
    """Store the result of a quick check of the file, unless a job has stored one meanwhile or the resource is gone."""
    if tx.execute("SELECT 1 FROM resource WHERE id = ?", (resource_id,)).fetchone() is None:
        return
    found = row(tx, resource_id)
    if found is None or found["sane"] is None:
        put(tx, resource_id, sane=int(sane), integrity={"cues": [], "sane": sane, "sanity_errors": reasons})


def refuse(tx: sqlite3.Connection, resource_id: str, reason: str) -> None:
    """Record that a file cannot be read and so is not a valid measurement, whatever an earlier check found."""
    put(tx, resource_id, sane=0, integrity={"cues": [], "sane": False, "sanity_errors": [reason]})


def insane(conn: sqlite3.Connection, dataset_id: str) -> list[str]:
    """Why files of a dataset are not valid measurements: ``name: reason``."""
    rows = conn.execute(
        "SELECT r.name, t.integrity FROM resource r JOIN rtdc t ON t.resource_id = r.id WHERE r.dataset_id = ? AND t.sane = 0 ORDER BY r.position",
        (dataset_id,),
    )
    return [
        messages.joined((one["name"], reason), ": ")
        for one in rows
        for reason in messages.loads(one["integrity"]).get("sanity_errors", [])[:3]
    ]


def _decoded(column: str, value: Any) -> Any:
    if column in _WITH_MESSAGES:
        return messages.loads(value)
    if column == "preview_alt" and value.startswith("{"):
        return messages.loads(value)
    return json.loads(value) if column in _JSON else value
