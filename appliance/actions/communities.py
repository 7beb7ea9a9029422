"""Circles and collections: create, change, delete; members, quotas, datasets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any

from appliance.actions import callers, collecting, lookup, managed_accounts, upload_limits
from appliance.actions.site import Site
from appliance.model import extras, names, roles
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, missing, not_authorized, not_found
from appliance.model.values import as_text, text_error
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import audit, communities, datasets
from appliance.store.search import index

_TEXTS = ("title", "description", "image_url")
_LONGEST = 20_000
#: Fields of the object itself, which no extra can be called.
_FIELDS = frozenset({"id", "name", *_TEXTS, "type", "state", "users", "packages", "tags", "groups"})
#: Datasets whose search entries are rewritten in one transaction.
_AT_ONCE = 25
#: What one call may name: more than clients send, and done in a moment.
MOST_DATASETS, MOST_USERS = 200, 5000


def create(site: Site, viewer: Viewer, kind: str, data: Mapping[str, Any]) -> str:
    """Found a circle or collection (`kind`); the founder is its first admin. A collection may begin with `packages`. Returns the id. Raises Problem 403 or 409."""
    policy.require(viewer, f"{kind}:create")
    name = as_text(data.get("name"))
    if not name:
        raise missing("name")
    names.require_name(name)
    id_ = data.get("id") or None
    if id_ is not None and not viewer.sysadmin:
        raise invalid({"id": ["The input field id was not expected."]})
    if id_ is not None and not names.is_id(id_):
        raise invalid({"id": ["Must be a UUID in small letters"]})
    upload_limits.require_reserve(site)
    with site.db.write() as tx:
        if id_ is not None and any(communities.find(tx, id_, one, deleted=True) for one in ("circle", "collection")):
            raise invalid({"id": ["Id already exists"]})
        community_id = communities.create(tx, kind, name, id_=id_, **_texts(data))
        if viewer.user_id:
            communities.set_member(tx, community_id, viewer.user_id, "admin")
        for user_ref, role in _listed_users(data.get("users")):
            communities.set_member(tx, community_id, lookup.user(tx, user_ref, field="users")["id"], role)
        audit.add(tx, viewer, f"{kind}.create", kind, community_id, name=name)
        if kind == "collection" and data.get("packages"):
            collecting.set_listed(tx, viewer, community_id, data["packages"])
    return community_id


def update(site: Site, viewer: Viewer, kind: str, ref: str | None, data: Mapping[str, Any]) -> str:
    """Change name (admins only), title, description, picture, a collection's `packages`; returns the id. Raises Problem 403, 404 or 409."""
    with site.db.write() as tx:
        row = lookup.community(tx, ref, kind)
        policy.require(viewer, f"{kind}:update", communities.facts(row))
        values = _texts(data)
        if values:
            upload_limits.require_reserve(site)
        if data.get("users"):
            _require_same_users(tx, row, data["users"])
        name = data.get("name")
        if name and name != row["name"]:
            if not viewer.sysadmin:
                raise not_authorized(
                    Message("The name is part of addresses that others use; only an administrator can change it")
                )
            values["name"] = names.require_name(name)
        communities.update(tx, row["id"], **values)
        renamed = any(values.get(key, row[key]) != row[key] for key in ("name", "title"))
        held = communities.dataset_ids(tx, row["id"]) if renamed else []
        audit.add(tx, viewer, f"{kind}.update", kind, row["id"], fields=sorted(values))
        if kind == "collection" and data.get("packages") is not None:
            collecting.set_listed(tx, viewer, row["id"], data["packages"])
    for start in range(0, len(held), _AT_ONCE):  # its words are searched; others may write in between
        with site.db.write() as tx:
            index.refresh(tx, held[start : start + _AT_ONCE])
    return str(row["id"])


def delete(site: Site, viewer: Viewer, kind: str, ref: str | None) -> None:
    """Mark as deleted. A collection's datasets stay where they are; a circle with datasets can not be deleted. Raises Problem."""
    with site.db.write() as tx:
        row = lookup.community(tx, ref, kind)
        policy.require(viewer, f"{kind}:delete", communities.facts(row))
        _require_empty(tx, row)
        held = communities.dataset_ids(tx, row["id"])
        communities.set_state(tx, row["id"], "deleted")
        for dataset_id in held:
            datasets.touch(tx, dataset_id)
        audit.add(tx, viewer, f"{kind}.delete", kind, row["id"], name=row["name"])


