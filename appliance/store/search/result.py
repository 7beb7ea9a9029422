"""What a search has found, and a memory for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from appliance.store.search.facets import Item


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
                "items": [{"name": one.name, "display_name": one.display_name, "count": one.count} for one in items],
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
