"""What happened to a dataset, from the audit log, for the people who share it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from appliance.model.viewer import DatasetFacts
from appliance.store import audit, resources, users
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import may
from appliance.web.pages.frame.base import conn, viewer
from appliance.web.pages.frame.i18n import N_, ngettext
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
    "dataset.version": (N_("started a new version"), "copy"),
    "resource.share": (N_("kept a file from the earlier version"), "copy"),
    "resource.restore": (N_("restored a removed file"), "upload"),
    "resource.rename": (N_("renamed a file"), "draft"),
    "resource.reorder": (N_("changed the order of the files"), "draft"),
    "resource.delete": (N_("removed a file"), "trash"),
    "dataset.share": (N_("shared the dataset"), "share"),
    "dataset.reference": (N_("changed whether the measurements count as references"), "gauge"),
    "access.request": (N_("requested access"), "lock"),
    "access.decline": (N_("declined an access request"), "lock"),
    "dataset.unshare": (N_("stopped sharing with a person"), "share"),
    "collection.add_dataset": (N_("added the dataset to a collection"), "collection"),
    "collection.remove_dataset": (N_("removed the dataset from a collection"), "collection"),
}


#: Entries that say with whom a dataset is shared.
_SHARING = frozenset({"dataset.share", "dataset.unshare"})


#: Entries that are looked at for the few that are shown: files that were added together are one of these.
_LOOKED_AT = 400


def of_dataset(facts: DatasetFacts, limit: int = 12) -> list[dict[str, Any]]:
    """What was last done to a dataset and its files, newest first; the same by the same person in a row is one entry.

    Collaborators from outside the circle do not read who is in it, and whoever may not list collaborators reads none here.
    """
    inside = viewer().sysadmin or facts.circle_id in viewer().circles
    shared = may("dataset:collaborators", facts)
    files = {row["id"]: row["name"] for row in resources.of_dataset(conn(), facts.id)}
    rows = [
        row
        for row in audit.entries(conn(), audit.Filter(objects=(facts.id, *files)), limit=_LOOKED_AT)
        if shared or not row["action"].startswith("access.")
    ]
    found: list[dict[str, Any]] = []
    for (action, actor), group in groupby(rows, key=lambda row: (row["action"], row["actor"])):
        together = list(group)
        named = inside or actor == viewer().name
        detailed = shared if action in _SHARING else inside
        if action in _OF_FILES:
            found.append(
                _entry(together[0], named, _of_files(action, [files.get(row["object_id"], "") for row in together]))
            )
        else:
            found += [_entry(row, named, _sentence(row, detailed=detailed)) for row in together]
        if len(found) >= limit:
            break
    return found[:limit]


_OF_FILES = frozenset({"resource.create", "resource.share", "resource.update", "resource.restore", "resource.rename"})


def _of_files(action: str, names: list[str]) -> str:
    """What was done to one file, by its name, or to how many."""
    number = len(set(names))
    if number == 1:
        return f"{_(_WORDS[action][0])}: {names[0]}"
    texts = {
        "resource.create": ngettext("added %(num)s file", "added %(num)s files", number),
        "resource.share": ngettext(
            "kept %(num)s file from the earlier version", "kept %(num)s files from the earlier version", number
        ),
        "resource.update": ngettext("described %(num)s file", "described %(num)s files", number),
        "resource.restore": ngettext("restored %(num)s file", "restored %(num)s files", number),
        "resource.rename": ngettext("renamed %(num)s file", "renamed %(num)s files", number),
    }
    return texts[action]


def _sentence(row: dict[str, Any], *, detailed: bool) -> str:
    text = _WORDS.get(row["action"], (row["action"].replace(".", " ").replace("_", " "), ""))[0]
    detail = (row["detail"].get("name") or _person(row["detail"].get("user")) or "") if detailed else ""
    return _(text) + (f": {detail}" if detail and isinstance(detail, str) else "")


def _entry(row: dict[str, Any], named: bool, text: str) -> dict[str, Any]:
    return {
        "actor": _person(row["actor"]) or row["actor"] if named else _("Someone else"),
        "text": text,
        "icon": _WORDS.get(row["action"], ("", "info"))[1],
        "when": show.ago(row["at"]),
        "time": row["at"] + "Z",
        "time_title": show.moment(row["at"]),
    }


def _person(ref: object) -> str:
    """What a user is called, from their id or log-in name."""
    row = users.find(conn(), ref) if isinstance(ref, str) else None
    return "" if row is None else str(row["fullname"] or row["name"])
