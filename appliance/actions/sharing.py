"""Sharing single datasets with single users."""

from __future__ import annotations

from typing import Any

from appliance.actions import callers, lookup
from appliance.actions.site import Site
from appliance.model import roles
from appliance.model.problem import invalid, missing, not_found
from appliance.model.viewer import Viewer
from appliance.store import audit, datasets, notifications, sharing


def require_capacity(capacity: str) -> None:
    """Is it one that a collaborator can have ("": any)? Raises Problem 409."""
    if capacity and capacity not in roles.CAPACITIES:
        raise invalid(message='Role must be one of "editor, member"')


def share(site: Site, viewer: Viewer, ref: str | None, user_ref: str | None, capacity: str | None) -> dict[str, Any]:
    """Let a user read ("member") or edit ("editor") one dataset; returns the collaboration. Raises Problem 403, 404, 409."""
    if not capacity:
        raise missing("capacity")
    require_capacity(capacity)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # it may have waited for the writer
        _, facts = lookup.dataset(tx, viewer, ref, "dataset:share")
        user = lookup.user(tx, user_ref, field="user_id")
        modified = sharing.set_collaborator(tx, facts.id, user["id"], capacity)
        datasets.refresh(tx, facts.id)
        audit.add(tx, viewer, "dataset.share", "dataset", facts.id, user=user["id"], capacity=capacity)
        if user["id"] != viewer.user_id:
            notifications.add(tx, user["id"], "shared", facts.id, viewer.user_id)
    return {"package_id": facts.id, "user_id": user["id"], "capacity": capacity, "modified": modified}


def unshare(site: Site, viewer: Viewer, ref: str | None, user_ref: str | None) -> None:
    """End a collaboration. Raises Problem 403, or 404 when there is none."""
    with site.db.write() as tx:
        _, facts = lookup.dataset(tx, viewer, ref, "dataset:share")
        user = lookup.user(tx, user_ref, field="user_id")
        if not sharing.remove_collaborator(tx, facts.id, user["id"]):
            raise not_found(f"User {user['id']} is not a collaborator on this dataset")
        datasets.refresh(tx, facts.id)
        audit.add(tx, viewer, "dataset.unshare", "dataset", facts.id, user=user["id"])
