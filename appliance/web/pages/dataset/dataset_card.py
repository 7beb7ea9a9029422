"""Datasets as list entries and tiles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from appliance.actions import virus_gate
from appliance.store import dataset_cards
from appliance.web.pages.dataset import verdict
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import markdown
from appliance.web.pages.frame.base import conn, settings, viewer
from appliance.web.pages.frame.i18n import gettext as _


def hits(pks: Iterable[int]) -> list[dict[str, Any]]:
    """View models of the datasets with these row numbers, in this order."""
    order = list(pks)
    grades = dataset_cards.grades(conn(), order)
    cards = dataset_cards.by_pks(conn(), order)
    pictures = [card["thumbnail"] for card in cards if card["thumbnail"]]
    hidden = virus_gate.withheld(conn(), settings(), viewer().user_id, pictures)
    return [hit(card, grades.get(card["pk"], {}), picture=card["thumbnail"] not in hidden) for card in cards]


def hit(card: sqlite3.Row, grades: dict[str, int], *, picture: bool) -> dict[str, Any]:
    """The view model of one card; `grades`: how many of its files have which verdict, `picture`: may its picture be shown?"""
    meta = [show.resources(card["resources"])]
    if card["events"]:
        meta.append(show.events(card["events"]))
    if card["size"]:
        meta.append(show.size(card["size"]))
    return {
        "id": card["id"],
        "url": dataset_url(card),
        "title": card["title"] or card["name"],
        "badges": state_badges(card["state"], private=bool(card["private"])) + verdict.badges(grades),
        "authors": card["authors"],
        "summary": markdown.excerpt(card["notes"]) if card["notes"] else "",
        "circle": {"text": card["circle_title"] or card["circle_name"], "url": f"/organization/{card['circle_name']}"},
        "meta": meta,
        "meta_line": " · ".join(meta),
        "when": show.date(card["created"]),
        "time": card["created"] + "Z",
        "time_title": show.moment(card["created"]),
        "thumb": f"/dataset/{card['id']}/resource/{card['thumbnail']}/thumbnail.webp"
        if card["thumbnail"] and picture
        else "",
    }


def dataset_url(row: sqlite3.Row) -> str:
    """The address of a dataset's page: by name, except for deleted ones, whose name may be taken again."""
    return f"/dataset/{row['id'] if row['state'] == 'deleted' else row['name']}"


def state_badges(state: str, *, private: bool) -> list[dict[str, str]]:
    """What a reader must know at a glance: draft, deleted, private or public."""
    found = []
    if state == "draft":
        found.append({"kind": "warn", "icon": "draft", "text": _("Draft"), "hint": _("Its content can still change")})
    if state == "deleted":
        found.append({"kind": "bad", "icon": "trash", "text": _("Deleted"), "hint": ""})
    if private:
        found.append(
            {
                "kind": "violet",
                "icon": "lock",
                "text": _("Private"),
                "hint": _("Visible to members of its circle and collections and to people it is shared with"),
            }
        )
    elif state == "active":
        found.append(
            {
                "kind": "good",
                "icon": "globe",
                "text": _("Public"),
                "hint": _("Visible to everyone with access to this server"),
            }
        )
    return found
