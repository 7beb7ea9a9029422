"""Following datasets, circles, collections and users: a private list of one's own, which gives no rights."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.actions import lookup
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, missing
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import datasets, following, users

KINDS = ("dataset", "community", "user")


def find(conn: sqlite3.Connection, viewer: Viewer, kind: str, ref: str | None) -> str:
    """The id of what `viewer` wants to follow. Raises Problem 404 when it is missing or hidden (both look alike)."""
    if kind == "dataset":
        return lookup.dataset(conn, viewer, ref)[1].id
    if kind == "community":
        return str(lookup.any_community(conn, ref)["id"])
    return str(lookup.acquaintance(conn, viewer, ref)["id"])


def follow(site: Site, viewer: Viewer, kind: str, ref: str | None) -> dict[str, Any]:
    """Follow something (again is fine); returns the entry. Raises Problem 403, 404 or 409."""
    policy.require(viewer, "follow:change")
    with site.db.write() as tx:
        id_ = find(tx, viewer, kind, ref)
        if kind == "user" and id_ == viewer.user_id:
            raise invalid(message=Message("You cannot follow yourself"))
        since = following.follow(tx, viewer.user_id or "", kind, id_)
    return {"follower_id": viewer.user_id, "object_id": id_, "datetime": since}


def unfollow(site: Site, viewer: Viewer, kind: str, ref: str | None) -> None:
    """Stop following; without effect on what one does not follow. What is hidden since can be given up, too.

    Raises Problem 404 for what one neither follows nor may see.
    """
    policy.require(viewer, "follow:change")
    if not ref:
        raise missing("id")
    with site.db.write() as tx:
        try:
            id_ = find(tx, viewer, kind, ref)
        except Problem:
            row = {"dataset": datasets.find, "user": users.find}[kind](tx, ref) if kind != "community" else None
            if row is None or not following.unfollow(tx, viewer.user_id or "", kind, row["id"]):
                raise
        else:
            following.unfollow(tx, viewer.user_id or "", kind, id_)
