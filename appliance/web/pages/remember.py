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

from appliance.web.pages import i18n
from appliance.web.pages.base import context, viewer
from appliance.web.pages.render import THEME_COOKIE

P = ParamSpec("P")

#: "two minutes ago" must not stand there for an hour [s].
_LIFE = 20.0


def remembered(view: Callable[P, str]) -> Callable[P, str]:
    """Keep what `view` renders; to stand below `allow`. The policy was asked when the page was rendered for this reader."""

    @wraps(view)
    def from_memory(*args: P.args, **kwargs: P.kwargs) -> str:
        key = (
            "page",
            request.full_path,
            viewer().user_id,
            viewer().sees_public,
            i18n.language(),
            request.cookies.get(THEME_COOKIE),
        )
        made_now = False

        def make() -> tuple[float, str]:
            nonlocal made_now
            made_now = True
            return time.monotonic(), view(*args, **kwargs)

        moment, page = context().answers.get(key, make)
        if time.monotonic() - moment > _LIFE:
            return view(*args, **kwargs)
        if not made_now:
            g.owed = None
        return str(page)

    return from_memory
