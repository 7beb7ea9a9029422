"""Facets: how many of the found datasets have each value of a field."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.model import licences
from appliance.store.cache import Cache
from appliance.store.search import columns

_FEW = 500  # hits up to which SQL counts; beyond, columns in memory do
_SMALL = 5000  # datasets up to which SQL reads all values of a metadata field
#: Facets of every dataset, kept in the index.
_KEPT = frozenset({"organization", "groups", "tags", "license_id", "res_format", "year", "verdict"})
_FROM_KEPT = {"owner_org": "organization"}
_NUMBERS = frozenset({"num_events", "num_tags", "size"})
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


class Counter:
    """Counts values over the datasets that a search has found: few of them by SQL, many by columns in memory.

    :param hits: row numbers with commas between; `count` how many.
    :param cache: where columns are kept.
    """

    def __init__(self, conn: sqlite3.Connection, hits: str, count: int, cache: Cache | None) -> None:
        self._conn = conn
        self._cache = cache
        self._hits = hits
        self._json = f"[{hits}]"
        self._count = count
        self._columns: columns.Hits | None = None

    def facets(self, names: Sequence[str], *, limit: int, least: int) -> dict[str, list[Item]]:
        """Values of the fields `names`, most frequent first; fields that no dataset has are empty.

        :param limit: values a facet, -1 = all.
        :param least: datasets a value must have, at least 1: values of datasets that the viewer cannot see must not show.
        """
        kept = self._kept({_FROM_KEPT.get(name, name) for name in names} & _KEPT)
        found: dict[str, list[tuple[str, int]]] = {}
        for name in names:
            if _FROM_KEPT.get(name, name) in _KEPT:
                found[name] = kept.get(_FROM_KEPT.get(name, name), [])
            elif name in _COLUMNS:
                found[name] = self._grouped(_COLUMNS[name])
            else:
                found[name] = self._measured(name) if name.startswith(("dc:", "sp:")) else []
        return {name: _items(self._conn, name, values, limit, max(1, least)) for name, values in found.items()}

    def ranges(self, names: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Lowest and highest number of each of these fields; fields without numbers are left out."""
        found = {}
        for name in names:
            low, high = (self._end(name, order) for order in ("ASC", "DESC"))
            if low is not None and high is not None:
                found[name] = (low, high)
        return found

    def _end(self, name: str, order: str) -> float | None:
        """The first number of a field in this order that one of the datasets has; an index is walked until there is one."""
        if name in _NUMBERS:
            sql = f"""SELECT {name} FROM search_dataset WHERE pk IN (SELECT value FROM json_each(:hits))
                      ORDER BY {name} {order} LIMIT 1"""
        else:
            sql = f"""SELECT v.number FROM search_value v CROSS JOIN search_posting p ON p.value_id = v.id
                      WHERE v.field_id = (SELECT id FROM search_field WHERE name = :name) AND v.number IS NOT NULL
                        AND p.pk IN (SELECT value FROM json_each(:hits)) ORDER BY v.number {order} LIMIT 1"""
        row = self._conn.execute(sql, {"name": name, "hits": self._json}).fetchone()
        return None if row is None else float(row[0])

    def _column(self, name: str) -> list[tuple[str, int]]:
        if self._columns is None:
            self._columns = columns.Hits(self._hits)
        return self._columns.counts(self._conn, name, self._cache)

    def _kept(self, names: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
        if self._count > _FEW:
            return {name: self._column(name) for name in names}
        found: dict[str, list[tuple[str, int]]] = {}
        rows = self._conn.execute(
            """SELECT f.name, v.text, count(*) FROM json_each(?1) m CROSS JOIN search_dataset s ON s.pk = m.value
               CROSS JOIN json_each(s.facet_ids) j CROSS JOIN search_value v ON v.id = j.value
               CROSS JOIN search_field f ON f.id = v.field_id
               WHERE f.name IN (SELECT value FROM json_each(?2)) GROUP BY v.id""",
            (self._json, json.dumps(list(names))),
        )
        for name, text, count in rows:
            found.setdefault(name, []).append((text, count))
        return found

    def _measured(self, name: str) -> list[tuple[str, int]]:
        """Values of a metadata field. In a small catalogue SQL reads them all."""
        if (self._conn.execute("SELECT max(pk) FROM search_dataset").fetchone()[0] or 0) > _SMALL:
            return self._column(name)
        rows = self._conn.execute(
            """SELECT v.text, count(*) FROM search_value v CROSS JOIN search_posting p ON p.value_id = v.id
               WHERE v.field_id = (SELECT id FROM search_field WHERE name = ?)
                 AND p.pk IN (SELECT value FROM json_each(?)) GROUP BY v.id""",
            (name, self._json),
        )
        return [(row[0], row[1]) for row in rows]

    def _grouped(self, expression: str) -> list[tuple[str, int]]:
        sql = f"SELECT {expression}, count(*) FROM dataset d WHERE d.pk IN (SELECT value FROM json_each(?)) GROUP BY 1"
        return [(row[0], row[1]) for row in self._conn.execute(sql, (self._json,))]


def _items(conn: sqlite3.Connection, name: str, values: list[tuple[str, int]], limit: int, least: int) -> list[Item]:
    values = sorted((value for value in values if value[1] >= least), key=lambda value: (-value[1], value[0]))
    if limit >= 0:
        values = values[:limit]  # before the labels: there may be thousands of circles
    labels = _labels(conn, name, [text for text, _ in values])
    items = [Item(*labels.get(text, (text, text)), count) for text, count in values]
    return sorted(items, key=lambda item: (-item.count, item.name))


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
