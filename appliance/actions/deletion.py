"""Deleting, restoring and purging datasets; several at once, all or none."""

from __future__ import annotations

import sqlite3

from appliance.actions import lookup, resources
from appliance.actions.site import Site
from appliance.model import names, states
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_authorized
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import audit, communities, datasets

#: Datasets that one call deletes, restores or purges.
MOST = 200


def delete(site: Site, viewer: Viewer, *refs: str | None) -> None:
    """Mark drafts as deleted (an admin: any datasets). Raises Problem 403 or 404; then none of them is deleted."""
    _require_few(refs)
    with site.db.write() as tx:
        for ref in refs:
            _, facts = lookup.dataset(tx, viewer, ref, "dataset:delete")
            if facts.state != "draft" and not viewer.sysadmin:
                raise not_authorized(Message("Only draft datasets can be deleted!"))
            datasets.mark_deleted(tx, facts.id)
            audit.add(tx, viewer, "dataset.delete", "dataset", facts.id)


def restore(site: Site, viewer: Viewer, *refs: str | None) -> None:
    """Make deleted drafts drafts again, with the collections, people and followers they had, as far as these still exist.

    :raises Problem: 403, 404, or 409 for what was no draft; then none of them is restored.
    """
    _require_few(refs)
    with site.db.write() as tx:
        for ref in refs:
            row, facts = lookup.dataset(tx, viewer, ref, "dataset:restore")
            require_restorable(row)
            name = row["name"]
            if datasets.name_taken(tx, name):
                name = names.dataset_name(row["title"], lambda text: datasets.name_taken(tx, text), facts.id)
            datasets.restore(tx, facts.id, name)
            audit.add(tx, viewer, "dataset.restore", "dataset", facts.id)


def bring_back(tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, name: str, state: str) -> None:
    """A deleted dataset gets another state, with what it had left. Raises Problem 409 when its circle or its name is gone."""
    if communities.find(tx, row["circle_id"], "circle") is None:
        raise invalid(
            {
                "owner_org": [
                    Message("Its circle has been deleted. Restore the circle first: dcor trash restore circle NAME")
                ]
            }
        )
    if datasets.name_taken(tx, name):
        raise invalid(
            {"name": [Message("Another dataset is called %(name)s now; give this one another name", name=name)]}
        )
    datasets.restore(tx, row["id"], name, state=state)
    audit.add(tx, viewer, "dataset.restore", "dataset", row["id"], state=state)


def require_restorable(row: sqlite3.Row) -> None:
    """Only what was a draft comes back: an active dataset would come back changeable. Raises Problem 409."""
    if not states.may_be_restored(states.State(row["state"]), row["deleted_from"]):
        message = "Only deleted drafts can be restored."
        raise Problem(409, "Validation Error", message=message)


def may_restore(viewer: Viewer, row: sqlite3.Row, facts: policy.Facts) -> bool:
    """Would `restore` do it?"""
    return states.may_be_restored(states.State(row["state"]), row["deleted_from"]) and policy.may(
        viewer, "dataset:restore", facts
    )


def purge(site: Site, viewer: Viewer, *refs: str | None) -> None:
    """Remove deleted datasets for good; their files go to quarantine. Raises Problem 403 or 404; then none is removed."""
    _require_few(refs)
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        for ref in refs:
            row, facts = lookup.dataset(tx, viewer, ref, "dataset:purge")
            if facts.state != "deleted" and not viewer.sysadmin:
                raise not_authorized(Message("Only deleted datasets can be purged!"))
            removed = datasets.purge(tx, facts.id)
            files.removed += removed
            audit.add(tx, viewer, "dataset.purge", "dataset", facts.id, name=row["name"], resources=len(removed))


def _require_few(refs: tuple[str | None, ...]) -> None:
    if len(refs) > MOST:
        raise Problem(
            409, "Validation Error", message=Message("At most %(most)s datasets are accepted in one call", most=MOST)
        )
