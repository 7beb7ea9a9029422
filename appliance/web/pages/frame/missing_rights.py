"""What somebody lacks who was refused, and whom to ask, in the words of the page that they wanted."""

from __future__ import annotations

import sqlite3

from flask import g, request

from appliance.store import communities, datasets
from appliance.web.pages.frame.base import conn, viewer
from appliance.web.pages.frame.i18n import gettext as _

_EDITOR = frozenset({
    "dataset:update", "dataset:delete", "dataset:restore", "dataset:purge", "dataset:collect", "dataset:withdraw",
    "dataset:version", "dataset:publish", "dataset:license", "resource:arrange",
})  # fmt: skip
_ADMIN = frozenset({"dataset:share", "dataset:collaborators"})


def explained() -> tuple[str, str, str]:
    """(Sentence, link, text of the link) about the refused request; empty texts where nothing better is known."""
    rule = g.get("pending_rule") or ""
    name = next((value for value in (request.view_args or {}).values() if isinstance(value, str)), "")
    if rule in _EDITOR | _ADMIN:
        row = datasets.visible(conn(), name, viewer())
        circle = communities.find(conn(), row["circle_id"], "circle") if row is not None else None
        if circle is not None:
            return _of_circle(circle, editor=rule in _EDITOR)
    if rule.startswith("circle:") and (circle := communities.find(conn(), name, "circle")) is not None:
        return _of_circle(circle, editor=False)
    if rule.startswith("collection:") and (found := communities.find(conn(), name, "collection")) is not None:
        title = found["title"] or found["name"]
        text = _("To do this you need to be an admin of the collection %(name)s. Ask one of its admins.", name=title)
        return text, f"/group/{found['name']}", _("Open the collection")
    return "", "", ""


def _of_circle(circle: sqlite3.Row, *, editor: bool) -> tuple[str, str, str]:
    title = circle["title"] or circle["name"]
    if editor:
        text = _(
            "To do this you need to be an editor or admin of the circle %(name)s. Ask one of its admins to give you that role.",
            name=title,
        )
    else:
        text = _("To do this you need to be an admin of the circle %(name)s. Ask one of its admins.", name=title)
    if circle["id"] in viewer().circles:
        return text, f"/organization/{circle['name']}/members", _("See the members")
    return text, f"/organization/{circle['name']}", _("Open the circle")