def purge(site: Site, viewer: Viewer, kind: str, ref: str | None) -> None:
    """Remove for good, so that the name is free again (admins only). Raises Problem 403, 404 or 409."""
    with site.db.write() as tx:
        row = lookup.community(tx, ref, kind, deleted=True)
        policy.require(viewer, f"{kind}:purge", communities.facts(row))
        _require_empty(tx, row)
        held = communities.dataset_ids(tx, row["id"])
        if kind == "circle" and held:
            raise invalid(
                message=Message(
                    "Organization cannot be purged while it has %(count)s deleted datasets; purge them first",
                    count=len(held),
                )
            )
        communities.purge(tx, row["id"])
        for dataset_id in held:
            datasets.touch(tx, dataset_id)
        audit.add(tx, viewer, f"{kind}.purge", kind, row["id"], name=row["name"])


def set_quota(site: Site, viewer: Viewer, ref: str | None, size: int | None) -> None:
    """How much a circle may hold [bytes], 0 = no limit, None = as the setting says (administrators only). Raises Problem 403 or 404."""
    policy.require(viewer, "site:administer")
    with site.db.write() as tx:
        row = lookup.community(tx, ref, "circle")
        communities.set_quota(tx, row["id"], size)
        audit.add(tx, viewer, "circle.quota", "circle", row["id"], bytes=size)


# --- people ---------------------------------------------------------------------------------------------------------


def set_member(
    site: Site, viewer: Viewer, kind: str, ref: str | None, user_ref: str | None, role: str | None
) -> dict[str, Any]:
    """Give a user a role in a circle or collection; returns the membership. Raises Problem 403, 404 or 409."""
    if not user_ref:
        raise missing("username")
    role = _role(role)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # it may have waited for the writer
        row = lookup.community(tx, ref, kind)
        policy.require(viewer, f"{kind}:members", communities.facts(row))
        user = lookup.user(tx, user_ref)
        if user["id"] == viewer.user_id and role != "admin" and not viewer.sysadmin:
            raise not_authorized("Administrators cannot revoke their own admin status")
        managed_accounts.require_own_membership(tx, site.settings, row["id"], user["id"])
        member_id = communities.set_member(tx, row["id"], user["id"], role)
        audit.add(tx, viewer, f"{kind}.member", kind, row["id"], user=user["id"], role=role)
    return {
        "id": member_id,
        "group_id": row["id"],
        "table_id": user["id"],
        "table_name": "user",
        "capacity": role,
        "state": "active",
    }


def remove_member(site: Site, viewer: Viewer, kind: str, ref: str | None, user_ref: str | None) -> None:
    """End a membership; nobody need have been a member. Everybody may leave. Raises Problem 403, 404 or 409."""
    if not user_ref:
        raise missing("username")
    with site.db.write() as tx:
        row = lookup.community(tx, ref, kind)
        user = lookup.user(tx, user_ref)
        leaves = user["id"] == viewer.user_id and policy.may(viewer, "user:update", user["id"])
        if not leaves:
            policy.require(viewer, f"{kind}:members", communities.facts(row))
        roles_now = {member["id"]: member["role"] for member in communities.members(tx, row["id"])}
        if (
            roles_now.get(user["id"]) == "admin"
            and communities.count_admins(tx, row["id"]) == 1
            and not viewer.sysadmin
        ):
            raise not_authorized("The last admin cannot leave; make somebody else an admin first")
        managed_accounts.require_own_membership(tx, site.settings, row["id"], user["id"])
        communities.remove_member(tx, row["id"], user["id"])
        audit.add(tx, viewer, f"{kind}.member_removed", kind, row["id"], user=user["id"])


# --- datasets of circles ----------------------------------------------------------------------------------------------


def withdraw(site: Site, viewer: Viewer, ref: str | None, dataset_refs: list[str], *, delete: bool) -> None:
    """Make datasets of a circle private, or delete them; all or none (administrators only). Raises Problem 403 or 404."""
    with site.db.write() as tx:
        row = lookup.community(tx, ref, "circle")
        policy.require(viewer, "circle:withdraw", communities.facts(row))
        for dataset in _datasets_of(tx, row, dataset_refs):
            if delete:
                datasets.mark_deleted(tx, dataset["id"])
            else:
                datasets.update(tx, dataset["id"], private=1)
                datasets.touch(tx, dataset["id"])
            event = {} if delete else {"fields": ["private"]}
            audit.add(tx, viewer, f"dataset.{'delete' if delete else 'update'}", "dataset", dataset["id"], **event)


