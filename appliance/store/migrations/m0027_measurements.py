"""One narrow row for each measurement, for the table of all measurements."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

#: Columns by which the table is sorted.
_SORTED = (
    "name", "sample", "date", "events", "flow", "width", "region", "medium", "device", "verdict", "area", "deform", "emodulus",
)  # fmt: skip

#: Metadata that become texts of the table.
_TEXTS = ("experiment:sample", "experiment:date", "setup:chip region", "setup:medium", "setup:identifier")


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table with its indexes, and fill it from what is known."""
    conn.execute(
        """CREATE TABLE measurement (
             id INTEGER PRIMARY KEY REFERENCES resource(pk) ON DELETE CASCADE,
             dataset_pk INTEGER NOT NULL REFERENCES dataset(pk) ON DELETE CASCADE,
             name TEXT NOT NULL, sample TEXT NOT NULL, date TEXT NOT NULL, events INTEGER, flow REAL, width REAL,
             region TEXT NOT NULL, medium TEXT NOT NULL, device TEXT NOT NULL, verdict TEXT NOT NULL,
             area REAL, deform REAL, emodulus REAL, supplements TEXT NOT NULL,
             words TEXT NOT NULL -- in small letters, what a text is looked for in
           )"""
    )
    conn.executemany(f"INSERT INTO measurement VALUES ({', '.join('?' * 17)})", _rows(conn))
    # afterwards: an index that is made of all rows is sorted once, one that is kept for each row is written in random places
    conn.execute("CREATE INDEX measurement_dataset ON measurement(dataset_pk)")
    for column in _SORTED:
        conn.execute(f"CREATE INDEX measurement_{column} ON measurement({column})")


def _rows(conn: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    """The rows, in the order in which the table keeps them; one file after the other is read, never all."""
    found = conn.execute(
        """SELECT r.pk, d.pk, r.name, r.event_count, r.dc, r.supplements, coalesce(v.grade, ''),
                  json_extract(t.statistics, '$.area_um.median', '$.deform.median', '$.emodulus.median')
           FROM resource r CROSS JOIN dataset d ON d.id = r.dataset_id LEFT JOIN rtdc t ON t.resource_id = r.id
                LEFT JOIN verdict v ON v.resource_id = r.id
           WHERE r.mimetype IN ('RT-DC', 'DC') ORDER BY r.pk"""
    )
    for pk, dataset_pk, name, events, dc_text, supplements_text, grade, medians in found:
        dc, given = json.loads(dc_text), json.loads(supplements_text)
        sample, date, region, medium, device = (_text(dc.get(f"dc:{key}")) for key in _TEXTS)
        flow, width = (_number(dc.get(f"dc:setup:{key}")) for key in ("flow rate", "channel width"))
        supplements = "; ".join(f"{key.rpartition(':')[2]}: {_text(value)}" for key, value in sorted(given.items()))
        words = " ".join((name, sample, date, region, medium, device, supplements)).lower()
        yield (
            pk, dataset_pk, name, sample, date, events, flow, width, region, medium, device, grade,
            *(json.loads(medians) if medians else (None, None, None)), supplements[:500], words,
        )  # fmt: skip


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)[:500]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
