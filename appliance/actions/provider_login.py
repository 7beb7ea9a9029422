"""Signing in at the institution's OpenID provider, and evaluating its claims."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from dataclasses import dataclass
from typing import Any

from appliance.actions import directory_accounts, login
from appliance.actions.site import Site
from appliance.model.directory import EVERYBODY, Grants, Group, GroupRules, Person, group_rules
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.security import oidc, sealing, secrets
from appliance.security.https_json import ServerAway
from appliance.settings import Settings
from appliance.signon_settings import Oidc
from appliance.store import alarms, audit, identities, provider_sessions, users

#: File in `secrets/` with the key that encrypts refresh tokens.
KEY = "oidc.key"
#: Kind of the alarm for a provider that sends no groups.
GROUPS = "provider groups"
CALLBACK = "/user/login/oidc/callback"
_MOST_GROUPS = 5000
_providers: dict[tuple[Oidc, str], oidc.Provider] = {}


@dataclass(frozen=True, slots=True)
class Returned:
    """The parameters with which the browser returned from the provider."""

    state: str
    code: str
    issuer: str = ""
    error: str = ""


def provider(settings: Settings) -> oidc.Provider:
    """The configured provider, cached with its metadata. Raises Problem 503."""
    key = (settings.oidc, client_secret(settings))
    found = _providers.get(key)
    if found is None:
        _providers.clear()  # the settings have changed
        found = _providers[key] = oidc.Provider(*key)
    return found


def client_secret(settings: Settings) -> str:
    """The secret of this client at this issuer; "" if none is stored for them. Raises ServerAway."""
    file = settings.secrets / oidc.SECRET
    try:
        return secrets.read_owned(file, secret_owner(settings.oidc))
    except OSError as error:
        raise ServerAway(f"{file} cannot be read: {error.strerror}") from error


def secret_owner(settings: Oidc) -> list[str]:
    """Issuer and client, to which the secret belongs: a changed issuer must not receive the old secret."""
    return [settings.issuer, settings.client_id]


def redirect_uri(settings: Settings) -> str:
    """The URL to which the provider redirects the browser."""
    return f"{settings.site_url}{CALLBACK}"


def begin(site: Site) -> tuple[oidc.Flow, str]:
    """Start an attempt; returns it and the URL for the browser. Raises Problem 503."""
    flow = oidc.new_flow()
    return flow, provider(site.settings).address(flow, redirect_uri(site.settings))


def finish(site: Site, flow: oidc.Flow | None, returned: Returned, *, address: str = "", agent: str = "") -> str:
    """Start a session for a user returning from the provider; returns the cookie's value.

    :param flow: this browser's attempt, None without one.
    :raises oidc.Refused: 403, the response does not belong to this browser's attempt, or proves nothing.
    :raises NotAdmitted: 403, they may not sign in here. :raises ServerAway: 503.
    """
    viewer = Viewer(address=address)
    try:
        tokens = _exchanged(site, flow, returned)
        person, grants = described(site.settings.oidc, tokens.claims)
    except oidc.Refused as refusal:
        with site.db.write() as tx:
            audit.add(
                tx, viewer, "session.refused", "user", "", provider=site.settings.oidc.issuer, reason=str(refusal)
            )
        raise
    try:
        with site.db.write() as tx:
            _require_unused(tx, flow)
            _note_groups(tx, site.settings.oidc, tokens.claims)
            user_id = directory_accounts.admit(
                tx, Viewer(name=person.login, address=address), person, grants, issuer=site.settings.oidc.issuer
            )
            alarms.resolve_for(tx, directory_accounts.ALARM, person.subject)
            return _start(site, tx, user_id, tokens, address=address, agent=agent)
    except directory_accounts.NotAdmitted as refusal:
        with site.db.write() as tx:
            audit.add(tx, viewer, "session.refused", "user", "", provider=person.login, reason=str(refusal))
            _note_groups(tx, site.settings.oidc, tokens.claims)
            known = identities.find(tx, site.settings.oidc.issuer, person.subject)
            if known is not None:  # the current claims replace earlier ones
                directory_accounts.bring_in_step(tx, known, person, grants)
            if refusal.alarm:
                alarms.raise_(tx, directory_accounts.ALARM, person.subject, str(refusal))
        raise


def described(settings: Oidc, claims: dict[str, Any]) -> tuple[Person, Grants]:
    """The person described by the claims, and what their groups grant. Raises oidc.Refused, ServerAway for invalid settings."""
    subject = str(claims["sub"])
    proven = claims.get("email_verified", settings.email_trusted)
    email = _text(claims, settings.email_claim) if proven in (True, "true") else ""
    person = Person(
        subject=subject,
        login=_text(claims, settings.login_claim) or email,
        dn=subject,
        fullname=_text(claims, settings.name_claim),
        email=email,
    )
    if not person.login:
        raise oidc.Refused(f"The provider sends no claim '{settings.login_claim}' (oidc.login_claim).")
    return person, rules(settings).grants(_groups(settings, claims))


def rules(settings: Oidc) -> GroupRules:
    """The parsed group rules. Raises ServerAway for an invalid setting, which the user cannot fix."""
    try:
        return group_rules("oidc", settings.circles, settings.administrators, settings.users)
    except Problem as problem:
        raise ServerAway(str(problem)) from problem


def seal(settings: Settings, session_id: str, token: str) -> bytes | None:
    """A refresh token encrypted for the database; None for none."""
    if not token:
        return None
    return sealing.seal(settings.secrets / KEY, token.encode(), session_id)


def unseal(settings: Settings, session_id: str, sealed: bytes) -> str:
    """Decrypt what `seal` returned; "" with a different key: the session then ends as unconfirmed."""
    return (sealing.unseal(settings.secrets / KEY, sealed, session_id) or b"").decode()


def _exchanged(site: Site, flow: oidc.Flow | None, returned: Returned) -> oidc.Tokens:
    """The tokens for the browser's response. Raises oidc.Refused, ServerAway."""
    if flow is None or not hmac.compare_digest(flow.state.encode(), returned.state.encode("utf-8", "replace")):
        raise oidc.Refused("The response belongs to no sign-in attempt of this browser (state).")
    asked = provider(site.settings)
    told = returned.issuer or not asked.metadata().get("authorization_response_iss_parameter_supported")
    if not told or (returned.issuer and returned.issuer != site.settings.oidc.issuer):
        raise oidc.Refused("The response comes from another provider (iss, RFC 9207).")
    if returned.error or not returned.code:
        raise oidc.Refused(f"The provider refused the sign-in: {returned.error[:100] or 'no code'}.")
    return asked.exchange(flow, returned.code, redirect_uri(site.settings))


