"""What happened to a dataset, from the audit log, for the people who share it."""

from __future__ import annotations

from typing import Any

from appliance.store import audit
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.base import conn
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
    "resource.restore": (N_("brought back a removed file"), "upload"),
    "resource.rename": (N_("renamed a file"), "draft"),
    "resource.reorder": (N_("changed the order of the files"), "draft"),
    "resource.delete": (N_("removed a file"), "trash"),
    "dataset.share": (N_("shared the dataset"), "share"),
    "dataset.unshare": (N_("ended sharing with a person"), "share"),
    "collection.add_dataset": (N_("added the dataset to a collection"), "collection"),
    "collection.remove_dataset": (N_("took the dataset out of a collection"), "collection"),
}


def of_dataset(dataset_id: str, limit: int = 12) -> list[dict[str, Any]]:
    """The latest entries about a dataset, newest first."""
    return [_entry(row) for row in audit.entries(conn(), audit.Filter(object_id=dataset_id), limit=limit)]


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    text, picture = _WORDS.get(row["action"], (row["action"].replace(".", " ").replace("_", " "), "info"))
    detail = row["detail"].get("name") or row["detail"].get("user") or ""
    return {
        "actor": row["actor"],
        "text": _(text) + (f": {detail}" if detail and isinstance(detail, str) else ""),
        "icon": picture,
        "when": show.ago(row["at"]),
        "time": row["at"] + "Z",
        "time_title": show.moment(row["at"]),
    }
