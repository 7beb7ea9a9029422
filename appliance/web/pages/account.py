"""The frame of the pages about one's own account."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.web.pages.i18n import gettext as _


def frame(row: sqlite3.Row, on: str) -> dict[str, Any]:
    """Head and tabs; `on` is the tab's key."""
    shown = row["fullname"] or row["name"]
    words = shown.split()
    base = f"/user/{row['name']}"
    tabs = [
        ("profile", base, _("Profile")),
        ("sessions", f"{base}/sessions", _("Sessions")),
        ("tokens", f"{base}/api-tokens", _("API tokens")),
    ]
    return {
        "person": {
            "shown": shown,
            "name": row["name"],
            "initials": (words[0][0] + words[-1][0] if len(words) > 1 else shown[:2]).upper(),
        },
        "tabs": [{"url": url, "text": text, "on": key == on} for key, url, text in tabs],
    }
