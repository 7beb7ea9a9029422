"""The contents of files that are no measurements, shown on their page: pictures, and the beginning of texts."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.archive import access
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.base import context
from appliance.web.pages.frame.i18n import gettext as _

_TEXTS = (".txt", ".csv", ".tsv", ".ini", ".py", ".poly", ".ipynb")
_PICTURES = (".jpg", ".png")
_MOST = 32_768
_LARGEST_PICTURE = 20_000_000


def of_file(file: sqlite3.Row, url: str) -> dict[str, Any] | None:
    """The view model of a file's contents, None for kinds that are only downloaded.

    :param url: the file's download address.
    """
    suffix = "." + file["name"].rpartition(".")[2]
    if suffix in _PICTURES and (file["size"] or 0) <= _LARGEST_PICTURE:
        return {"picture": url, "alt": _("Image %(name)s", name=file["name"]), "text": "", "cut": ""}
    if suffix not in _TEXTS:
        return None
    try:
        with context().depot.path(file["id"]).open("rb") as source:
            data = source.read(_MOST + 1)
    except OSError:
        if access.stored(context().db, file["id"]) is None:  # `dcor inspect` names missing files; the page has the rest
            return None
        cut = _("This file is in the archive; download it to read it.")  # a page does not wait for another machine
        return {"picture": "", "alt": "", "text": "", "cut": cut}
    cut = _("The first %(size)s; the rest is in the file.", size=show.size(_MOST)) if len(data) > _MOST else ""
    return {"picture": "", "alt": "", "text": data[:_MOST].decode("utf-8", "replace").replace("\0", "�"), "cut": cut}
