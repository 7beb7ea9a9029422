"""Actions on what belongs to circles and collections: people with their roles, datasets."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from appliance.actions import collecting, lookup
from appliance.actions import communities as verbs
from appliance.model import roles
from appliance.model.problem import invalid
from appliance.security import policy
from appliance.store import collections, communities, datasets
from appliance.web.api.communities import CIRCLE, COLLECTION, dataset_pks
from appliance.web.api.registry import Call, action, listing, text

_ID = text("id", "Id or name of the circle or collection", required=True)
_MEMBER = (
    _ID,
    text("object", "Id or name of what is added or removed", required=True),
    text("object_type", "package, user or group", required=True),
)


@action(
    "member_create",
    *_MEMBER,
    text("capacity", "A user's role; anything for a dataset", required=True),
    rule="write",
    asks="collection:datasets dataset:update circle:members collection:members",
)
def member_create(call: Call) -> dict[str, Any]:
    """Put a dataset into a collection, or give a user a role in a circle or collection."""
    row = _any(call)
    if call["object_type"] == "package":
        _require_collection(call, row)
        return collecting.add(call.context, call.viewer, row["id"], [call["object"]])[0]
    if call["object_type"] == "user":
        return verbs.set_member(call.context, call.viewer, row["kind"], row["id"], call["object"], call["capacity"])
    raise invalid({"object_type": ["One of package, user is needed"]})


@action(
    "member_delete",
    *_MEMBER,
    rule="write",
    asks="collection:datasets dataset:withdraw circle:members collection:members user:update",
)
def member_delete(call: Call) -> None:
    """Take a dataset out of a collection, or a user out of a circle or collection."""
    row = _any(call)
    if call["object_type"] == "package":
        _require_collection(call, row)
        collecting.remove(call.context, call.viewer, row["id"], call["object"])
    elif call["object_type"] == "user":
        verbs.remove_member(call.context, call.viewer, row["kind"], row["id"], call["object"])
    else:
        raise invalid({"object_type": ["One of package, user is needed"]})


@action(
    "member_list",
    _ID,
    text("object_type", "package, user or group"),
    text("capacity", "Only this role"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def member_list(call: Call) -> list[list[str]]:
    """What belongs to a circle or collection: `[id, type, role]`. People are listed for its members only."""
    wanted, capacity = call["object_type"], (call["capacity"] or "").lower()
    with call.context.db.read() as conn:
        row = lookup.any_community(conn, call["id"])
        found: list[list[str]] = []
        rule, facts = f"{row['kind']}:member_list", communities.facts(row)
        if wanted == "user":
            policy.require(call.viewer, rule, facts)
        if wanted in (None, "", "user") and policy.may(call.viewer, rule, facts):
            found += [
                [user["id"], "user", user["role"].capitalize()]
                for user in communities.members(conn, row["id"])
                if capacity in ("", user["role"])
            ]
        if wanted in (None, "", "package") and capacity in ("", "public", "organization", "member"):
            shown = "Organization" if row["kind"] == CIRCLE else "Public"
            pks = dataset_pks(conn, row, call.viewer, -1)
            found += [[dataset_id, "package", shown] for dataset_id in datasets.ids(conn, pks)]
    return found


@action(
    "dataset_collection_list",
    text("id", "Id or name of the dataset", required=True),
    rule="site:user",
    asks="dataset:collections",
    get=True,
    cacheable=True,
)
def dataset_collection_list(call: Call) -> list[dict[str, Any]]:
    """The collections that hold a dataset, for those who may change it: who put it there, when, and if that still grants reading."""
    with call.context.db.read() as conn:
        _, facts = lookup.dataset(conn, call.viewer, call["id"], "dataset:collections")
        rows = collections.of_dataset(conn, facts.id)
    return [
        {
            "package_id": facts.id,
            "group_id": row["id"],
            "group_name": row["name"],
            "user_id": row["added_by"],
            "user_name": row["maker"],
            "basis": row["basis"],
            "granted": bool(row["granted"]),
            "modified": row["added"],
        }
        for row in rows
    ]


@action(
    "member_roles_list",
    text("group_type", "group or organization", default="organization"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def member_roles_list(call: Call) -> list[Mapping[str, str]]:
    """The roles there are."""
    return [{"text": role.capitalize(), "value": role} for role in roles.ROLES]


@action(
    "bulk_update_public",
    text("org_id", "Id or name of the circle", required=True),
    listing("datasets", "Ids of datasets", required=True),
    rule="write",
    asks="circle:publish",
)
def bulk_update_public(call: Call) -> None:
    """Make datasets of a circle public, all or none."""
    verbs.publish(call.context, call.viewer, call["org_id"], call["datasets"])


for _name, _deletes, _words in (
    ("bulk_update_private", False, "Make datasets of a circle private"),
    ("bulk_update_delete", True, "Delete datasets of a circle"),
):

    @action(
        _name,
        text("org_id", "Id or name of the circle", required=True),
        listing("datasets", "Ids of datasets", required=True),
        rule="write",
        asks="circle:withdraw",
        doc=f"{_words}, all or none (administrators only).",
    )
    def bulk_withdraw(call: Call, deletes: bool = _deletes) -> None:
        """Hide or delete several datasets of a circle in one transaction."""
        verbs.withdraw(call.context, call.viewer, call["org_id"], call["datasets"], delete=deletes)


def _any(call: Call) -> sqlite3.Row:
    with call.context.db.read() as conn:
        return lookup.any_community(conn, call["id"])


def _require_collection(call: Call, row: sqlite3.Row) -> None:
    """Raises Problem 404 or 403 for a dataset that is not there or hidden, 409 when datasets can not be put into `row`."""
    if row["kind"] != COLLECTION:
        policy.require(call.viewer, "circle:members", communities.facts(row))
        with call.context.db.read() as conn:
            lookup.dataset(conn, call.viewer, call["object"])
        raise invalid({"id": ["Datasets are added to collections; a dataset's circle is its owner_org"]})