def _require_unused(tx: sqlite3.Connection, flow: oidc.Flow | None) -> None:
    if flow is None or not provider_sessions.use_up(tx, hashlib.sha256(flow.state.encode()).digest()):
        raise oidc.Refused("This sign-in attempt has already been used.")


def _start(site: Site, tx: sqlite3.Connection, user_id: str, tokens: oidc.Tokens, *, address: str, agent: str) -> str:
    """Create the session with its provider data in one transaction. → the cookie's value."""
    row = users.find(tx, user_id)
    name = row["name"] if row is not None else ""
    viewer = Viewer(user_id=user_id, name=name, address=address)
    cookie, session_id = login.begin_session(site, tx, viewer, agent=agent)
    sid, claims = tokens.claims.get("sid"), tokens.claims
    provider_sessions.add(
        tx, session_id, site.settings.oidc.issuer, claims["sub"],
        sid=sid[:255] if isinstance(sid, str) else "", refresh=seal(site.settings, session_id, tokens.refresh),
    )  # fmt: skip
    provider_sessions.person_confirmed(tx, user_id)
    return cookie


def _note_groups(tx: sqlite3.Connection, settings: Oidc, claims: dict[str, Any]) -> None:
    """Raise an alarm if group rules exist and the provider sends no groups; the next sign-in with groups resolves it."""
    if settings.groups_claim in claims or not rules(settings).named:
        alarms.resolve_for(tx, GROUPS, "")
        return
    text = Message(
        "The provider sends no claim '%(claim)s', so groups give nobody a role. Let it send the groups to '%(client)s', or set "
        "oidc.groups_claim.",
        claim=settings.groups_claim,
        client=settings.client_id,
    )
    alarms.raise_(tx, GROUPS, "", text)


def _groups(settings: Oidc, claims: dict[str, Any]) -> list[Group]:
    """The groups of a person. A list that the provider omitted because it is too long is not treated as empty."""
    left_out = claims.get("_claim_names")
    if isinstance(left_out, dict) and settings.groups_claim in left_out:
        raise oidc.Refused(
            "The provider omits the groups because there are too many; have it send only those that are named here."
        )
    value = claims.get(settings.groups_claim, [])
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    found = [one for one in listed[:_MOST_GROUPS] if isinstance(one, str) and one.strip() not in ("", EVERYBODY)]
    return [Group(one, one) for one in found]


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return " ".join(value.split())[:254] if isinstance(value, str) else ""


def forget() -> None:
    """Discard the provider's cached metadata."""
    _providers.clear()