def _datasets_of(tx: sqlite3.Connection, row: sqlite3.Row, refs: list[str]) -> Iterator[sqlite3.Row]:
    """The datasets of a circle with these ids or names, each once. Raises Problem 404, or 409 for too many."""
    if len(refs) > MOST_DATASETS:
        raise Problem(
            409,
            "Validation Error",
            message=Message("At most %(most)s datasets are accepted in one call", most=MOST_DATASETS),
        )
    for ref in dict.fromkeys(refs):
        dataset = datasets.find(tx, ref)
        if dataset is None or dataset["circle_id"] != row["id"] or dataset["state"] == "deleted":
            raise not_found(Message("The circle has no dataset %(ref)s", ref=ref))
        yield dataset


def publish(site: Site, viewer: Viewer, ref: str | None, dataset_refs: list[str]) -> None:
    """Make datasets of a circle public, all or none. Raises Problem 403 or 404."""
    if not site.settings.policy.public_datasets:
        raise not_authorized(
            "Public datasets have been disabled via the configuration option 'policy.public_datasets = false'!"
        )
    with site.db.write() as tx:
        row = lookup.community(tx, ref, "circle")
        policy.require(viewer, "circle:publish", communities.facts(row))
        for dataset in _datasets_of(tx, row, dataset_refs):
            datasets.update(tx, dataset["id"], private=0)
            datasets.touch(tx, dataset["id"])
            audit.add(tx, viewer, "dataset.update", "dataset", dataset["id"], fields=["private"])


def _texts(data: Mapping[str, Any]) -> dict[str, Any]:
    if wrong := [key for key in _TEXTS if not isinstance(data.get(key), (str, int, float, NoneType))]:
        raise invalid({key: ["Must be a text"] for key in wrong})
    values = {key: as_text(data[key]) for key in _TEXTS if key in data}
    if errors := {key: [error] for key, value in values.items() if (error := text_error(value))}:
        raise invalid(errors)
    too_long = [key for key, value in values.items() if len(value) > _LONGEST]
    if too_long:
        raise invalid({key: [Message("At most %(most)s characters are accepted", most=_LONGEST)] for key in too_long})
    url = values.get("image_url", "")
    if url and not url.startswith(("https://", "http://", "/")):
        raise invalid({"image_url": [Message("Must be a web address")]})
    if data.get("extras") is not None:
        values["extras"] = extras.parsed(data["extras"] or [], reserved=_FIELDS)
    return values


def _listed_users(listed: Any) -> list[tuple[str, str]]:
    """(name or id, role) of those who shall be members from the beginning. Raises Problem 409."""
    if not listed:
        return []
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise invalid({"users": ["A list of objects with name and capacity is needed"]})
    if len(listed) > MOST_USERS:
        raise invalid({"users": [Message("At most %(most)s users are accepted in one call", most=MOST_USERS)]})
    found = [
        (as_text(entry.get("name") or entry.get("id")), _role(as_text(entry.get("capacity") or "member")))
        for entry in listed
    ]
    return list(dict.fromkeys(found))


def _require_same_users(tx: sqlite3.Connection, row: sqlite3.Row, listed: Any) -> None:
    """A client may send the description back that it was given, but members change one by one. Raises Problem 404 or 409."""
    wanted = {(lookup.user(tx, ref, field="users")["id"], role) for ref, role in _listed_users(listed)}
    if wanted != {(one["id"], one["role"]) for one in communities.members(tx, row["id"])}:
        word = "organization" if row["kind"] == "circle" else "group"
        raise invalid({"users": [f"Use {word}_member_create and {word}_member_delete to change the members"]})


def _role(role: str | None) -> str:
    if not role:
        raise missing("role")
    if role not in roles.ROLES:
        raise invalid({"role": [f"role does not exist: {role}"]})
    return role


def _require_empty(tx: sqlite3.Connection, row: sqlite3.Row) -> None:
    if row["kind"] != "circle":
        return
    living = [
        one
        for one in communities.dataset_ids(tx, row["id"])
        if (datasets.find(tx, one) or {"state": "deleted"})["state"] != "deleted"
    ]
    if living:
        raise Problem(409, "Validation Error", message="Organization cannot be deleted while it still has datasets")
