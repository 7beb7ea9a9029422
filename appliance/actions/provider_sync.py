"""Periodic check of signed-in users with the OpenID provider, and sign-out in both places."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from appliance.actions import directory_accounts, provider_login
from appliance.actions.site import Site
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.security import oidc
from appliance.security.https_json import ServerAway, require_https
from appliance.settings import Settings
from appliance.store import alarms, audit, identities, provider_sessions
from appliance.store.database import Database

#: Kind of the alarm for an unreachable provider.
ALARM = Message("provider")
#: Who changes accounts when the provider says so.
PROVIDER = Viewer(name="provider")
#: After this many failed requests in a row it counts as unreachable.
_MOST_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result: sessions checked, and ended because the provider refused; people whose tokens are paused; why it was not asked."""

    asked: int = 0
    ended: int = 0
    paused: int = 0
    away: str = ""


def compare(db: Database, settings: Settings) -> Outcome:
    """Check every session with a refresh token. An unreachable provider ends nothing before `oidc.offline`."""
    if not settings.oidc.issuer:
        return Outcome()
    with db.read() as conn:
        rows = provider_sessions.refreshable(conn, settings.oidc.issuer)
    away, ended, failures = "", 0, 0
    for row in rows:
        try:
            ended += not _confirmed(db, settings, row)
            failures = 0
        except ServerAway as problem:  # about this person only, or all
            away, failures = str(problem), failures + 1
            if failures == _MOST_FAILURES:
                break
    with db.write() as tx:
        if away:
            alarms.raise_(tx, ALARM, "", Message("The OpenID provider cannot be reached: %(reason)s", reason=away))
        elif rows:
            identities.note_answered(tx, settings.oidc.issuer)
            alarms.resolve_for(tx, ALARM, "")
        ended += provider_sessions.end_unconfirmed(tx, times.ahead(-timedelta(seconds=settings.oidc.offline)))
        paused = provider_sessions.pause_unconfirmed(
            tx, settings.oidc.issuer, times.ahead(-timedelta(days=settings.oidc.tokens))
        )
        if ended or paused:
            audit.add(tx, PROVIDER, "provider.compared", sessions_ended=ended, paused=paused)
    return Outcome(len(rows), ended, paused, away)


def _confirmed(db: Database, settings: Settings, row: sqlite3.Row) -> bool:
    """Whether the provider confirms this session. The account is synchronized, or the session ended. Raises ServerAway."""
    session_id, subject = row["session_id"], row["subject"]
    token = provider_login.unseal(settings, session_id, row["refresh"])
    try:
        if not token:
            raise oidc.Refused("The refresh token can no longer be read.")
        tokens = provider_login.provider(settings).refresh(
            token, subject, lambda renewed: _keep(db, settings, session_id, renewed)
        )
        person, grants = provider_login.described(settings.oidc, tokens.claims)
    except oidc.Refused as refusal:
        with db.write() as tx:
            provider_sessions.end(tx, session_id)
            audit.add(tx, PROVIDER, "session.revoke", "user", "", session=session_id, reason=str(refusal))
        return False
    with db.write() as tx:
        sealed = provider_login.seal(settings, session_id, tokens.refresh)
        if sealed is not None:
            provider_sessions.confirm(tx, session_id, sealed)
        identity = identities.find(tx, settings.oidc.issuer, subject)
        if identity is None:
            provider_sessions.end(tx, session_id)
            return False
        provider_sessions.person_confirmed(tx, identity["user_id"])
        changed = directory_accounts.bring_in_step(tx, identity, person, grants)
        return not changed.get("locked")


def _keep(db: Database, settings: Settings, session_id: str, token: str) -> None:
    """Store the next refresh token of a session, even if the rest of the response fails."""
    sealed = provider_login.seal(settings, session_id, token)
    if sealed is not None:
        with db.write() as tx:
            provider_sessions.keep(tx, session_id, sealed)


def signed_out_there(site: Site, token: object) -> int:
    """Process a back-channel logout token: end the sessions it names. → how many.

    Raises oidc.Refused for an invalid signature or a token used before; ServerAway.
    """
    issuer = site.settings.oidc.issuer
    claims = provider_login.provider(site.settings).logout_claims(token)
    subject, sid = claims.get("sub"), claims.get("sid")
    with site.db.write() as tx:
        if not provider_sessions.use_up(tx, hashlib.sha256(f"logout\0{claims['jti']}".encode()).digest()):
            raise oidc.Refused("This logout token has already been used.")
        ended = provider_sessions.end_of(
            tx, issuer, subject if isinstance(subject, str) else "", sid if isinstance(sid, str) else ""
        )
        identity = identities.find(tx, issuer, subject) if isinstance(subject, str) else None
        user_id = identity["user_id"] if identity is not None else ""
        audit.add(tx, PROVIDER, "session.ended_elsewhere", "user", user_id, sessions=ended)
    return ended


def sign_out_address(site: Site, session_id: str | None) -> str:
    """The URL for signing out at the provider (RP-initiated); "" for a local session, or if it offers none."""
    settings = site.settings
    if not settings.oidc.issuer or not session_id:
        return ""
    with site.db.read() as conn:
        row = provider_sessions.find(conn, session_id)
    if row is None or row["issuer"] != settings.oidc.issuer:
        return ""
    try:
        url = provider_login.provider(settings).metadata().get("end_session_endpoint")
        if not isinstance(url, str):
            return ""
        require_https(url)
    except Problem:  # the local session ends in any case
        return ""
    query = {"client_id": settings.oidc.client_id, "post_logout_redirect_uri": f"{settings.site_url}/user/login"}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
