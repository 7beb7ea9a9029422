"""Instruments: the measurements made with each device, and the datasets that hold its reference samples."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from appliance.model import times
from appliance.model.viewer import Viewer
from appliance.store import visibility


def set_reference(tx: sqlite3.Connection, dataset_id: str, *, on: bool) -> bool:
    """Let the measurements of a dataset count as references, or not. → did that change anything?"""
    if on:
        done = tx.execute("INSERT OR IGNORE INTO reference_sample VALUES (?, ?)", (dataset_id, times.now()))
    else:
        done = tx.execute("DELETE FROM reference_sample WHERE dataset_id = ?", (dataset_id,))
    return done.rowcount > 0


def is_reference(conn: sqlite3.Connection, dataset_id: str) -> bool:
    """Do the measurements of this dataset count as references?"""
    return conn.execute("SELECT 1 FROM reference_sample WHERE dataset_id = ?", (dataset_id,)).fetchone() is not None


def listed(conn: sqlite3.Connection, viewer: Viewer, *, without: Collection[str] = ()) -> list[sqlite3.Row]:
    """Device, measurements, references, first and last date of what `viewer` may read, by device; dates "" where none is known.

    :param without: ids of files that are left out.
    """
    seen, parameters = visibility.condition(viewer, many=True)
    left_out = ""
    if without:
        left_out = "AND m.id NOT IN (SELECT r.pk FROM json_each(:without) j JOIN resource r ON r.id = j.value)"
        parameters["without"] = json.dumps(list(without))
    return conn.execute(
        f"""SELECT m.device, count(*) AS measurements, coalesce(min(nullif(m.date, '')), '') AS first, max(m.date) AS last,
                   sum(m.dataset_pk IN (SELECT d.pk FROM reference_sample s JOIN dataset d ON d.id = s.dataset_id)) AS "references"
            FROM measurement m
            WHERE m.device != '' {left_out}
                  AND m.dataset_pk IN (SELECT d.pk FROM dataset d WHERE d.state IN ('active', 'draft') AND {seen})
            GROUP BY m.device ORDER BY m.device""",
        parameters,
    ).fetchall()


def resource_ids(conn: sqlite3.Connection, viewer: Viewer) -> list[str]:
    """Every measurement that `viewer` may read and that names its device."""
    seen, parameters = visibility.condition(viewer, many=True)
    rows = conn.execute(
        f"""SELECT r.id FROM measurement m JOIN dataset d ON d.pk = m.dataset_pk JOIN resource r ON r.pk = m.id
            WHERE m.device != '' AND d.state IN ('active', 'draft') AND {seen}""",
        parameters,
    )
    return [row[0] for row in rows]


def measurements(
    conn: sqlite3.Connection, viewer: Viewer, device: str, features: Sequence[str], *, most: int
) -> list[dict[str, Any]]:
    """`most` measurements of a device that `viewer` may read and that have a date: references first, then the newest.

    :return: id, name, dataset_id, sample, date, time, region, flow [µL/s], width [µm], reference (bool) and `medians`
        {feature: median of all finite events, None without one} of each.
    """
    seen, parameters = visibility.condition(viewer, many=True)
    paths = {f"path{number}": f"$.{name}.median" for number, name in enumerate(features)}
    medians = "".join(f", t.statistics ->> :{key} AS {key}" for key in paths)
    rows = conn.execute(
        f"""SELECT c.*{medians} FROM (
                SELECT r.id, r.name, r.dataset_id, m.sample, m.date, coalesce(r.dc ->> '$."dc:experiment:time"', '') AS time, m.region,
                       m.flow, m.width, s.dataset_id IS NOT NULL AS reference
                FROM measurement m JOIN dataset d ON d.pk = m.dataset_pk JOIN resource r ON r.pk = m.id
                     LEFT JOIN reference_sample s ON s.dataset_id = d.id
                WHERE m.device = :device AND m.date != '' AND d.state IN ('active', 'draft') AND {seen}
                ORDER BY reference DESC, m.date DESC, time DESC, m.id DESC LIMIT :most
            ) c LEFT JOIN rtdc t ON t.resource_id = c.id  -- reads the statistics of these alone
            ORDER BY c.reference DESC, c.date DESC, c.time DESC, c.id DESC""",
        parameters | paths | {"device": device, "most": most},
    )
    return [_decoded(row, features) for row in rows]


def _decoded(row: sqlite3.Row, features: Sequence[str]) -> dict[str, Any]:
    known = dict(row)
    medians = {name: known.pop(f"path{number}") for number, name in enumerate(features)}
    return known | {"reference": bool(known["reference"]), "medians": medians}
