"""Finding what a caller means, and refusing in the right words when it is not there or not for them."""

from __future__ import annotations

import sqlite3

from appliance.model.messages import Message
from appliance.model.problem import missing, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import communities, datasets, resources, users

#: Said of what is hidden and of what is not there, so that nobody learns which it is.
NOT_SEEN = Message("There is no such dataset or file, or you have no access to it")


def dataset(
    conn: sqlite3.Connection, viewer: Viewer, ref: str | None, rule: str = "dataset:read"
) -> tuple[sqlite3.Row, DatasetFacts]:
    """The dataset with this id or name, if `viewer` may do what `rule` says.

    Raises Problem 404 when it is missing or hidden (both look alike), 403 when it may be read but no more.
    """
    if not ref:
        raise missing("id")
    row = datasets.find(conn, ref)
    facts = None if row is None else datasets.facts_of(conn, row)
    if row is None or facts is None or not policy.may(viewer, "dataset:read", facts):
        raise not_found(NOT_SEEN)
    policy.require(viewer, rule, facts)
    return row, facts


def resource(
    conn: sqlite3.Connection, viewer: Viewer, resource_id: str | None, rule: str = "dataset:read"
) -> tuple[sqlite3.Row, DatasetFacts]:
    """The resource with this id and the facts of its dataset, if `viewer` may do what `rule` says.

    Raises Problem 404 when it is missing or hidden (both look alike), 403 when it may be read but no more.
    """
    if not resource_id:
        raise missing("id")
    row = resources.get(conn, resource_id)
    facts = None if row is None else datasets.facts(conn, row["dataset_id"])
    if row is None or facts is None or not policy.may(viewer, "dataset:read", facts):
        raise not_found(NOT_SEEN)
    if not policy.may(viewer, rule, facts):
        reason = policy.refusal(viewer, rule, facts)
        reason.message = reason.message.replace(f"package {facts.id}", f"resource {resource_id}")
        raise reason
    return row, facts


def community(conn: sqlite3.Connection, ref: str | None, kind: str, *, deleted: bool = False) -> sqlite3.Row:
    """The circle or collection (`kind`) with this id or name. Raises Problem 404."""
    if not ref:
        raise missing("id")
    row = communities.find(conn, ref, kind, deleted=deleted)
    if row is None:
        raise not_found()
    return row


def any_community(conn: sqlite3.Connection, ref: str | None) -> sqlite3.Row:
    """The circle or collection with this id or name. Raises Problem 404."""
    if not ref:
        raise missing("id")
    row = communities.find(conn, ref, "circle") or communities.find(conn, ref, "collection")
    if row is None:
        raise not_found()
    return row


def user(conn: sqlite3.Connection, ref: str | None, *, field: str = "id", deleted: bool = False) -> sqlite3.Row:
    """The user (`deleted`: also a deleted one) with this id or name. Raises Problem 404."""
    if not ref:
        raise missing(field)
    row = users.find(conn, ref)
    if row is None or (row["state"] == "deleted" and not deleted):
        raise not_found()
    return row


def acquaintance(conn: sqlite3.Connection, viewer: Viewer, ref: str | None) -> sqlite3.Row:
    """The active user with this id or name, whom every user may find (see ``user:complete``). Raises Problem 403 or 404."""
    if not ref:
        raise missing("id")
    row = users.find(conn, ref)
    if row is None or row["state"] != "active":
        policy.require(viewer, "user:find", ref)
        raise not_found()
    policy.require(viewer, "user:find", row["id"])
    return row


def person(conn: sqlite3.Connection, viewer: Viewer, ref: str | None, rule: str, *, field: str = "id") -> sqlite3.Row:
    """The user with this id or name, if `viewer` may do what `rule` says.

    Others are refused alike whether there is such a user or not (Problem 403); those who may look get Problem 404.
    """
    if not ref:
        raise missing(field)
    row = users.find(conn, ref)
    if row is not None and row["state"] != "deleted" and policy.may(viewer, rule, row["id"]):
        return row
    policy.require(viewer, rule, ref)
    raise not_found()
