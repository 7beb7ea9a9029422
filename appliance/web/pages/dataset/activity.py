"""What happened to a dataset, from the audit log, for the people who share it."""

from __future__ import annotations

from typing import Any

from appliance.model.viewer import DatasetFacts
from appliance.store import audit, users
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import may
from appliance.web.pages.frame.base import conn, viewer
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _

#: action → (sentence after the actor's name, picture)
_WORDS = {
    "dataset.create": (N_("created the draft"), "plus"),
    "dataset.update": (N_("changed the description"), "draft"),
    "dataset.activate": (N_("activated the dataset"), "check"),
    "dataset.publish": (N_("made the dataset public"), "globe"),
    "dataset.license": (N_("changed the licence"), "scale"),
    "dataset.delete": (N_("deleted the dataset"), "trash"),
    "dataset.restore": (N_("restored the draft"), "draft"),
    "dataset.move": (N_("moved the dataset to another circle"), "circle"),
    "dataset.download": (N_("downloaded the dataset"), "download"),
    "resource.create": (N_("added a file"), "upload"),
    "resource.update": (N_("changed a file's description"), "draft"),
    "dataset.version": (N_("began a new version"), "copy"),
    "resource.share": (N_("took over a file of the earlier version"), "copy"),
    "resource.restore": (N_("brought back a removed file"), "upload"),
    "resource.rename": (N_("renamed a file"), "draft"),
    "resource.reorder": (N_("changed the order of the files"), "draft"),
    "resource.delete": (N_("removed a file"), "trash"),
    "dataset.share": (N_("shared the dataset"), "share"),
    "access.request": (N_("requested access"), "lock"),
    "access.decline": (N_("declined a request for access"), "lock"),
    "dataset.unshare": (N_("ended sharing with a person"), "share"),
    "collection.add_dataset": (N_("added the dataset to a collection"), "collection"),
    "collection.remove_dataset": (N_("took the dataset out of a collection"), "collection"),
}


#: Entries that say with whom a dataset is shared.
_SHARING = frozenset({"dataset.share", "dataset.unshare"})


def of_dataset(facts: DatasetFacts, limit: int = 12) -> list[dict[str, Any]]:
    """The latest entries about a dataset, newest first.

    Collaborators from outside the circle do not read who is in it, and whoever may not list collaborators reads none here.
    """
    inside = viewer().sysadmin or facts.circle_id in viewer().circles
    shared = may("dataset:collaborators", facts)
    return [
        _entry(
            row, named=inside or row["actor"] == viewer().name, detailed=shared if row["action"] in _SHARING else inside
        )
        for row in audit.entries(conn(), audit.Filter(object_id=facts.id), limit=limit)
        if shared or not row["action"].startswith("access.")
    ]


def _entry(row: dict[str, Any], *, named: bool, detailed: bool) -> dict[str, Any]:
    text, picture = _WORDS.get(row["action"], (row["action"].replace(".", " ").replace("_", " "), "info"))
    detail = (row["detail"].get("name") or _login(row["detail"].get("user")) or "") if detailed else ""
    return {
        "actor": row["actor"] if named else _("Someone else"),
        "text": _(text) + (f": {detail}" if detail and isinstance(detail, str) else ""),
        "icon": picture,
        "when": show.ago(row["at"]),
        "time": row["at"] + "Z",
        "time_title": show.moment(row["at"]),
    }


def _login(user_id: object) -> str:
    """The log-in name of a user."""
    row = users.find(conn(), user_id) if isinstance(user_id, str) else None
    return "" if row is None else str(row["name"])
