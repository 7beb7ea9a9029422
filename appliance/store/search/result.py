"""What a search has found."""

from __future__ import annotations

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
