"""Administration of the OpenID provider: check its configuration, link existing accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.actions import directory_accounts, lookup, provider_login
from appliance.actions.site import Site
from appliance.model.directory import Person
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import Viewer
from appliance.security import oidc, policy, secrets
from appliance.security.https_json import ServerAway
from appliance.store import alarms, communities


@dataclass(frozen=True, slots=True)
class Line:
    """One finding."""

    good: bool
    text: str


def check(site: Site) -> Iterator[Line]:
    """Check whether the provider can be used, in sentences."""
    settings = site.settings.oidc
    if not settings.issuer:
        yield Line(False, "No provider is set up: dcor config set oidc.issuer https://sso.hospital.example")
        return
    try:
        provider = provider_login.provider(site.settings)
        metadata = provider.metadata()
        yield Line(True, f"{settings.issuer} answers, with this issuer.")
        yield Line(True, f"It publishes {provider.number_of_keys()} keys for signatures.")
    except Problem as problem:
        yield Line(False, str(problem))
        return
    yield from _client(site, list(metadata.get("code_challenge_methods_supported") or []))
    yield from _trial(site, provider)
    yield Line(True, f"To be registered there: redirect URI {provider_login.redirect_uri(site.settings)}")
    yield Line(True, f"To be registered there: post-logout URI {site.settings.site_url}/user/login")
    yield Line(
        True, f"To be registered there: back-channel logout URI {site.settings.site_url}/user/logout/backchannel"
    )
    yield from _groups(site)


def _client(site: Site, methods: list[str]) -> Iterator[Line]:
    settings = site.settings.oidc
    secret = bool(provider_login.client_secret(site.settings))
    if not settings.client_id:
        yield Line(False, "This server has no client ID there: dcor config set oidc.client_id dcor")
    if secret:
        yield Line(True, f"A secret is stored for '{settings.client_id}'.")
    else:
        yield Line(False, f"No secret is stored for '{settings.client_id}' at this issuer: sudo dcor oidc secret")
    if methods and "S256" not in methods:
        yield Line(False, "It does not say that it supports PKCE with S256.")


def _trial(site: Site, provider: oidc.Provider) -> Iterator[Line]:
    """Request tokens with an invalid code: a provider that accepts the client and its secret refuses only the code."""
    if not site.settings.oidc.client_id or not provider_login.client_secret(site.settings):
        return
    name = site.settings.oidc.client_id
    try:
        flow = oidc.new_flow()
        provider.exchange(flow, flow.verifier, provider_login.redirect_uri(site.settings))
    except oidc.Refused as refusal:
        if refusal.error == "invalid_grant":
            yield Line(True, f"It accepts '{name}' with this secret.")
        else:
            yield Line(False, f"It should refuse only a made-up code (invalid_grant). {refusal}")
    except ServerAway as problem:
        yield Line(False, str(problem))
    else:
        yield Line(False, "It gives tokens for a made-up code, so it proves nobody.")


def _groups(site: Site) -> Iterator[Line]:
    try:
        rules = provider_login.rules(site.settings.oidc)
    except Problem as problem:
        yield Line(False, str(problem))
        return
    if not rules.named and not rules.users:
        yield Line(False, "Nobody may sign in: set oidc.circles, oidc.administrators or oidc.users.")
    with site.db.read() as conn:
        for name in sorted({circle for _group, circle, _role in rules.circles}):
            if communities.find(conn, name, "circle") is None:
                yield Line(
                    False, f"oidc.circles names the circle {name}, which does not exist: dcor circle create {name}"
                )


def set_secret(site: Site, secret: str) -> None:
    """Store the client's secret, readable by the service alone, with issuer and client. Raises Problem 409."""
    if not site.settings.oidc.issuer or not site.settings.oidc.client_id:
        raise invalid(message="Set oidc.issuer and oidc.client_id first: the secret belongs to them.")
    secrets.write_owned(site.settings.secrets / oidc.SECRET, secret, provider_login.secret_owner(site.settings.oidc))


def link(site: Site, viewer: Viewer, ref: str, subject: str) -> None:
    """Link the account `ref` to the provider's `subject`; its password is removed, everything else stays. Raises Problem 403, 404, 409."""
    policy.require(viewer, "user:link")
    issuer = site.settings.oidc.issuer
    if not issuer or not 0 < len(subject) <= 255:
        raise invalid(message="A provider (oidc.issuer) and the subject that the alarm names are needed.")
    with site.db.write() as tx:
        row = lookup.user(tx, ref)
        person = Person(subject=subject, login=row["name"], dn=subject, fullname="", email="")
        directory_accounts.link(tx, viewer, row, person, issuer=issuer)
        alarms.resolve_for(tx, directory_accounts.ALARM, subject)
