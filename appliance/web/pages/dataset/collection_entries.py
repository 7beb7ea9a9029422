"""The collections that hold a dataset, put there by whom, and whether their members read it for that."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model.viewer import DatasetFacts
from appliance.store import collections, communities
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import may
from appliance.web.pages.frame.base import conn
from appliance.web.pages.frame.i18n import gettext as _


def shown(facts: DatasetFacts) -> list[dict[str, Any]]:
    """One entry for each collection, by name. Who put it there is told to those who may change the dataset."""
    told = may("dataset:collections", facts)
    return [_entry(row, facts, told=told) for row in collections.of_dataset(conn(), facts.id)]


def _entry(row: sqlite3.Row, facts: DatasetFacts, *, told: bool) -> dict[str, Any]:
    weak = not facts.public and (not row["granted"] or row["basis"] == "earlier")
    return {
        "name": row["name"],
        "text": row["title"] or row["name"],
        "url": f"/group/{row['name']}",
        "by": _by(row) if told else "",
        "badges": [_badge(row)] if told and weak else [],
        "again": told and weak and may("dataset:collect", facts),
        "removable": may("dataset:withdraw", facts) or may("collection:datasets", communities.facts(row)),
    }


def _by(row: sqlite3.Row) -> str:
    if row["maker"]:
        who = _("added by %(name)s", name=row["maker_name"])
    elif row["basis"] == "operator":
        who = _("added on the command line")
    else:
        who = _("added before this was recorded")
    return f"{who}, {show.date(row['added'])}" if row["added"] else who


def _badge(row: sqlite3.Row) -> dict[str, str]:
    if row["granted"]:
        return {
            "kind": "warn",
            "icon": "clock",
            "text": _("Not confirmed"),
            "hint": _("It was added before the server checked who is allowed to. Confirm or remove it."),
        }
    return {
        "kind": "warn",
        "icon": "lock",
        "text": _("No longer granted"),
        "hint": _("The person who added it cannot change this dataset, so members of the collection cannot see it."),
    }
