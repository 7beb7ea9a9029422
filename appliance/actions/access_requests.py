"""Requests for access to a dataset by its link. The requester does not learn whether it exists until access is granted."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from appliance.actions import lookup
from appliance.actions.site import Site
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import access_requests, audit, communities, datasets, notifications, sharing

#: Characters of the message to the circle.
LONGEST = 1000
#: After a decision, further requests of the same person for the same dataset are ignored for this long.
_QUIET = timedelta(days=30)


def ask(site: Site, viewer: Viewer, ref: str, message: str) -> None:
    """Ask the circle of a dataset for access. What comes back is the same for what is hidden, missing or already asked for.

    :raises Problem: 403 for strangers, 409 for a message that is too long, 429 for too many requests.
    """
    policy.require(viewer, "access:request")
    message = message.strip()
    if len(message) > LONGEST:
        raise invalid({"message": [Message("At most %(most)s characters are accepted", most=LONGEST)]})
    wait = site.limiter.access_request(viewer.user_id or "")
    if wait:
        raise Problem(429, "Too Many Requests", message=Message("You have sent many requests. Wait until tomorrow."))
    with site.db.write() as tx:
        facts = datasets.facts(tx, ref)
        if facts is None or facts.state == "deleted" or policy.may(viewer, "dataset:read", facts):
            return
        user_id = viewer.user_id or ""
        if access_requests.asked_since(tx, facts.id, user_id, times.ahead(-_QUIET)):
            return
        access_requests.add(tx, facts.id, user_id, message)
        audit.add(tx, viewer, "access.request", "dataset", facts.id)
        for admin in communities.members(tx, facts.circle_id):
            if admin["role"] == "admin":
                notifications.add(tx, admin["id"], "request", facts.id, user_id)


def listed(conn: sqlite3.Connection, viewer: Viewer) -> list[sqlite3.Row]:
    """The open requests that the caller may decide, oldest first."""
    own = None if viewer.sysadmin else [one for one, role in viewer.circles.items() if role == "admin"]
    return access_requests.open_of_circles(conn, own)


def facts_of(conn: sqlite3.Connection, request_id: str) -> DatasetFacts:
    """The dataset that an open request is about. Raises Problem 404."""
    row = access_requests.get(conn, request_id)
    facts = None if row is None or row["state"] != "open" else datasets.facts(conn, row["dataset_id"])
    if facts is None:
        raise not_found(Message("This request has already been decided, or does not exist."))
    return facts


def decide(site: Site, viewer: Viewer, request_id: str, *, grant: bool) -> None:
    """Grant a request (the person can then read the dataset) or decline it (nobody is told). Raises Problem 403 or 404."""
    with site.db.write() as tx:
        facts = facts_of(tx, request_id)
        if not policy.may(viewer, "dataset:read", facts):
            raise not_found(lookup.NOT_SEEN)
        policy.require(viewer, "dataset:share", facts)
        row = access_requests.get(tx, request_id)
        assert row is not None  # noqa: S101 - it has facts
        access_requests.decide(tx, request_id, "granted" if grant else "declined", viewer.user_id)
        if not grant:
            audit.add(tx, viewer, "access.decline", "dataset", facts.id, user=row["user_id"])
            return
        held = {one["user_id"] for one in sharing.collaborators(tx, facts.id)}
        if row["user_id"] not in held:
            sharing.set_collaborator(tx, facts.id, row["user_id"], "member")
            datasets.refresh(tx, facts.id)
        audit.add(tx, viewer, "dataset.share", "dataset", facts.id, user=row["user_id"], capacity="member")
        notifications.add(tx, row["user_id"], "shared", facts.id, viewer.user_id)
