"""Authentication: from a request's token or session cookie to its viewer. An invalid credential is treated as anonymous."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from appliance.actions import callers
from appliance.model import times
from appliance.model.problem import Problem, not_authorized
from appliance.model.viewer import Viewer
from appliance.security import csrf, session_cookies, tokens
from appliance.security.limits import network
from appliance.settings import Policy
from appliance.store import sessions, users, write_guard
from appliance.store import tokens as stored
from appliance.store.database import Database
from appliance.store.fair_lock import work_for
from appliance.web.context import Context
from appliance.web.http import Request, cookie

_Known = tuple[Viewer, str | None]  # with the time at which the credential expires


def viewer(context: Context, request: Request, changes: bool = False) -> Viewer:
    """The sender of a request: by token, else by session cookie, else anonymous.

    Raises Problem 403 for a change authorised by a cookie that comes from another site's page; `changes` says that the request
    is a change even if its method is GET.
    """
    token = tokens.presented(request.headers.get)
    session = session_cookie(request) if token is None else None
    if session is not None:
        _refuse_forged(request, changes)
    write_guard.use(None)
    if token is not None:
        found = by_token(context, token, request.client)
    elif session is not None:
        found = by_session(context, session, request.client)
    else:
        found = anonymous(context.settings.policy, request.client)
    return guarded(context, found)


def guarded(context: Context, viewer: Viewer) -> Viewer:
    """Return `viewer`, after setting the write guard of this thread (`actions.callers.StillAllowed`)."""
    write_guard.use(None if viewer.anonymous else callers.StillAllowed(context, viewer))
    return viewer


def recognised(context: Context, request: Request) -> str:
    """The id of the user whose valid credential a request carries, regardless of the route; "" without one. For the gateway."""
    try:
        token, session = tokens.presented(request.headers.get), session_cookie(request)
        if token is not None:
            return by_token(context, token, request.client).user_id or ""
        return (by_session(context, session, request.client).user_id or "") if session is not None else ""
    except Problem:  # the database is busy
        return ""


def _refuse_forged(request: Request, changes: bool) -> None:
    """Check the origin of a request with a cookie: browsers send the cookie with requests from any page, tokens they do not."""
    reason = csrf.refusal(
        request.method,
        sec_fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        host=request.host,
        scheme="https" if request.secure else "http",
        changes=changes,
    )
    if reason:
        raise not_authorized(reason)


def anonymous(policy: Policy, address: str) -> Viewer:
    """The anonymous viewer; sees public objects if the site permits anonymous access."""
    work_for(network(address))
    return _anonymous_viewer(policy.anonymous_access, address)


@lru_cache(maxsize=1024)
def _anonymous_viewer(sees_public: bool, address: str) -> Viewer:
    return Viewer(sees_public=sees_public, address=address)


def by_token(context: Context, token: str, address: str) -> Viewer:
    """The viewer of a token; anonymous for an unknown, expired or revoked one."""
    return _cached(context, tokens.token_hash(token), address, _read_token)


def by_session(context: Context, session: str, address: str) -> Viewer:
    """The viewer of a session cookie; anonymous for an ended session."""
    return _cached(context, session_cookies.session_hash(session), address, _read_session)


def session_cookie(request: Request) -> str | None:
    """The session cookie of a request, None without one."""
    return cookie(request.headers.get("Cookie"), session_cookies.COOKIE)


def _cached(
    context: Context, hash_: bytes, address: str, read: Callable[[Context, bytes, str], _Known | None]
) -> Viewer:
    """The viewer of a credential. Every commit invalidates the cache, so a revoked token or role ends with the next request."""
    known = context.cache.get(("credential", hash_, address), lambda: read(context, hash_, address))
    if known is not None:
        found, expires = known
        if expires is None or expires > times.now():
            work_for(found.user_id)
            return found
    return anonymous(context.settings.policy, address)


def _read_token(context: Context, hash_: bytes, address: str) -> _Known | None:
    with context.db.read() as conn:
        token = stored.find(conn, hash_)
        user = users.find(conn, token.user_id) if token is not None else None
        if token is None or user is None or not callers.may_act(conn, user):
            return None
        found = callers.of_user(conn, context.settings, user, scope=token.scope, address=address, token_id=token.id)
    if _stale(token.last_access):
        _note_use(context.db, token.id, user["id"])
    return found, token.expires


def _read_session(context: Context, hash_: bytes, address: str) -> _Known | None:
    with context.db.read() as conn:
        session = sessions.find(conn, hash_)
        user = users.find(conn, session.user_id) if session is not None else None
        if session is None or user is None or not callers.may_act(conn, user):
            return None
        lifetime = session_cookies.Lifetime(idle=timedelta(hours=context.settings.web.session_hours))
        if not lifetime.is_live(times.parse(session.created), times.parse(session.last_seen)):
            return None
        found = callers.of_user(conn, context.settings, user, scope="admin", address=address, session_id=session.id)
    if _stale(session.last_seen):
        with write_guard.suspended(), context.db.write() as tx:
            sessions.prolong(tx, session.id, context.settings.web.session_hours)
            users.seen(tx, user["id"])
    return found, session.expires


def _note_use(db: Database, token_id: str, user_id: str) -> None:
    with write_guard.suspended(), db.write() as tx:
        stored.used(tx, token_id)
        users.seen(tx, user_id)


def _stale(moment: str | None) -> bool:
    """Whether the stored time of last use is old enough to be updated (each write is an fsync)."""
    return moment is None or session_cookies.needs_touch(times.parse(moment))
