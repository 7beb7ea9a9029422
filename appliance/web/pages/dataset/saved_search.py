"""The way from a search to the form that saves it."""

from __future__ import annotations

from flask import request

from appliance.web.pages.frame.base import viewer
from appliance.web.pages.frame.render import url_with


def save_url(page: str) -> str:
    """Where the search of the page that is shown can be saved; "" for a stranger."""
    if not viewer().user_id:
        return ""
    return url_with("/searches/new", page=page, query=request.query_string.decode("ascii", "replace"))
