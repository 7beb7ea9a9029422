"""The frame of the pages about one's own account."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.pictures import picture


def frame(row: sqlite3.Row, on: str) -> dict[str, Any]:
    """Head and tabs; `on` is the tab's key."""
    shown = row["fullname"] or row["name"]
    base = f"/user/{row['name']}"
    tabs = [
        ("profile", base, _("Profile")),
        ("sessions", f"{base}/sessions", _("Sessions")),
        ("two-step", f"{base}/two-step", _("Two-step sign-in")),
        ("tokens", f"{base}/api-tokens", _("API tokens")),
    ]
    return {
        "person": {
            "shown": shown,
            "name": row["name"],
            "picture": picture(row["id"], shown, row["image_url"]),
        },
        "tabs": [{"url": url, "text": text, "on": key == on} for key, url, text in tabs],
    }
