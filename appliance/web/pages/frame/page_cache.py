"""Pages that many readers open again and again are rendered once for each reader and state of the database."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import g, request
from werkzeug.wrappers import Response

from appliance.web.answer_key import answer_key
from appliance.web.pages.frame import i18n, render
from appliance.web.pages.frame.base import context, viewer

P = ParamSpec("P")

#: Pages say "two minutes ago", so they are rendered again after this time even if nobody commits [s].
_MAX_AGE = 20.0
_PLAIN = (("Vary", "Accept-Encoding"),)
_GZIPPED = (("Content-Encoding", "gzip"), *_PLAIN)


def cacheable(view: Callable[P, str]) -> Callable[P, Response]:
    """Keep what `view` renders; to stand below `allow`. Its page must depend on the caller, language, theme, address and database only."""

    @wraps(view)
    def cached(*args: P.args, **kwargs: P.kwargs) -> Response:
        """The page as it was rendered for a caller with the same rights since the last commit, else a new one."""
        gzip = render.takes_gzip()
        variant = (i18n.language(), render.theme(), "gzip" if gzip else "")
        key = answer_key("page", viewer(), request.full_path, *variant)
        cache = context().cache
        body: bytes | None = cache.look_up(key)
        if body is None:
            body = view(*args, **kwargs).encode()
            if gzip:
                body = render.gzipped(body)
            cache.store(key, body, g.generation, _MAX_AGE)
        else:
            g.pending_rule = None  # the policy was asked when the page was rendered for these rights
        return Response(body, content_type="text/html; charset=utf-8", headers=_GZIPPED if gzip else _PLAIN)

    return cached
