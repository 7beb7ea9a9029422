"""What every page shares: the frame's view model, answers after a change, compression."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, redirect, render_template, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from appliance.web import preferences
from appliance.web.pages.frame import i18n
from appliance.web.pages.frame.assets import asset
from appliance.web.pages.frame.flash_messages import message
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.pictures import picture

THEMES = preferences.THEMES
THEME_COOKIE = preferences.THEME_COOKIE
_COMPRESS_FROM = 1400  # less fits one packet anyway


def render(template: str, /, **model: Any) -> str:
    """A page as HTML. `model` holds ready strings; templates do not compute."""
    return render_template(template, **model)


def url_with(path: str, **query: Any) -> str:
    """`path` with the parameters of `query` that are not None or empty; lists repeat."""
    text = urlencode({key: value for key, value in query.items() if value not in (None, "", [])}, doseq=True)
    return f"{path}?{text}" if text else path


def back_to(path: str, done: str = "", fragment: str = "") -> Response:
    """Go to `path` after a change (303), where the message `done` (see `pages.done`) is shown."""
    target = path + (("&" if "?" in path else "?") + urlencode({"done": done}) if done else "")
    target += f"#{fragment}" if fragment else ""
    return redirect(target, 303)


@lru_cache(maxsize=512)
def icon(name: str, extra: str = "") -> Markup:
    """A picture of our sprite, for the eye only."""
    return Markup('<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        f" {extra}" if extra else "", asset("icons.svg"), name
    )


def with_code(text: str) -> Markup:
    """Text in which commands stand in backticks, with these as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(text.split("`"))
    )


def theme() -> str:
    """The colour theme chosen by the reader: auto, light or dark."""
    return preferences.theme(request.headers.get("Cookie"))


def init_app(app: Flask) -> None:
    """Hand the frame's view model to every template."""
    app.jinja_env.globals.update(asset=asset, icon=icon, with_code=with_code)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_frame)
    app.after_request(_compress)


def _frame() -> dict[str, Any]:
    viewer = g.get("viewer")
    settings = current_app.config["CONTEXT"].settings
    signed_in = viewer is not None and not viewer.anonymous
    here = request.path
    return {
        "site_title": settings.server.title,
        "language": i18n.language(),
        "languages": [
            {"code": code, "name": name, "on": code == i18n.language()} for code, name in i18n.LANGUAGES.items()
        ],
        "theme": theme(),
        "themes": _themes(),
        "here": request.full_path.rstrip("?"),
        "signed_in": signed_in,
        "account": _account() if signed_in else None,
        "navigation": _navigation(here, signed_in=signed_in, open_site=viewer is not None and viewer.sees_public),
        "may_search": viewer is not None and viewer.sees_public,
        "done": message(request.args.get("done", "")),
        "banner": g.get("banner", ""),
        "news": bool(g.get("news")),
    }


def _themes() -> list[dict[str, Any]]:
    labels = {"auto": (_("System"), "screen"), "light": (_("Light"), "sun"), "dark": (_("Dark"), "moon")}
    return [
        {"code": code, "name": name, "icon": picture, "on": code == theme()} for code, (name, picture) in labels.items()
    ]


def _account() -> dict[str, Any]:
    person = g.person
    shown = person["fullname"] or person["name"]
    image = picture(person["id"], shown, person["image_url"])
    return {"name": person["name"], "shown": shown, "picture": image, "sysadmin": g.viewer.sysadmin}


def _navigation(here: str, *, signed_in: bool, open_site: bool) -> list[dict[str, Any]]:
    entries = []
    if open_site:
        entries += [
            ("/dataset", _("Datasets"), "dataset"),
            ("/organization", _("Circles"), "circle"),
            ("/group", _("Collections"), "collection"),
        ]
    if signed_in:
        entries.append(("/dashboard", _("My data"), "home"))
        if current_app.config["CONTEXT"].settings.web.browser_upload:
            entries.append(("/upload", _("Upload"), "upload"))
    entries.append(("/connect", _("Connect"), "plug"))
    return [
        {"url": url, "text": text, "icon": picture, "on": here == url or here.startswith(url + "/")}
        for url, text, picture in entries
    ]


def takes_gzip() -> bool:
    """Does the client of this request take compressed answers?"""
    return preferences.takes_gzip(request.headers.get("Accept-Encoding"))


def gzipped(body: bytes) -> bytes:
    """`body` compressed."""
    return gzip.compress(body, 5, mtime=0)


def _compress(response: Response) -> Response:
    """Compress pages; never those that show a secret (they say no-store)."""
    if (
        "Content-Encoding" in response.headers
        or response.mimetype not in ("text/html", "application/json")
        or not takes_gzip()
        or response.is_streamed
        or "no-store" in response.headers.get("Cache-Control", "")
    ):
        return response
    body = response.get_data()
    if len(body) >= _COMPRESS_FROM:
        response.set_data(gzipped(body))
        response.headers["Content-Encoding"] = "gzip"
    response.headers.add("Vary", "Accept-Encoding")
    return response
