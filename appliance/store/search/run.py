"""Running a search: one statement for the page, one for all hits when they have to be counted, facets over the hits.

What the viewer may see is a part of each statement. Lists start from a full-text match, from the rarest condition, or walk
an index in the order asked for; the indexes hold all columns that decide about visibility.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from appliance.model.viewer import Viewer
from appliance.store import visibility
from appliance.store.cache import Cache
from appliance.store.connections import Reader
from appliance.store.search.facets import Counter, Item
from appliance.store.search.limits import time_limit
from appliance.store.search.query import SearchQuery
from appliance.store.search.result import SearchResult
from appliance.store.search.textmatch import Match
from appliance.store.search.translate import Plan, plan

MANY = 2000  # hits from which they are ranked in tiers
_HEAD = "{name title tags collections}"
#: name, title, tags, collections, authors, notes, res_name, res_description, more. A hit in the name or title outweighs
#: dozens in the text (bm25 saturates), one in tags or collections a handful.
_BM25 = "bm25(search_text, 40, 40, 12, 12, 2, 1, 1, 1, 1)"
_MATCHING = "d.pk IN (SELECT rowid FROM search_text WHERE search_text MATCH {})"
_MATCHING_TEXT = _MATCHING.replace("d.pk", "+search_text.rowid")  # + keeps it from asking once for each row


def package_search(
    conn: sqlite3.Connection, query: SearchQuery, viewer: Viewer, cache: Cache | None = None
) -> SearchResult:
    """The datasets that `viewer` may see and `query` asks for.

    :param cache: where results are kept; not used on a connection in a transaction, which may see an older state.
    :raises Problem: 409 Search Error for a query that cannot be parsed or takes longer than `limits.TIME_LIMIT`.
    """
    if cache is None or conn.in_transaction or query.depends_on_now:
        return _Search(conn, query, viewer, cache).result()
    seen, own = visibility.condition(viewer)
    key = ("search", query, seen, tuple(sorted(own.items())))
    return cache.get(key, lambda: _Search(conn, query, viewer, cache).result())


class _Search:
    """One search on one connection."""

    def __init__(self, conn: sqlite3.Connection, query: SearchQuery, viewer: Viewer, cache: Cache | None) -> None:
        self.cursor = conn.cursor()
        self.cursor.row_factory = None
        self.conn = conn
        self.cache = cache
        self.query = query
        self.order = query.order()
        tree, filters = query.trees()
        self.plan: Plan = plan(tree, filters, datetime.now(UTC))
        where = [*self.plan.conditions, _states(query)]
        if not query.include_private:
            where.append("d.private = 0")
        self.where = [condition for condition in where if condition]
        self.seen, own = visibility.condition(viewer)
        self.seen_of_many, _ = visibility.condition(viewer, many=True)
        self.parameters = self.plan.parameters | own

    def result(self) -> SearchResult:
        """Count, page and facets."""
        query = self.query
        if self.plan.impossible:
            return SearchResult(0, [], [], query.sort, {name: [] for name in query.facet_fields})
        with time_limit(self.conn):
            count, hits, page = self._find()
            items, ranges = self._facets(count, hits)
        return SearchResult(count, [row[0] for row in page], [row[1] for row in page], query.sort, items, ranges)

    def _facets(self, count: int, hits: str) -> tuple[dict[str, list[Item]], dict[str, tuple[float, float]]]:
        query = self.query
        if not hits:
            return {name: [] for name in query.facet_fields}, {}
        counter = Counter(self.conn, hits, count, self.cache)
        items = counter.facets(query.facet_fields, limit=query.facet_limit, least=query.facet_mincount)
        return items, counter.ranges(query.range_fields)

    def _find(self) -> tuple[int, str, list[tuple[int, str]]]:
        """The number of hits, their row numbers with commas between (only if facets need them) and the page."""
        rows, start, hits = self.query.rows, self.query.start, ""
        if self.query.facet_fields or self.query.range_fields:
            hits = self._select("group_concat(d.pk)", *self._source(self._found_by()))[0][0] or ""
            count = hits.count(",") + 1 if hits else 0
        elif rows and not (self._found_by() and self._is_large()):
            page = self._ordered(self.plan.match, rows, start)
            if len(page) < rows and (page or start == 0):
                return start + len(page), "", page
            return self._count(self._found_by()), "", page
        else:
            count = self._count(self._found_by())
        return count, hits, self._page(count) if rows and start < count else []

    def _found_by(self) -> str | None:
        """The full-text expression that all hits match."""
        return self.plan.match.find if self.plan.match else None

    def _is_large(self) -> bool:
        """May there be so many hits that ranking them all is slow?"""
        return bool((self.cursor.execute("SELECT max(pk) FROM dataset").fetchone()[0] or 0) > MANY)

    def _source(self, find: str | None) -> tuple[str, list[str]]:
        """FROM and the first conditions of a statement about all hits."""
        if find is not None:
            self.parameters["match"] = find
            joined = "search_text CROSS JOIN dataset d INDEXED BY dataset_listing ON d.pk = search_text.rowid"
            return joined, ["search_text MATCH :match"]
        index = {"": "dataset_listing", "text": "dataset_listing", "circle": "dataset_circle"}.get(self.plan.start)
        return f"dataset d INDEXED BY {index}" if index else "dataset d", []

    def _select(self, what: str, source: str, where: list[str], tail: str = "") -> list[tuple[Any, ...]]:
        """Run a statement over what the viewer may see; without `tail` it is one over all hits."""
        conditions = " AND ".join([*where, *self.where, self.seen if tail else self.seen_of_many])
        sql = f"SELECT {what} FROM {source} WHERE {conditions} {tail}"
        if isinstance(self.conn, Reader):
            self.conn.begin(sql)
        return self.cursor.execute(sql, self.parameters).fetchall()

    def _count(self, find: str | None) -> int:
        return int(self._select("count(*)", *self._source(find))[0][0])

    def _page(self, count: int) -> list[tuple[int, str]]:
        """The datasets from `start` on, knowing that there are `count` hits."""
        rows, start = self.query.rows, self.query.start
        match = self.plan.match
        if count <= MANY or match is None:
            return self._ordered(match, rows, start)
        if self.order[0] != ("score", True):
            return self._ordered(match, rows, start, many=True)
        return self._by_tiers(_tiers(match), rows, start)

    def _by_tiers(self, tiers: list[Match], rows: int, start: int) -> list[tuple[int, str]]:
        """Among many hits: tier after tier, the first ranked by its words unless it is large itself, the others newest first."""
        page: list[tuple[int, str]] = []
        for number, tier in enumerate(tiers):
            ranked = number == 0 and not self._is_many(tier.find)
            found = (self._ordered if ranked else self._newest)(tier, rows - len(page), start)
            page += found
            if len(page) >= rows:
                break
            if start:
                start = 0 if found else max(0, start - self._count(tier.find))
        return page

    def _newest(self, match: Match, rows: int, start: int) -> list[tuple[int, str]]:
        """A page in reverse order of creation, which the full-text index has by itself: it stops when the page is full."""
        source, where = self._source(match.find)
        self.parameters |= {"rows": rows, "start": start}
        return self._select("d.pk, d.id", source, where, "ORDER BY search_text.rowid DESC LIMIT :rows OFFSET :start")

    def _is_many(self, find: str) -> bool:
        sql = "SELECT count(*) FROM (SELECT 1 FROM search_text WHERE search_text MATCH ? LIMIT ?)"
        return bool(self.cursor.execute(sql, (find, MANY + 1)).fetchone()[0] > MANY)

    def _ordered(self, match: Match | None, rows: int, start: int, *, many: bool = False) -> list[tuple[int, str]]:
        """A page in the order asked for. `many`: too many match to be ranked or sorted, walk an index in order instead."""
        ranking = self._ranking(match, many=many)
        order, joined = [], ""
        for expression, descending in self.order:
            if expression != "score":
                order.append(f"{expression} {'DESC' if descending else 'ASC'}")
                joined = joined or (" CROSS JOIN search_dataset s ON s.pk = d.pk" if expression[:2] == "s." else "")
            elif ranking is not None:  # bm25 is the smaller the better
                order.append(f"{_BM25} {'ASC' if descending else 'DESC'}")
        order += [last for last in ("d.modified DESC", "d.pk DESC") if not any(last[:-5] in done for done in order)]
        where: list[str] = []
        walk = _walk(order[0]) if (match is None and not self.plan.start) or many else None
        if walk is not None:
            source = walk
        else:
            source, where = self._source(ranking or (match.find if match else None))
            source += joined
            if self.plan.start == "row":  # sort what is found, do not look for it in order
                order = [f"+{part}" for part in order]
        if match is not None and (walk is not None or (ranking is not None and match.strict)):
            where.append((_MATCHING_TEXT if ranking else _MATCHING).format(":filter"))
            self.parameters["filter"] = match.find
        self.parameters |= {"rows": rows, "start": start}
        return self._select("d.pk, d.id", source, where, f"ORDER BY {', '.join(order)} LIMIT :rows OFFSET :start")

    def _ranking(self, match: Match | None, *, many: bool) -> str | None:
        """The full-text expression to rank by, if the score is asked for."""
        if many or all(expression != "score" for expression, _ in self.order):
            return None
        return match.rank if match is not None else self.plan.leaves


def _tiers(match: Match) -> list[Match]:
    """All words in the name, title, tags or collection; all words; the rest."""
    best = match.strict or match
    head = Match(f"{_HEAD} : ({best.find})", f"{_HEAD} : ({best.rank})")
    tiers = [head, Match(f"({best.find}) NOT ({head.find})", "")]
    return [*tiers, Match(f"({match.find}) NOT ({best.find})", "")] if match.strict else tiers


def _walk(first: str) -> str | None:
    """A source in the order of `first`, so that only the page has to be looked at; None if no index has that order."""
    expression = first.split()[0]
    if expression in ("d.modified", "d.created"):
        return f"dataset d INDEXED BY dataset_{expression[2:]}"
    if expression == "d.name":
        return "dataset d INDEXED BY dataset_name_all"
    if expression == "s.title_key":
        return "search_dataset s INDEXED BY search_dataset_title CROSS JOIN dataset d ON d.pk = s.pk"
    return None


def _states(query: SearchQuery) -> str:
    """Only active datasets, unless a filter names ``+state`` or drafts and deleted ones are asked for."""
    if any("+state" in one for one in query.fq):
        return ""
    states = ["active"] + ["draft"] * query.include_drafts + ["deleted"] * query.include_deleted
    return f"d.state IN ({', '.join(repr(state) for state in states)})" if len(states) > 1 else "d.state = 'active'"
