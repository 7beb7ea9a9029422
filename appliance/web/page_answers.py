"""Cached pages, answered without Flask in the thread that has read the request.

A view whose page may be cached (`pages.frame.page_cache`) says so in the WSGI environment, with the key it was rendered for;
the response is cached as it leaves Flask, with its headers. Viewer, language and theme are determined here by the same
functions, and the page's rule is checked again. The result does not differ from Flask's response.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.web import authentication, cpu_slot, preferences
from appliance.web.answer_key import answer_key
from appliance.web.context import Context
from appliance.web.http import Request, Response

#: Pages contain relative times ("two minutes ago"), so they are rendered again after this time even without a commit
#: [s].
MAX_AGE = 20.0
#: Key in the WSGI environment under which a view permits caching.
KEEP = "appliance.keep"
#: Headers on which a page depends; repeated ones are not cached.
_VARIES = ("cookie", "accept-language", "accept-encoding")

Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """A view's permission to cache its page.

    :ivar key: of the cache. :ivar since: generation from before anything was read. :ivar rule: of the site, that admits to it.
    """

    key: Key
    since: int
    rule: str


@dataclass(frozen=True, slots=True)
class _Kept:
    rule: str
    response: Response


def page_key(viewer: Viewer, path: str, query: str, *, language: str, theme: str, gzip: bool) -> Key:
    """The cache key of a page with this path and query, for `viewer` in this language and theme."""
    return answer_key("page", viewer, path, query, language, theme, "gzip" if gzip else "")


def look_up(context: Context, request: Request) -> Response | None:
    """The valid cached response for the sender of `request`, else None. Raises nothing: errors are reported by Flask."""
    headers = request.headers
    if request.method != "GET" or request.body.length != 0 or any(len(headers.get_all(one)) > 1 for one in _VARIES):
        return None
    session = authentication.session_cookie(request)
    viewer = (
        authentication.anonymous(context.settings.policy, request.client)
        if session is None
        else authentication.by_session(context, session, request.client)
    )
    cookies = headers.get("cookie")
    key = page_key(
        viewer,
        request.path,
        request.query,
        language=preferences.language(cookies, headers.get("accept-language")),
        theme=preferences.theme(cookies),
        gzip=preferences.takes_gzip(headers.get("accept-encoding")),
    )
    kept: _Kept | None = context.cache.look_up(key)
    if kept is None or not policy.may(viewer, kept.rule):
        return None
    request.viewer = viewer
    cpu_slot.acquire()
    return kept.response


def keep(context: Context, environ: dict[str, Any], response: Response) -> None:
    """Cache a response of Flask's, if its view permits it."""
    wish: Keep | None = environ.get(KEEP)
    if wish is None or response.status != 200 or response.header("Set-Cookie") is not None:
        return
    context.cache.store(wish.key, _Kept(wish.rule, response), wish.since, MAX_AGE)
