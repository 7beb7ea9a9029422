"""Facets: how many of the found datasets have each value of a field."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.model import licences
from appliance.store.search import columns
from appliance.store.search.index import as_number

_FEW = 500  # hits up to which SQL counts; beyond, columns in memory do
_SMALL = 5000  # datasets up to which SQL reads all values of a metadata field
#: Facets of every dataset, kept in the index.
_KEPT = frozenset({"organization", "groups", "tags", "license_id", "res_format", "year"})
_FROM_KEPT = {"owner_org": "organization"}
#: Facets read from the dataset's row.
_COLUMNS = {
    "state": "d.state",
    "capacity": "iif(d.private, 'private', 'public')",
    "private": "iif(d.private, 'true', 'false')",
    "creator_user_id": "d.creator_id",
    "type": "'dataset'",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a facet: its name in queries, how to show it, how many datasets have it."""

    name: str
    display_name: str
    count: int


def of_hits(
    conn: sqlite3.Connection, hits: str, count: int, names: Sequence[str], *, limit: int, least: int
) -> dict[str, list[Item]]:
    """Facets `names` over the `count` datasets `hits` (row numbers with commas between): most frequent values first.

    Fields that no dataset has are empty. `limit`: values a facet, -1 = all; `least`: datasets a value must have (at least 1:
    values of datasets that the viewer cannot see must not show).
    """
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
    kept = {_FROM_KEPT.get(name, name) for name in names} & _KEPT
    if hits and count <= _FEW:
        counted = _few(conn, hits, kept)
    else:
        counted = {name: columns.counts(conn, name, hits) for name in kept} if hits else {}
    for name in names if hits else ():
        if _FROM_KEPT.get(name, name) in _KEPT:
            found[name] = counted.get(_FROM_KEPT.get(name, name), [])
        elif name in _COLUMNS:
            found[name] = _grouped(conn, hits, _COLUMNS[name])
        elif name.startswith(("dc:", "sp:")):
            found[name] = _measured(conn, hits, name)
    return {name: _items(conn, name, values, limit, max(1, least)) for name, values in found.items()}


def _few(conn: sqlite3.Connection, hits: str, names: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    rows = conn.execute(
        """SELECT f.name, v.text, count(*) FROM json_each(?1) m CROSS JOIN search_dataset s ON s.pk = m.value CROSS JOIN json_each(s.facet_ids) j
           CROSS JOIN search_value v ON v.id = j.value CROSS JOIN search_field f ON f.id = v.field_id
           WHERE f.name IN (SELECT value FROM json_each(?2)) GROUP BY v.id""",
        (f"[{hits}]", json.dumps(list(names))),
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for name, text, count in rows:
        found.setdefault(name, []).append((text, count))
    return found


def _measured(conn: sqlite3.Connection, hits: str, name: str) -> list[tuple[str, int]]:
    """Values of a metadata field. In a small catalogue SQL reads them all; in a large one they are kept in memory."""
    if (conn.execute("SELECT max(pk) FROM search_dataset").fetchone()[0] or 0) > _SMALL:
        return columns.counts(conn, name, hits)
    rows = conn.execute(
        """SELECT v.text, count(*) FROM search_value v CROSS JOIN search_posting p ON p.value_id = v.id
           WHERE v.field_id = (SELECT id FROM search_field WHERE name = ?) AND p.pk IN (SELECT value FROM json_each(?)) GROUP BY v.id""",
        (name, f"[{hits}]"),
    )
    return [(row[0], row[1]) for row in rows]


def ranges_of(conn: sqlite3.Connection, hits: str, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Lowest and highest number of each field `names` over the datasets `hits`; fields without numbers are left out."""
    found = {}
    for name in names if hits else ():
        if name in ("num_events", "num_tags", "size"):
            sql = f"SELECT min({name}), max({name}) FROM search_dataset WHERE pk IN (SELECT value FROM json_each(?))"
            low, high = conn.execute(sql, (f"[{hits}]",)).fetchone()
            numbers = [low, high] if low is not None else []
        else:
            numbers = [number for text, _ in _measured(conn, hits, name) if (number := as_number(text)) is not None]
        if numbers:
            found[name] = (min(numbers), max(numbers))
    return found


def _grouped(conn: sqlite3.Connection, hits: str, expression: str) -> list[tuple[str, int]]:
    rows = conn.execute(
        f"SELECT {expression}, count(*) FROM dataset d WHERE d.pk IN (SELECT value FROM json_each(?)) GROUP BY 1",
        (f"[{hits}]",),
    )
    return [(row[0], row[1]) for row in rows]


def _items(conn: sqlite3.Connection, name: str, values: list[tuple[str, int]], limit: int, least: int) -> list[Item]:
    labels = _labels(conn, name, [text for text, _ in values])
    items = [Item(*labels.get(text, (text, text)), count) for text, count in values if count >= least]
    items.sort(key=lambda item: (-item.count, item.name))
    return items if limit < 0 else items[:limit]


def _labels(conn: sqlite3.Connection, name: str, values: list[str]) -> dict[str, tuple[str, str]]:
    """(name in queries, shown name) by stored value, where they differ."""
    if name == "license_id":
        known = ((value, licences.find(value)) for value in values)
        return {value: (value, licence["title"]) for value, licence in known if licence}
    if name in ("organization", "groups") and values:
        rows = conn.execute(
            "SELECT id, name, iif(title = '', name, title) FROM community WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(values),),
        )
        return {row[0]: (row[1], row[2]) for row in rows}
    return {}
