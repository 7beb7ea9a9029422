"""Routing: the handler of each address, and the rule that is checked before the handler runs.

Rules about the site are checked before the handler. Rules about one object need that object: the handler looks it up and calls
`security.policy`. The response of a handler that has not done so is withheld.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.model.messages import Message
from appliance.model.problem import Problem, not_authorized, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import write_guard
from appliance.web import authentication
from appliance.web.http import Request, Response

if TYPE_CHECKING:
    from appliance.web.context import Context

Handler = Callable[["Context", Request, "re.Match[str]"], Response]
#: Authenticates a request; the last argument says whether it is a change. Raises Problem 403.
Identify = Callable[["Context", Request, bool], Viewer]

#: A resource's or dataset's id in an address.
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Route:
    """An address (whole path, percent-decoded), its methods, and the rule that admits to it.

    The rule says which right is needed and, with `policy.changes`, which scope of a credential.

    :ivar rule: "open" leaves all questions to the handler; a test lists the handlers that may have it.
    :ivar last: takes only addresses that no other route has.
    :ivar identify: finds the caller: by token or session, or by what the address itself carries.
    :ivar hidden: whoever is not admitted is told that there is nothing.
    :ivar asks_again: the handler takes a file and asks its rule again, of `request.viewer`, when the file has arrived. Of all
        others, a request is refused whose sender has lost any right while its body arrived.
    """

    methods: frozenset[str]
    pattern: re.Pattern[str]
    rule: str
    handler: Handler
    last: bool = False
    identify: Identify = authentication.viewer
    hidden: bool = False
    asks_again: bool = False

    def answer(self, context: Context, request: Request, match: re.Match[str]) -> Response:
        """Check the rule and call the handler; `request.viewer` is the caller.

        Raises Problem 403 or 404, RuntimeError when the handler answers about an object without having asked the rule.
        """
        try:
            return self._answer(context, request, match)
        finally:
            write_guard.use(None)  # the thread's next request has another sender

    def _answer(self, context: Context, request: Request, match: re.Match[str]) -> Response:
        if self.rule == "open":
            return self.handler(context, request, match)
        request.viewer = self.identify(context, request, policy.changes(self.rule))
        try:
            policy.admit(request.viewer, self.rule)
        except Problem as problem:
            if self.hidden:
                raise not_found(Message("There is no such file, or you have no access to it.")) from problem
            raise
        ended = request.body.ended
        with policy.recorded() as granted:
            request.body.ended = lambda: self._renew(context, request, granted)
            try:
                response = self.handler(context, request, match)
            finally:
                request.body.ended = ended  # bytes drained by the gateway afterwards do not count
        if self.rule not in policy.SITE_RULES and self.rule not in granted:
            response.close()
            raise RuntimeError(f"{self.handler.__name__} declares the rule {self.rule} and never asked it")
        return response

    def _renew(self, context: Context, request: Request, granted: set[str]) -> None:
        """Authenticate again after a streamed body, which may take hours: roles or the credential may have ended. Raises Problem
        403.

        Earlier grants no longer count: the handler has to check (again) after the body.
        """
        before, request.viewer = request.viewer, self.identify(context, request, policy.changes(self.rule))
        policy.admit(request.viewer, self.rule)
        if not self.asks_again and not request.viewer.includes(before):
            raise not_authorized("Your rights have changed while this request arrived. Send it again.")
        granted.clear()


def route(
    methods: str | Iterable[str],
    pattern: str,
    rule: str,
    handler: Handler,
    *,
    last: bool = False,
    identify: Identify = authentication.viewer,
    hidden: bool = False,
    asks_again: bool = False,
) -> Route:
    """Shorthand for a Route: ``route("GET POST", rf"/dataset/(?P<id>{UUID})", "dataset:read", show)``."""
    names = methods.split() if isinstance(methods, str) else methods
    return Route(frozenset(names), re.compile(pattern), rule, handler, last, identify, hidden, asks_again)


def find(routes: Sequence[Route], request: Request) -> tuple[Route, re.Match[str]] | None:
    """The first route that matches `request` (HEAD is served by GET), None when no route has its address.

    Raises Problem 405 when the address exists, but not for this method.
    """
    method = "GET" if request.method == "HEAD" else request.method
    allowed: set[str] = set()
    for candidate in routes:
        if candidate.last and allowed:
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
