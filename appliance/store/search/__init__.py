"""Searching the catalogue: the query language, its translation to SQL, the index and facets."""

from __future__ import annotations

from appliance.store.search.query import SearchQuery
from appliance.store.search.resources import resource_search
from appliance.store.search.result import SearchResult
from appliance.store.search.run import package_search

__all__ = ["SearchQuery", "SearchResult", "package_search", "resource_search"]
