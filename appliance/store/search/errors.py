"""What a search answers when it cannot be run, in upstream's words."""

from __future__ import annotations

from appliance.model.messages import Message
from appliance.model.problem import Problem


class SearchProblem(Problem):
    """A search that cannot be run. :ivar reason: why, without what upstream puts around it."""

    def __init__(self, status: int, kind: str, prefix: str, reason: str) -> None:
        super().__init__(status, kind, message=f"{prefix}: {str.__repr__(reason)}")
        self.reason = reason


def query_error(reason: str) -> Problem:
    """400: a parameter that no search has."""
    return SearchProblem(400, "Search Query Error", "Search Query is invalid", reason)


def search_error(reason: str) -> Problem:
    """409: the query cannot be understood or takes too much."""
    return SearchProblem(409, "Search Error", "Search error", reason)


def syntax_error(query: str, position: int, reason: str) -> Problem:
    """409: the query ends too early or has an error at `position` (characters from its start, 0-based)."""
    shown = query if len(query) <= 200 else query[:200] + "…"
    return search_error(
        Message(
            "Cannot parse '%(shown)s': %(reason)s at position %(position)s.",
            shown=shown,
            reason=reason,
            position=position,
        )
    )
