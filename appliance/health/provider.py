"""The OpenID provider at which people sign in."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.actions import provider_links
from appliance.actions.site import Site
from appliance.health.base import Finding, Level, Premises, check
from appliance.model.messages import Message


@check("provider", "the OpenID provider answers, and what it needs is set up")
def provider(premises: Premises) -> Iterator[Finding]:
    """Can people sign in there?"""
    if not premises.settings.oidc.issuer:
        yield Finding("provider", Level.OK, Message("none is set up"))
        return
    lines = list(provider_links.check(Site(premises.settings, premises.db, premises.depot)))
    for line in lines:
        if not line.good:
            yield Finding(
                "provider",
                Level.PROBLEM,
                line.text,
                Message("People from the institution cannot sign in."),
                "sudo dcor oidc check",
            )
    if all(line.good for line in lines):
        yield Finding("provider", Level.OK, lines[0].text)
