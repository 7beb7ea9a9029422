"""Signed URLs of stored files and of the parts of an upload.

Clients send no token with these, so the signature identifies the viewer who requested the URL; on every use the database is
asked again whether they have access. A URL is valid until its expiry, or until its secret, the token or session with which it
was created, its user's account, or their right to the object ends.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from appliance.actions import callers
from appliance.model import times
from appliance.model.problem import not_authorized
from appliance.model.viewer import Viewer
from appliance.security.signing import EXPIRES, MIN_LIFETIME, Purpose, SignatureError, quantised_expiry
from appliance.security.tokens import allows
from appliance.store import sessions, tokens, users
from appliance.web import authentication
from appliance.web.context import Context
from appliance.web.http import Request

#: Artefact in the URL → kind of file in the depot.
ARTEFACTS = {"resource": "original", "condensed": "condensed"}


@dataclass(frozen=True, slots=True)
class _Link:
    """A verified URL: its viewer, until when their token or session is valid, and when the URL itself expires [Unix s]."""

    viewer: Viewer | None
    credential_ends: str | None
    expires: int


def object_path(resource_id: str, artefact: str) -> str:
    """``/objects/<artefact>/<abc>/<def>/<rest of the id>``: the same for ever, clients key their caches with it."""
    return f"/objects/{artefact}/{resource_id[:3]}/{resource_id[3:6]}/{resource_id[6:]}"


def object_link(context: Context, viewer: Viewer, resource_id: str, artefact: str) -> tuple[str, int]:
    """(address with signature, moment at which it ends [Unix s]) of a file for `viewer`; `artefact` as in ARTEFACTS."""
    expires = quantised_expiry(time.time(), max(MIN_LIFETIME, context.settings.depot.link_lifetime))
    path = object_path(resource_id, artefact)
    query = context.signer.sign(path, expires=expires, claims=_claims(viewer))
    return f"{context.settings.site_url}{path}?{query}", expires


def open_link(context: Context, resource_id: str, artefact: str) -> str:
    """The URL without signature, for public files."""
    return context.settings.site_url + object_path(resource_id, artefact)


def upload_link(context: Context, viewer: Viewer, path: str) -> str:
    """A signed URL of `path` with which `viewer` sends parts of an upload."""
    lifetime = max(MIN_LIFETIME, context.settings.depot.part_lifetime)
    return context.settings.site_url + context.signer.presign(
        path, now=time.time(), lifetime=lifetime, claims=_claims(viewer), purpose=Purpose.UPLOAD
    )


def bearer(context: Context, request: Request, changes: bool = False) -> Viewer:
    """The viewer of a request for a stored file: that of the signature, else of the token or session.

    Raises Problem 403 for an invalid signature; if its viewer no longer exists, the request is anonymous.
    """
    if "signature=" not in request.query:
        return authentication.viewer(context, request, changes)
    now = time.time()
    link = context.cache.get(
        ("link", request.path, request.query), lambda: _read(context, request, now)
    )  # a reader sends the same URL hundreds of times
    if link.expires <= now:
        _verified(context, request, now, Purpose.DOWNLOAD)
    if link.viewer is None or (link.credential_ends is not None and link.credential_ends <= times.now()):
        return authentication.anonymous(context.settings.policy, request.client)
    return link.viewer


def uploader(context: Context, request: Request, changes: bool = True) -> Viewer:
    """The viewer of an upload request: always that of the signature. Raises Problem 403."""
    claims = _verified(context, request, time.time(), Purpose.UPLOAD)
    found = _of_claims(context, claims, "write")
    if found is None or (found[1] is not None and found[1] <= times.now()):
        raise not_authorized("The person who started this upload may no longer add files here.")
    viewer = found[0]
    authentication.guarded(context, replace(viewer, token_id=claims.get("token"), session_id=claims.get("session")))
    return viewer


def _verified(context: Context, request: Request, now: float, purpose: Purpose) -> dict[str, str]:
    try:
        return context.signer.verify(request.path, request.parameters(), now, purpose=purpose)
    except SignatureError as error:
        raise not_authorized(str(error)) from error


def _read(context: Context, request: Request, now: float) -> _Link:
    """What the URL of `request` permits at `now` [Unix s]. Raises Problem 403."""
    claims = _verified(context, request, now, Purpose.DOWNLOAD)
    viewer, ends = _of_claims(context, claims, "read") or (None, None)
    return _Link(viewer, ends, int(dict(request.parameters())[EXPIRES]))


def _claims(viewer: Viewer) -> dict[str, str]:
    claims = {"user": viewer.user_id or ""}
    if viewer.sysadmin:
        claims["as"] = "admin"
    if viewer.token_id:
        claims["token"] = viewer.token_id
    if viewer.session_id:
        claims["session"] = viewer.session_id
    return claims


def _of_claims(context: Context, claims: dict[str, str], scope: str) -> tuple[Viewer, str | None] | None:
    """The viewer of a signature and the moment at which their token or session ends; None when one of these is gone.

    :param scope: what the address is good for, unless an administrator made it as such.
    """
    with context.db.read() as conn:
        user = users.find(conn, claims["user"]) if claims.get("user") else None
        if user is None or not callers.may_act(conn, user):
            return None
        ends = None
        for claim, find in (("token", tokens.get), ("session", sessions.get)):
            if claim in claims:
                credential = find(conn, claims[claim])
                if credential is None or credential.user_id != user["id"]:
                    return None
                ends = credential.expires
                if isinstance(credential, tokens.Token) and not allows(credential.scope, scope):
                    scope = credential.scope
        scope = "admin" if claims.get("as") == "admin" else scope
        return callers.of_user(conn, context.settings, user, scope=scope), ends
