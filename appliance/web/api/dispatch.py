"""Dispatch of requests for ``/api/3/action/NAME``."""

from __future__ import annotations

import re
from typing import Any

from appliance.model.problem import Problem, not_authorized, not_found
from appliance.model.values import composed
from appliance.model.viewer import Viewer
from appliance.security import policy, tokens
from appliance.store import announcements
from appliance.store.fair_lock import caller
from appliance.web import authentication, cpu_slot
from appliance.web.answer_key import answer_key
from appliance.web.api import attached_files, envelope, parameters, upstream
from appliance.web.api.registry import ACTIONS, Action, Call, converted, unknown
from appliance.web.body_budget import Share
from appliance.web.context import Context
from appliance.web.http import PeerGone, Request, Response, json_response
from appliance.web.routes import Route, route

#: Parameters that are not normalized.
_EXACT = frozenset({"password", "old_password", "token"})
_POST_ONLY = "JSON Error: Invalid request. Please use POST method for your request"
#: Rules that require signing in; an anonymous caller is told that instead of the missing right.
_SIGNED_IN = frozenset({"site:user", "write", "dataset:update", "user:update", "token:manage", "follow:change"})

_EMPTY_AT_START = frozenset({"organization_list", "group_list"})
_OPENS_NOTHING = "The API token is unknown, expired or withdrawn"


def call(context: Context, request: Request, match: re.Match[str]) -> Response:
    """Answer an action."""
    name = match["name"]
    site_url = context.settings.site_url
    try:
        declared = ACTIONS.get(name)
        if declared is None:
            raise unknown(name)
        if request.method in {"GET", "HEAD"}:
            if not declared.get:
                raise Problem(400, "Bad Request", message=_POST_ONLY)
            cpu_slot.acquire()
        if declared.cacheable and request.method != "POST" and request.body.length == 0:
            return cached(context, request, declared)
        return envelope.success(site_url, name, perform(context, request, declared)[0])
    except Problem as problem:
        return envelope.refusal(site_url, name, problem)
    except PeerGone:
        raise
    except Exception as error:
        return envelope.refusal(site_url, name, report(context, f"action {name}", error))


def cached(context: Context, request: Request, declared: Action) -> Response:
    """The response cached for this caller with these rights, else a new one. Raises Problem."""
    since = context.cache.generation()
    viewer = request.viewer = authentication.viewer(context, request, declared.changes)
    key = answer_key("action", viewer, f"{declared.name}?{request.query}")
    found: Response | None = context.cache.look_up(key)
    if found is not None:
        return found
    result, cacheable = perform(context, request, declared, viewer)
    answer = envelope.success(context.settings.site_url, declared.name, result)
    if cacheable:
        context.cache.store(key, answer, since)
    return answer


def perform(context: Context, request: Request, declared: Action, viewer: Viewer | None = None) -> tuple[Any, bool]:
    """Read the request, check the rule, run the handler: its result, and whether it may be cached. Raises Problem.

    :param viewer: the caller, if already authenticated.
    """
    if viewer is None:
        viewer = request.viewer = authentication.viewer(context, request, declared.changes)
    require_open(context, viewer)
    try:
        return _performed(context, request, declared, viewer)
    except Problem as problem:
        if problem.status != 403 or not viewer.anonymous or tokens.presented(request.headers.get) is None:
            raise
        return _without_access(declared), False


def _without_access(declared: Action) -> list[Any]:
    """The result for a caller with an invalid token where anonymous callers are refused. Raises Problem, which mentions the token.

    What DCOR-Aid requests at start-up is not refused: it would exit before it can report the invalid token. It accepts an empty
    list, and a queued upload whose dataset is not found stays in its queue.
    """
    if declared.name in _EMPTY_AT_START:
        return []
    if declared.name == "package_show":
        raise not_found(_OPENS_NOTHING)
    raise not_authorized(_OPENS_NOTHING)


def _performed(context: Context, request: Request, declared: Action, viewer: Viewer) -> tuple[Any, bool]:
    require(viewer, declared)
    with context.bodies.share(caller()) as share, attached_files.AttachedFiles(context, viewer) as files:
        limit = parameters.MAX_STRANGER if viewer.anonymous else parameters.MAX_BODY
        data = read(request, declared, files, limit, share)
        values = converted(declared, data)
        upstream.refuse(declared.name, values)
        if request.body.streamed:  # a streamed body may take hours; its sender may have lost the right meanwhile
            viewer = authentication.viewer(context, request, declared.changes)
            require(viewer, declared)
        one = Call(context, viewer, values, request.client, declared.cacheable)
        if not declared.get:  # a change waits for the disk, so it holds no slot
            return _result(declared, one), False
        with context.reads.held(caller() or ""):
            cpu_slot.acquire()
            return _result(declared, one), one.cacheable


def _result(declared: Action, one: Call) -> Any:
    """The handler's result. Raises Problem, RuntimeError when it has not checked a rule about its object."""
    with policy.recorded() as granted:
        result = declared.handler(one)
    if declared.asks and granted.isdisjoint(declared.asks):
        raise RuntimeError(f"{declared.name} has to ask {' or '.join(declared.asks)} and never did")
    return result


def require(viewer: Viewer, declared: Action) -> None:
    """Check the action's own rule. Raises Problem 403; the message depends on whether the caller is signed in."""
    if policy.may(viewer, declared.rule):
        return
    if viewer.anonymous and declared.rule in _SIGNED_IN:
        raise not_authorized(f"Action {declared.name} requires an authenticated user")
    raise policy.refusal(viewer, declared.rule)


def require_open(context: Context, viewer: Viewer) -> None:
    """Refuse callers other than administrators during maintenance. Raises Problem 503."""
    if viewer.sysadmin:
        return
    (notice,) = context.cache.get("maintenance", lambda: (_maintenance(context),))
    if notice:
        raise Problem(503, "Maintenance", message=notice)


def _maintenance(context: Context) -> str:
    with context.db.read() as conn:
        return announcements.maintenance(conn)


def read(
    request: Request, declared: Action, files: attached_files.AttachedFiles, limit: int, share: Share
) -> dict[str, Any]:
    """The parameters of a request, from query string or body; for read actions the query string takes precedence. Texts are
    normalized (NFC).

    Raises Problem, 413 for a body of more than `limit` bytes (files do not count).
    """
    sent = _sent(request, declared, files, limit, share)
    return {key: value if key in _EXACT else composed(value) for key, value in sent.items()}


def _sent(
    request: Request, declared: Action, files: attached_files.AttachedFiles, limit: int, share: Share
) -> dict[str, Any]:
    query = parameters.from_query(request.query) if request.query and declared.get else {}
    if request.method in {"GET", "HEAD"}:
        return query or parameters.from_body(request, limit, share)
    if attached_files.is_multipart(request):
        return query | files.receive(request, declared.name, limit, share.grow)
    return parameters.from_body(request, limit, share) | query


def report(context: Context, place: str, error: Exception) -> Problem:
    """Record an unexpected error; the client gets its incident number."""
    incident = context.incidents.record(place, error)
    return Problem(500, "Internal Server Error", message=f"Internal Server Error (incident {incident})")


def root(context: Context, request: Request, match: re.Match[str]) -> Response:
    """``/api``, ``/api/3``: the API version."""
    return json_response(200, {"version": int(match["version"] or 1)})


ROUTES: tuple[Route, ...] = (
    route("GET POST", r"/api(?:/3)?/action/(?P<name>[A-Za-z0-9_]+)/?", "open", call),
    route("GET", r"/api(?:/(?P<version>[123]))?/?", "open", root),
)
