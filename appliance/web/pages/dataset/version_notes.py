"""The notes by which the versions of a dataset point to each other."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.store import datasets, versions
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.base import conn, viewer
from appliance.web.pages.frame.i18n import gettext as _


def of(row: sqlite3.Row) -> list[dict[str, str]]:
    """What a dataset's page says about its other versions, as far as the reader may see them."""
    found = []
    newer = versions.newer(conn(), row["id"], viewer())
    if newer is not None:
        found.append(_note("warn", _("A newer version of this dataset exists:"), newer))
    earlier = datasets.visible(conn(), row["version_of"], viewer()) if row["version_of"] else None
    if earlier is not None and earlier["state"] != "deleted":
        found.append(_note("info", _("This is a new version of"), earlier))
    return found


def _note(kind: str, text: str, row: sqlite3.Row) -> dict[str, Any]:
    link = f"{row['title'] or row['name']} ({show.date(row['created'])})"
    return {"kind": kind, "text": text, "url": f"/dataset/{row['id']}", "link": link}
