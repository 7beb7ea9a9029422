"""Which handler answers which address. A route declares the rule under which it may be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.model.problem import Problem
from appliance.web.http import Request, Response

if TYPE_CHECKING:
    from appliance.web.context import Context

Handler = Callable[["Context", Request, "re.Match[str]"], Response]

#: A resource's or dataset's id in an address.
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Route:
    """An address (whole path, percent-decoded), its methods, and the rule that `security.policy` checks for it.

    :ivar last: takes only requests without a body, at addresses that no other route has, and forbids no method there.
    """

    methods: frozenset[str]
    pattern: re.Pattern[str]
    rule: str
    handler: Handler
    last: bool = False


def route(methods: str | Iterable[str], pattern: str, rule: str, handler: Handler, *, last: bool = False) -> Route:
    """A Route from words: ``route("GET POST", rf"/dataset/(?P<id>{UUID})", "dataset:read", show)``."""
    names = methods.split() if isinstance(methods, str) else methods
    return Route(frozenset(names), re.compile(pattern), rule, handler, last)


def find(routes: Sequence[Route], request: Request) -> tuple[Route, re.Match[str]] | None:
    """The first route for `request` (HEAD is served by GET), None when no route has its address.

    Raises Problem 405 when the address exists, but not for this method.
    """
    method = "GET" if request.method == "HEAD" else request.method
    allowed: set[str] = set()
    for candidate in routes:
        if candidate.last and (allowed or request.body.length != 0 or method not in candidate.methods):
            continue
        match = candidate.pattern.fullmatch(request.path)
        if match is None:
            continue
        if method in candidate.methods:
            return candidate, match
        allowed |= candidate.methods
    if allowed:
        raise Problem(
            405, "Method Not Allowed", {"allow": sorted(allowed)}, message="This address does not know that method."
        )
    return None
