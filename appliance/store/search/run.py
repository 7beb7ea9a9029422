"""Running a search: one statement for the page, one for all hits when they have to be counted, facets over the hits.

What the viewer may see is a part of each statement. Lists start from a full-text match, from the rarest condition, or walk
an index in the order asked for; the indexes hold all that decides about visibility.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from appliance.model.viewer import Viewer
from appliance.store import visibility
from appliance.store.search import facets
from appliance.store.search.errors import search_error
from appliance.store.search.facets import Item
from appliance.store.search.query import SearchQuery
from appliance.store.search.translate import FALSE, Plan, Translator

TIME_LIMIT = 5.0  # s for all statements of a search
_STEPS = 10_000  # virtual machine steps between two looks at the clock
_MANY = 5000  # hits from which words in the name, title, tags or collection rank alone first
_HEAD = "{name title tags collections}"
#: name, title, tags, collections, authors, notes, res_name, res_description, more. A hit in the name or title outweighs
#: dozens in the text (bm25 saturates), one in tags or collections a handful.
_BM25 = "bm25(search_text, 40, 40, 12, 12, 2, 1, 1, 1, 1)"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search has found.

    :ivar count: datasets found, of which the caller sees a page.
    :ivar pks: row numbers of the page's datasets in order; `ids` their ids.
    :ivar sort: the order as asked for.
    :ivar items: values of each facet asked for, most frequent first.
    :ivar ranges: lowest and highest number of each range field asked for that has numbers.
    """

    count: int
    pks: list[int]
    ids: list[str]
    sort: str
    items: dict[str, list[Item]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """CKAN's ``facets``: counts by value by field."""
        return {name: {item.name: item.count for item in items} for name, items in self.items.items()}

    @property
    def search_facets(self) -> dict[str, dict[str, Any]]:
        """CKAN's ``search_facets``: the same with titles."""
        return {
            name: {
                "title": name,
                "items": [
                    {"name": item.name, "display_name": item.display_name, "count": item.count} for item in items
                ],
            }
            for name, items in self.items.items()
        }


class ResultCache:
    """Results of the last searches, valid until anybody commits to the database.

    :param generation: `Database.generation`. Use one cache a database, with connections that are not in a transaction.
    """

    def __init__(self, generation: Callable[[], int], size: int = 512) -> None:
        self._generation = generation
        self._size = size
        self._lock = threading.Lock()
        self._current = -1
        self._results: OrderedDict[Any, SearchResult] = OrderedDict()

    def look_up(self, key: Any) -> tuple[int, SearchResult | None]:
        """The present generation and what is known under `key`. Call it before reading: an older state must not be kept."""
        generation = self._generation()
        with self._lock:
            if generation != self._current:
                self._results.clear()
                self._current = generation
            found = self._results.get(key)
            if found is not None:
                self._results.move_to_end(key)
            return generation, found

    def keep(self, generation: int, key: Any, result: SearchResult) -> None:
        """Remember what was read at or after `generation`."""
        with self._lock:
            if generation == self._current:
                self._results[key] = result
                if len(self._results) > self._size:
                    self._results.popitem(last=False)


def package_search(
    conn: sqlite3.Connection, query: SearchQuery, viewer: Viewer, cache: ResultCache | None = None
) -> SearchResult:
    """The datasets that `viewer` may see and `query` asks for.

    :raises Problem: 409 Search Error for a query that cannot be parsed or takes longer than TIME_LIMIT.
    """
    seen, own = visibility.condition(viewer)
    if cache is None or conn.in_transaction or any("NOW" in text for text in (query.q, *query.fq)):
        return _Search(conn, query, seen, own).result()
    key = (query, seen, tuple(sorted(own.items())))
    generation, result = cache.look_up(key)
    if result is None:
        result = _Search(conn, query, seen, own).result()
        cache.keep(generation, key, result)
    return result


@contextmanager
def time_limit(conn: sqlite3.Connection, seconds: float = TIME_LIMIT) -> Iterator[None]:
    """Interrupt statements on `conn` that run past the limit: Problem 409 Search Error."""
    end = time.monotonic() + seconds
    conn.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "interrupted" in text:
            raise search_error(
                f"The search took longer than {seconds:g} s and was stopped; ask for something narrower."
            ) from error
        if "fts5" in text or "too large" in text or "too deep" in text or "too many" in text or "overflow" in text:
            raise search_error("The query is too complicated.") from error
        raise
    finally:
        conn.set_progress_handler(None, 0)


class _Search:
    """One search on one connection."""

    def __init__(self, conn: sqlite3.Connection, query: SearchQuery, seen: str, own: dict[str, Any]) -> None:
        self.cursor = conn.cursor()
        self.cursor.row_factory = None
        self.conn = conn
        self.query = query
        tree, filters = query.trees()
        self.plan: Plan = Translator(datetime.now(UTC)).plan(tree, filters)
        where = [_states(query), *self.plan.conditions]
        if not query.include_private:
            where.insert(0, "d.private = 0")
        if seen != "1":
            where.append(seen)
        self.where = [condition for condition in where if condition]
        self.parameters = self.plan.parameters | own

    def result(self) -> SearchResult:
        """Count, page and facets."""
        query = self.query
        if FALSE in self.plan.conditions:
            return SearchResult(0, [], [], query.sort, {name: [] for name in query.facet_fields})
        with time_limit(self.conn):
            count, hits, page = self._find()
            items, ranges = self._facets(count, hits)
        return SearchResult(count, [row[0] for row in page], [row[1] for row in page], query.sort, items, ranges)

    def _facets(self, count: int, hits: str) -> tuple[dict[str, list[Item]], dict[str, tuple[float, float]]]:
        query = self.query
        if not query.facet_fields and not query.range_fields:
            return {}, {}
        items = facets.of_hits(
            self.conn, hits, count, query.facet_fields, limit=query.facet_limit, least=query.facet_mincount
        )
        return items, facets.ranges_of(self.conn, hits, query.range_fields)

    def _find(self) -> tuple[int, str, list[tuple[int, str]]]:
        """The number of hits, their row numbers with commas between (only if facets need them) and the page."""
        rows, start = self.query.rows, self.query.start
        if self.query.facet_fields or self.query.range_fields:
            hits = self._hits()
            count = hits.count(",") + 1 if hits else 0
            return count, hits, self._page(count) if rows and start < count else []
        if rows and not (self._by_score() and self._is_large()):
            page = self._page(0)
            if len(page) < rows and (page or start == 0):
                return start + len(page), "", page
            return self._count(), "", page
        count = self._count()
        return count, "", self._page(count) if rows and start < count else []

    def _by_score(self) -> bool:
        return self.plan.ranking is not None and self.query.order()[0][0] == "score"

    def _is_large(self) -> bool:
        """May there be so many hits that ranking them all is slow?"""
        return bool((self.cursor.execute("SELECT max(pk) FROM dataset").fetchone()[0] or 0) > _MANY)

    def _source(self, match: str | None) -> tuple[str, list[str]]:
        """FROM and the first conditions of a statement about all hits."""
        if match is not None:
            self.parameters["match"] = match
            return "search_text CROSS JOIN dataset d INDEXED BY dataset_listing ON d.pk = search_text.rowid", [
                "search_text MATCH :match"
            ]
        index = {"": " INDEXED BY dataset_listing", "circle": " INDEXED BY dataset_circle"}.get(self.plan.start, "")
        return f"dataset d{index}", []

    def _select(self, what: str, source: str, where: list[str], tail: str = "") -> list[tuple[Any, ...]]:
        sql = f"SELECT {what} FROM {source} WHERE {' AND '.join([*where, *self.where]) or '1'} {tail}"
        return self.cursor.execute(sql, self.parameters).fetchall()

    def _count(self) -> int:
        return int(self._select("count(*)", *self._source(self.plan.match))[0][0])

    def _hits(self) -> str:
        return self._select("group_concat(d.pk)", *self._source(self.plan.match))[0][0] or ""

    def _page(self, count: int) -> list[tuple[int, str]]:
        """The datasets from `start` on; `count` is 0 or the number of hits."""
        rows, start = self.query.rows, self.query.start
        if count > _MANY and self._by_score() and self.plan.match is not None and not self.plan.loose:
            return self._page_by_place(rows, start)
        return self._ordered(
            self.plan.ranking if self._by_score() else self.plan.match,
            self.plan.match,
            rows,
            start,
            loose=self.plan.loose and self._by_score(),
        )

    def _page_by_place(self, rows: int, start: int) -> list[tuple[int, str]]:
        """Among many hits: first those with all words in name, title, tags or collection, then the others."""
        head, ranking = f"{_HEAD} : ({self.plan.match})", f"{_HEAD} : ({self.plan.ranking})"
        page = self._ordered(ranking, head, rows, start)
        if len(page) < rows:
            before = (
                start + len(page) if page or not start else int(self._select("count(*)", *self._source(head))[0][0])
            )
            page += self._ordered(f"({self.plan.ranking}) NOT ({head})", None, rows - len(page), max(0, start - before))
        return page

    def _ordered(
        self, ranking: str | None, match: str | None, rows: int, start: int, *, loose: bool = False
    ) -> list[tuple[int, str]]:
        """A page in the order asked for; with `loose`, `ranking` finds more than `match`, which then is a filter."""
        order, joined = [], ""
        for expression, descending in self.query.order():
            if expression == "score":
                if ranking is not None:  # bm25 is the smaller the better
                    order.append(_BM25 + (" ASC" if descending else " DESC"))
                continue
            if expression.startswith("s."):
                joined = " CROSS JOIN search_dataset s ON s.pk = d.pk"
            order.append(f"{expression} {'DESC' if descending else 'ASC'}")
        walk = _walk(order, self.plan) if ranking is None else None
        where: list[str] = []
        if walk is not None:
            source = walk
        else:
            source, where = self._source(ranking)
            source += joined
            if self.plan.start == "row":
                order = [f"+{part}" if part.startswith("d.") else part for part in order]
        if loose and match is not None:
            where.append("d.pk IN (SELECT rowid FROM search_text WHERE search_text MATCH :filter)")
            self.parameters["filter"] = match
        for part in ("d.modified DESC", "d.pk DESC"):
            if not any(part[:-5] in done for done in order):
                order.append(f"+{part}" if self.plan.start == "row" else part)
        self.parameters |= {"rows": rows, "start": start}
        found = self._select("d.pk, d.id", source, where, f"ORDER BY {', '.join(order)} LIMIT :rows OFFSET :start")
        return [(row[0], row[1]) for row in found]


def _walk(order: list[str], plan: Plan) -> str | None:
    """A source that is in the order asked for, so that only the page has to be looked at; None when starting elsewhere is better."""
    first = order[0].split()[0] if order else "d.modified"
    if plan.start or plan.match is not None:
        return None
    if first in ("d.modified", "d.created"):
        return f"dataset d INDEXED BY dataset_{first[2:]}"
    if first == "d.name":
        return "dataset d INDEXED BY dataset_name_all"
    if first == "s.title_key":
        return "search_dataset s INDEXED BY search_dataset_title CROSS JOIN dataset d ON d.pk = s.pk"
    return None


def _states(query: SearchQuery) -> str:
    """Only active datasets, unless a filter speaks of ``+state`` or drafts and deleted ones are asked for."""
    if any("+state" in one for one in query.fq):
        return ""
    states = ["active"] + ["draft"] * query.include_drafts + ["deleted"] * query.include_deleted
    return f"d.state IN ({', '.join(repr(state) for state in states)})" if len(states) > 1 else "d.state = 'active'"
