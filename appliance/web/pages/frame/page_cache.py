"""Pages that many readers open again and again are rendered once for each reader and state of the database.

A page is a function of who looks, in which language and theme, at which address, and of what the database holds. Any commit
makes every remembered page worthless, so a revoked right or a finished job shows with the next request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import g, request
from werkzeug.wrappers import Response

from appliance.web.pages.frame import i18n, render
from appliance.web.pages.frame.base import context, viewer

P = ParamSpec("P")

#: "two minutes ago" must not stand there for an hour [s].
_LIFE = 20.0


class _Page:
    """What a view rendered, as it is and gzipped."""

    __slots__ = ("gzipped", "made", "plain")

    def __init__(self, text: str) -> None:
        self.renew(text)

    def renew(self, text: str) -> None:
        """Put newer content in its place."""
        self.made = time.monotonic()
        self.plain = text.encode()
        self.gzipped = render.gzipped(self.plain)

    def answer(self) -> Response:
        """The page as this client takes it."""
        if self.gzipped is None or not render.takes_gzip():
            return Response(self.plain, content_type=_HTML)
        return Response(self.gzipped, content_type=_HTML, headers=_SQUEEZED)


_HTML = "text/html; charset=utf-8"
_SQUEEZED = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))


def remembered(view: Callable[P, str]) -> Callable[P, Response]:
    """Keep what `view` renders; to stand below `allow`. The policy was asked when the page was rendered for this reader."""

    @wraps(view)
    def from_memory(*args: P.args, **kwargs: P.kwargs) -> Response:
        key = (
            "page",
            request.full_path,
            viewer().user_id,
            viewer().sees_public,
            i18n.language(),
            request.cookies.get(render.THEME_COOKIE),
        )
        rendered: list[str] = []

        def render_again() -> str:
            """Render the page now."""
            rendered.append(view(*args, **kwargs))
            return rendered[0]

        page: _Page = context().answers.get(key, lambda: _Page(render_again()))
        if time.monotonic() - page.made > _LIFE:
            page.renew(render_again())
        if not rendered:
            g.pending_rule = None  # whoever had it rendered was asked, with the same rights
        return page.answer()

    return from_memory
