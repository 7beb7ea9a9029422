"""Pages that many readers open again and again are rendered once for each reader and state of the database."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import g, request
from werkzeug.wrappers import Response

from appliance.web import page_answers
from appliance.web.pages.frame import i18n, render
from appliance.web.pages.frame.base import viewer

P = ParamSpec("P")

_PLAIN = (("Vary", "Accept-Encoding"),)
_GZIPPED = (("Content-Encoding", "gzip"), *_PLAIN)


def cacheable(view: Callable[P, str]) -> Callable[P, Response]:
    """Let what `view` renders be kept and given again by `web.page_answers`; to stand below `allow`.

    Its page must depend on the caller, language, theme, address and database only.
    """

    @wraps(view)
    def rendered(*args: P.args, **kwargs: P.kwargs) -> Response:
        """The page, and under which key it may be kept."""
        gzip = render.takes_gzip()
        body = view(*args, **kwargs).encode()
        if gzip:
            body = render.gzipped(body)
        if request.method == "GET":
            query = request.query_string.decode("latin-1")
            key = page_answers.page_key(
                viewer(), request.path, query, language=i18n.language(), theme=render.theme(), gzip=gzip
            )
            request.environ[page_answers.KEEP] = page_answers.Keep(key, g.generation, g.admitted_by)
        return Response(body, content_type="text/html; charset=utf-8", headers=_GZIPPED if gzip else _PLAIN)

    return rendered
