"""What was deleted and is still there whole: listed, and brought back as it was; after a while it goes to quarantine.

Datasets, circles, collections and accounts that are marked as deleted, and files that were taken out of a draft.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appliance.actions import deletion, draft_files, lookup
from appliance.actions.site import Site
from appliance.model import names, object_kinds, times
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import OPERATOR, Viewer
from appliance.security import policy
from appliance.store import audit, communities, datasets, inspection, pseudonyms, resources, users

KINDS = ("dataset", "file", "user", "circle", "collection")


def listed(site: Site, viewer: Viewer) -> list[dict[str, Any]]:
    """Everything in the trash: kind, id, name, what it belongs to, since when; newest first."""
    policy.require(viewer, "site:administer")
    with site.db.read() as conn:
        files = [_of_file(conn, one.entry, one.at) for one in site.depot.all_removed()]
        found = [*inspection.deleted(conn), *(one for one in files if one is not None)]
    return sorted(found, key=lambda one: str(one["since"]), reverse=True)


def restore(site: Site, viewer: Viewer, kind: str, ref: str) -> list[str]:
    """Bring one thing back as it was; → what the administrator should know, in sentences.

    Raises Problem 404 when it is not in the trash, 409 when its place is taken.
    """
    policy.require(viewer, "site:administer")
    if kind == "file":
        return _file(site, viewer, ref)
    if kind == "user":
        return _user(site, viewer, ref)
    return _dataset(site, viewer, ref) if kind == "dataset" else _community(site, viewer, kind, ref)


def sweep(site: Site, days: int, *, dry_run: bool = False) -> list[str]:
    """Purge datasets that have been in the trash for more than `days`; their files go to quarantine/. → their names."""
    with site.db.read() as conn:
        old = [dict(row) for row in datasets.deleted_before(conn, times.ahead(-timedelta(days=days)))]
    for row in [] if dry_run else old:
        try:
            deletion.purge(site, OPERATOR, row["id"])
        except Problem as problem:
            if problem.status != 404:  # somebody was faster
                raise
    return [row["name"] for row in old]


def _dataset(site: Site, viewer: Viewer, ref: str) -> list[str]:
    told: list[str] = []
    with site.db.write() as tx:
        row, facts = lookup.dataset(tx, viewer, ref)
        if facts.state != "deleted":
            raise invalid(
                message=Message(
                    "The dataset %(name)s is not in the trash; it is %(state)s.", name=row["name"], state=facts.state
                )
            )
        if communities.find(tx, row["circle_id"], "circle") is None:
            raise invalid(
                message=Message("Its circle has been deleted. Restore the circle first: dcor trash restore circle NAME")
            )
        name = row["name"]
        if datasets.name_taken(tx, name):
            name = names.dataset_name(row["title"], lambda text: datasets.name_taken(tx, text), facts.id)
            told.append(
                Message(
                    "Another dataset is now called %(wanted)s; this one was renamed to %(given)s.",
                    wanted=row["name"],
                    given=name,
                )
            )
        datasets.restore(tx, facts.id, name, state=row["deleted_from"] or "draft")
        audit.add(tx, viewer, "dataset.restore", "dataset", facts.id, state=row["deleted_from"] or "draft")
    return told


def _file(site: Site, viewer: Viewer, ref: str) -> list[str]:
    removed = site.depot.removed(ref)
    if removed is None:
        raise not_found(
            Message("There is no file %(ref)s in the trash. `dcor trash list` shows what is in it.", ref=ref)
        )
    draft_files.bring_back(site, viewer, removed.entry["dataset_id"], [ref])
    told: list[str] = []
    told.append(Message("Its generated files are created again."))
    return told


def _user(site: Site, viewer: Viewer, ref: str) -> list[str]:
    with site.db.write() as tx:
        row = users.find(tx, ref)
        if row is None or row["state"] != "deleted":
            raise not_found(Message("There is no user %(ref)s in the trash.", ref=ref))
        if pseudonyms.is_one(row["name"], row["id"]):
            raise invalid(
                message=Message(
                    "This person was removed permanently. To restore the account from a backup: dcor backup restore "
                    "--user NAME"
                )
            )
        users.set_state(tx, row["id"], "active")
        audit.add(tx, viewer, "user.active", "user", row["id"])
    told: list[str] = []
    told.append(
        Message(
            "Memberships and tokens were removed with the deletion: an admin of each circle must add the user again; "
            "`dcor access create` creates an access file."
        )
    )
    return told


def _community(site: Site, viewer: Viewer, kind: str, ref: str) -> list[str]:
    with site.db.write() as tx:
        row = communities.find(tx, ref, kind, deleted=True)
        if row is None or row["state"] != "deleted":
            raise not_found(
                Message("There is no %(kind)s %(ref)s in the trash.", kind=object_kinds.said(kind), ref=ref)
            )
        communities.set_state(tx, row["id"], "active")
        for dataset_id in communities.dataset_ids(tx, row["id"]):
            datasets.touch(tx, dataset_id)
        audit.add(tx, viewer, f"{kind}.restore", kind, row["id"])
    told: list[str] = []
    if kind == "collection":
        told.append(
            Message(
                "Its members and entries were removed with the deletion: add them again, or purge it and restore it "
                "from a backup."
            )
        )
    else:
        told.append(
            Message(
                "Its members were removed with the deletion: add them again, or purge it and restore it from a backup."
            )
        )
    return told


def _of_file(conn: sqlite3.Connection, entry: Mapping[str, Any], at: str) -> dict[str, Any] | None:
    """A removed file, unless its dataset is gone or it came back."""
    dataset = datasets.find(conn, entry["dataset_id"])
    if dataset is None or resources.get(conn, entry["id"]) is not None:
        return None
    return {"kind": "file", "id": entry["id"], "name": entry["name"], "of": dataset["name"], "since": at}
