"""The table of all measurements: one row of searchable values for each, updated in the transaction that changes the measurement."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.model.viewer import Viewer
from appliance.store import visibility

TEXTS = ("name", "sample", "date", "region", "medium", "device", "verdict")
NUMBERS = ("events", "flow", "width", "area", "deform", "emodulus")
#: What the table can be sorted by; each has an index.
SORTS = (*TEXTS, *NUMBERS)
#: Largest page [rows].
MOST_ROWS = 100_000
_LONGEST = 500

_KEYS = {
    "sample": "dc:experiment:sample",
    "date": "dc:experiment:date",
    "flow": "dc:setup:flow rate",
    "width": "dc:setup:channel width",
    "region": "dc:setup:chip region",
    "medium": "dc:setup:medium",
    "device": "dc:setup:identifier",
}


@dataclass(frozen=True)
class Query:
    """What is looked for.

    :ivar words: each must occur somewhere (name, sample, medium, device, region, supplements, title of the dataset aside).
    :ivar equal: column of `TEXTS` → value; :ivar contains: column of `TEXTS` → a part of it; :ivar ranges: column of `NUMBERS`, or date → (least, most), None for no bound.
    :ivar sort: column of `SORTS`, or "" for the newest first.
    """

    words: tuple[str, ...] = ()
    equal: Mapping[str, str] = field(default_factory=dict)
    contains: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    rows: int = 50
    start: int = 0


def refresh(tx: sqlite3.Connection, resource_id: str) -> None:
    """Rewrite a measurement's row; no-op for other files, or if the resource is gone."""
    row = tx.execute(
        """SELECT r.pk, d.pk AS dataset_pk, r.name, r.event_count, r.dc, r.supplements, r.mimetype, coalesce(v.grade, '') AS verdict,
                  t.statistics ->> '$.area_um.median' AS area, t.statistics ->> '$.deform.median' AS deform,
                  t.statistics ->> '$.emodulus.median' AS emodulus
           FROM resource r JOIN dataset d ON d.id = r.dataset_id LEFT JOIN rtdc t ON t.resource_id = r.id
                LEFT JOIN verdict v ON v.resource_id = r.id
           WHERE r.id = ?""",
        (resource_id,),
    ).fetchone()
    if row is None or row["mimetype"] not in ("RT-DC", "DC"):
        return
    dc = json.loads(row["dc"])
    values = {column: dc.get(key) for column, key in _KEYS.items()}
    texts = {column: _text(values[column]) for column in ("sample", "date", "region", "medium", "device")}
    numbers = {column: _number(values[column]) for column in ("flow", "width")}
    known = json.loads(row["supplements"])
    supplements = "; ".join(f"{key.rpartition(':')[2]}: {_text(value)}" for key, value in sorted(known.items()))
    words = " ".join((row["name"], *texts.values(), supplements)).lower()
    tx.execute(
        "INSERT OR REPLACE INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row["pk"], row["dataset_pk"], row["name"], texts["sample"], texts["date"], row["event_count"], numbers["flow"],
            numbers["width"], texts["region"], texts["medium"], texts["device"], row["verdict"], row["area"], row["deform"],
            row["emodulus"], supplements[:_LONGEST], words,
        ),
    )  # fmt: skip


def find(conn: sqlite3.Connection, viewer: Viewer, query: Query) -> tuple[int, list[sqlite3.Row]]:
    """The number of measurements of active datasets and drafts that `viewer` may read and that match, and the rows of one page."""
    total, page = find_ids(conn, viewer, query)
    return total, rows(conn, page)


def find_ids(conn: sqlite3.Connection, viewer: Viewer, query: Query) -> tuple[int, list[int]]:
    """The number of matching measurements (see `find`), and the row numbers of one page, for `rows`."""
    seen, parameters = visibility.condition(viewer, many=True)
    where = [f"m.dataset_pk IN (SELECT d.pk FROM dataset d WHERE d.state IN ('active', 'draft') AND {seen})"]
    for number, word in enumerate(query.words):
        where.append(f"instr(m.words, :word{number}) > 0")
        parameters[f"word{number}"] = word.lower()
    for column, value in query.equal.items():
        where.append(f"m.{_known(column)} = :is_{column}")
        parameters[f"is_{column}"] = value
    for column, value in query.contains.items():
        where.append(f"instr(lower(m.{_known(column)}), :has_{column}) > 0")
        parameters[f"has_{column}"] = value.lower()
    for column, (low, high) in query.ranges.items():
        if low is not None:
            where.append(f"m.{_known(column)} >= :least_{column}")
            parameters[f"least_{column}"] = low
        if high is not None:
            where.append(f"m.{_known(column)} <= :most_{column}")
            parameters[f"most_{column}"] = high
    condition = " AND ".join(where)
    order = f"m.{_known(query.sort)} {{way}}, m.id {{way}}" if query.sort else "m.id DESC"
    order = order.format(way="DESC" if query.descending else "ASC")
    if len(where) > 1:  # few match: read all and sort them
        found = conn.execute(f"SELECT m.id FROM measurement m WHERE {condition} ORDER BY {order}", parameters)
        ids = [row[0] for row in found]
        total, page = len(ids), ids[query.start : query.start + query.rows]
    else:  # all visible ones: scan an index in order until the page is full
        source = f"INDEXED BY measurement_{query.sort}" if query.sort else "NOT INDEXED"
        total = conn.execute(f"SELECT count(*) FROM measurement m WHERE {condition}", parameters).fetchone()[0]
        found = conn.execute(
            f"SELECT m.id FROM measurement m {source} WHERE {condition} ORDER BY {order} LIMIT :rows OFFSET :start",
            parameters | {"rows": query.rows, "start": query.start},
        )
        page = [row[0] for row in found]
    return total, page


def rows(conn: sqlite3.Connection, ids: list[int]) -> list[sqlite3.Row]:
    """The rows of these measurements, in their order."""
    found = conn.execute(
        """SELECT m.*, r.id AS resource_id, d.id AS dataset_id, d.name AS dataset_name, d.title AS dataset_title
            FROM json_each(:page) j CROSS JOIN measurement m ON m.id = j.value CROSS JOIN resource r ON r.pk = m.id
            CROSS JOIN dataset d ON d.pk = m.dataset_pk ORDER BY j.key""",
        {"page": json.dumps(ids)},
    )
    return found.fetchall()


def _known(column: str) -> str:
    if column not in SORTS:
        raise KeyError(column)
    return column


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)[:_LONGEST]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
