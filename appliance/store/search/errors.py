"""What a search answers when it cannot be run, in upstream's words."""

from __future__ import annotations

from appliance.model.problem import Problem


def query_error(reason: str) -> Problem:
    """400: a parameter that no search has."""
    return Problem(400, "Search Query Error", message=f"Search Query is invalid: {reason!r}")


def search_error(reason: str) -> Problem:
    """409: the query cannot be understood or takes too much."""
    return Problem(409, "Search Error", message=f"Search error: {reason!r}")


def syntax_error(query: str, position: int, reason: str) -> Problem:
    """409: the query ends too early or has an error at `position` (characters from its start, 0-based)."""
    shown = query if len(query) <= 200 else query[:200] + "…"
    return search_error(f"Cannot parse '{shown}': {reason} at position {position}.")
