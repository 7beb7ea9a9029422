"""Every route says which rule of `security.policy` admits to it; routes that say nothing are refused (and a test finds them).

Rules about the site (``site:user``, ``dataset:create`` …) are asked before the view runs. Rules about one object need that
object: the view looks it up and asks with `require_object`. A view that declares such a rule and returns without having asked is
a mistake in the code, so it ends in an error instead of an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g

from appliance.model.viewer import CommunityFacts, DatasetFacts, Viewer
from appliance.security import policy

P = ParamSpec("P")
R = TypeVar("R")


def allow(rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Admit a request to the view below only by `rule`. Raises Problem 403, which becomes the log-in page for strangers."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        """The view behind its rule."""

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            """Ask the rule, or check afterwards that the view has asked it."""
            g.admitted_by = rule if rule in policy.SITE_RULES else "site:read"
            policy.require(g.viewer, g.admitted_by)
            if rule in policy.SITE_RULES:
                return view(*args, **kwargs)
            g.pending_rule = rule
            answer = view(*args, **kwargs)
            if g.pending_rule is not None:
                raise RuntimeError(f"{view.__name__} declares the rule {rule} and never asked it")
            return answer

        guarded.rule = rule  # type: ignore[attr-defined]
        return guarded

    return decorate


def require_object(facts: DatasetFacts | CommunityFacts | str) -> None:
    """Ask the rule that the current route declares about one object. Raises Problem 403."""
    rule: str | None = g.pending_rule
    if rule is not None:
        policy.require(g.viewer, rule, facts)
        g.pending_rule = None


def may(rule: str, facts: DatasetFacts | CommunityFacts | str | None = None) -> bool:
    """May the current viewer do `rule`? For buttons that are shown only where they work."""
    viewer: Viewer = g.viewer
    return policy.may(viewer, rule, facts)
