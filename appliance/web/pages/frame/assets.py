"""Our own scripts, styles and pictures, under a path that changes with their content, so that browsers keep them for good.

All files share one version (relative imports between scripts therefore stay inside it).
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable

from flask import Blueprint, Response, abort, request

from appliance.security.headers import security_headers
from appliance.web.pages.frame.allow import allow

bp = Blueprint("assets", __name__)

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_COMPRESSED = frozenset({".js", ".css", ".svg"})


@lru_cache(maxsize=1)
def _files() -> dict[str, bytes]:
    """Every asset by its path below ``static/``. Read once: they are a few hundred kilobytes."""
    found: dict[str, bytes] = {}

    def walk(folder: Traversable, prefix: str) -> None:
        """Read a folder and those in it; `prefix` is its path below ``static/``."""
        for entry in folder.iterdir():
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif not entry.name.startswith((".", "__")):
                found[prefix + entry.name] = entry.read_bytes()

    walk(resources.files("appliance.web").joinpath("static"), "")
    return found


@lru_cache(maxsize=1)
def version() -> str:
    """Twelve hex digits that stand for the content of all assets."""
    digest = hashlib.sha256()
    for name, content in sorted(_files().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


@lru_cache(maxsize=256)
def _compressed(name: str) -> bytes:
    return gzip.compress(_files()[name], 9, mtime=0)


def asset(name: str) -> str:
    """The address of ``static/<name>``. Raises KeyError for a file that is not there."""
    if name.partition("#")[0] not in _files():
        raise KeyError(name)
    return f"/static/{version()}/{name}"


def forget() -> None:
    """Read the files again (development, tests)."""
    for cached in (_files, version, _compressed):
        cached.cache_clear()


@bp.get("/static/<built>/<path:name>")
@allow("open")
def static_file(built: str, name: str) -> Response:
    """One asset. Other versions than the present one get the present file, but may not keep it."""
    if name not in _files():
        abort(404)
    return _answer(name, keep=built == version())


@bp.get("/favicon.ico")
@allow("open")
def favicon() -> Response:
    """The icon browsers ask for by this name; all of today's take SVG."""
    return _answer("logo.svg", keep=False)


@bp.get("/robots.txt")
@allow("open")
def robots() -> Response:
    """Keep indexers away: this is an intranet."""
    return Response("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


def _answer(name: str, *, keep: bool) -> Response:
    suffix = "." + name.rpartition(".")[2]
    squeeze = suffix in _COMPRESSED and request.accept_encodings.quality("gzip") > 0
    response = Response(
        _compressed(name) if squeeze else _files()[name],
        content_type=_TYPES.get(suffix) or mimetypes.guess_type(name)[0],
    )
    response.headers.update(security_headers("static"))
    if not keep:
        response.headers["Cache-Control"] = "no-cache"
    if squeeze:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response
