"""Addresses of stored files that carry their permission with them.

Clients of remote data send no token with these, so the signature stands for the viewer who asked: it names them, and on
every use the database is asked again whether they may. A link dies with its time, its secret, its token, its user's
account, or their access to the dataset, whichever comes first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from appliance.model import times
from appliance.model.viewer import Viewer
from appliance.security.signing import EXPIRES, MIN_LIFETIME, Purpose, SignatureError, quantised_expiry
from appliance.store import tokens, users
from appliance.web import authentication
from appliance.web.context import Context
from appliance.web.http import Request

#: What stands in the address → kind of file in the depot.
ARTEFACTS = {"resource": "original", "condensed": "condensed"}


@dataclass(frozen=True, slots=True)
class _Link:
    """A verified address: for whom, until when their token lasts, and when the address itself ends [Unix s]."""

    viewer: Viewer | None
    token_ends: str | None
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
    """The address without signature, for files that anybody may see."""
    return context.settings.site_url + object_path(resource_id, artefact)


def bearer(context: Context, request: Request) -> Viewer:
    """For whom a request to a stored file is made: the viewer of its signature, else of its token or session.

    Raises SignatureError for a signature that does not hold; a viewer who is gone is anonymous.
    """
    if "signature=" not in request.query:
        return authentication.viewer(context, request)
    now = time.time()
    link: _Link = context.viewers.get(
        ("link", request.path, request.query), lambda: _read(context, request, now)
    )  # a reader sends the same address hundreds of times
    if link.expires <= now:
        context.signer.verify(request.path, request.parameters(), now, purpose=Purpose.DOWNLOAD)
    if link.viewer is None or (link.token_ends is not None and link.token_ends <= times.now()):
        return authentication.anonymous(context.settings.policy, request.client)
    return link.viewer


def _read(context: Context, request: Request, now: float) -> _Link:
    """What the address of `request` permits at `now` [Unix s]. Raises SignatureError."""
    parameters = request.parameters()
    claims = context.signer.verify(request.path, parameters, now, purpose=Purpose.DOWNLOAD)
    viewer, token_ends = _of_claims(context, claims) or (None, None)
    return _Link(viewer, token_ends, int(dict(parameters)[EXPIRES]))


def _claims(viewer: Viewer) -> dict[str, str]:
    claims = {"user": viewer.user_id or ""}
    if viewer.sysadmin:
        claims["as"] = "admin"
    if viewer.token_id:
        claims["token"] = viewer.token_id
    return claims


def _of_claims(context: Context, claims: dict[str, str]) -> tuple[Viewer, str | None] | None:
    """The viewer of a signature and the moment at which their token ends; None when user or token are gone."""
    with context.db.read() as conn:
        user = users.find(conn, claims["user"]) if claims.get("user") else None
        if user is None or user["state"] != "active":
            return None
        ends = None
        if "token" in claims:
            token = tokens.get(conn, claims["token"])
            if token is None:
                return None
            ends = token["expires"]
        scope = "admin" if claims.get("as") == "admin" else "read"
        return authentication.of_user(conn, context.settings.policy, user, scope=scope), ends


__all__ = ["ARTEFACTS", "SignatureError", "bearer", "object_link", "object_path", "open_link"]
