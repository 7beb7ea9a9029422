"""Actions on circles (CKAN: organizations) and collections (CKAN: groups)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from appliance.actions import communities as verbs
from appliance.actions import lookup
from appliance.model import roles
from appliance.model.problem import not_authorized
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import communities, datasets, documents, following
from appliance.store.search import autocomplete
from appliance.web.api import shapes
from appliance.web.api.registry import Call, Handler, Parameter, Raw, action, flag, listing, natural, text

CIRCLE, COLLECTION = "circle", "collection"
#: What CKAN calls them in action names.
_WORDS = {"organization": CIRCLE, "group": COLLECTION}

_ID = text("id", "Id or name", required=True)
#: Lists of a circle or collection that CKAN fills and this server does not.
_EMPTY_LISTS = ("tags", "groups")
_EXTRAS = "Its extra fields"
_LIST = (
    flag("all_fields", "Whole descriptions instead of names"),
    text("sort", "name, title, package_count or created, with asc or desc", default="title asc", aliases=("order_by",)),
    text("type", "Only those of this type: organization or group, as the action's name says"),
    text("q", "Only those whose name, title or description contains this", default=""),
    natural("limit", "Most entries"),
    natural("offset", "Entries left out at the beginning", default=0),
    flag("include_dataset_count", "The number of datasets", default=True),
    flag("include_users", "Their members (administrators only)"),
    flag("include_extras", _EXTRAS),
    *(flag(f"include_{key}", "The list of CKAN, always empty here") for key in _EMPTY_LISTS),
)
_SHOW = (
    _ID,
    flag("include_datasets", "Its datasets, at most 1000"),
    flag("include_users", "Its members, if the caller is one"),
    flag("include_dataset_count", "The number of datasets", default=True),
    flag("include_followers", "The number of followers", default=True),
    flag("include_extras", _EXTRAS, default=True),
    *(flag(f"include_{key}", "The list of CKAN, always empty here", default=True) for key in _EMPTY_LISTS),
)


def _list(call: Call, kind: str, refs: Any) -> list[Any]:
    if call["include_users"] and not call.viewer.sysadmin:
        raise not_authorized(
            f"Fetching user info via '{'group' if kind == COLLECTION else 'organization'}_list' is not allowed."
        )
    if call["type"] and _WORDS.get(call["type"]) != kind:
        return []
    limit = -1 if call["limit"] is None else call["limit"]
    with call.context.db.read() as conn:
        rows = communities.listed(
            conn,
            kind,
            call.viewer,
            refs=refs,
            text=call["q"],
            sort=call["sort"] or "title asc",
            limit=limit,
            offset=call["offset"],
            counted=bool(call["all_fields"]),
        )
        if not call["all_fields"]:
            return [row["name"] for row in rows]
        members = {row["id"]: communities.members(conn, row["id"]) for row in rows} if call["include_users"] else {}
    counted = call["include_dataset_count"]
    empty: dict[str, Any] = {key: [] for key in _EMPTY_LISTS if call[f"include_{key}"]}
    found = [
        shapes.community(row, followers=row["followers"], package_count=row["datasets"] if counted else None) | empty
        for row in rows
    ]
    for row, one in zip(rows, found, strict=True):
        if call["include_extras"]:
            one["extras"] = json.loads(row["extras"])
    for one in found:
        if one["id"] in members:
            one["users"] = [shapes.member(user) for user in members[one["id"]]]
    return found


@action(
    "organization_list",
    *_LIST,
    listing("organizations", "Only these names or ids"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def organization_list(call: Call) -> list[Any]:
    """All circles."""
    return _list(call, CIRCLE, call["organizations"])


@action(
    "group_list",
    *_LIST,
    listing("groups", "Only these names or ids"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def group_list(call: Call) -> list[Any]:
    """All collections."""
    return _list(call, COLLECTION, call["groups"])


def _show(call: Call, kind: str) -> dict[str, Any]:
    with call.context.db.read() as conn:
        row = lookup.community(conn, call["id"], kind)
        return _described(call, conn, row)


def _described(call: Call, conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    counted = call["include_dataset_count"] is not False
    count = communities.count_datasets(conn, row["id"], call.viewer) if counted else None
    found = shapes.community(row, followers=following.count(conn, "community", row["id"]), package_count=count)
    found |= {key: [] for key in _EMPTY_LISTS if call[f"include_{key}"] is not False}
    if call["include_extras"] is not False:
        found["extras"] = json.loads(row["extras"])
    if call["include_followers"] is False:
        del found["num_followers"]
    if call["include_users"] and policy.may(call.viewer, f"{row['kind']}:member_list", communities.facts(row)):
        found["users"] = [shapes.member(user) for user in communities.members(conn, row["id"])]
    if call["include_datasets"]:
        found["packages"] = shapes.parsed(documents.packages(conn, dataset_pks(conn, row, call.viewer, 1000)))
    return found


def dataset_pks(conn: sqlite3.Connection, row: sqlite3.Row, viewer: Viewer, limit: int) -> list[int]:
    """Row numbers of the active datasets of a circle or in a collection that `viewer` may see, latest change first."""
    return datasets.of_community(conn, row["id"], row["kind"], viewer, limit=limit)


@action("organization_show", *_SHOW, rule="site:read", asks=None, get=True, cacheable=True)
def organization_show(call: Call) -> dict[str, Any]:
    """A circle."""
    return _show(call, CIRCLE)


@action("group_show", *_SHOW, rule="site:read", asks=None, get=True, cacheable=True)
def group_show(call: Call) -> dict[str, Any]:
    """A collection."""
    return _show(call, COLLECTION)


@action(
    "organization_list_for_user",
    text("id", "The user; default: the caller"),
    text("permission", "What the user must be allowed there", default="manage_group"),
    flag("include_dataset_count", "The number of datasets"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def organization_list_for_user(call: Call) -> list[Any]:
    """The circles in which a user has a permission such as create_dataset, with the user's role as `capacity`."""
    permission = call["permission"] or "manage_group"
    # CKAN gives "manage_group" to members too: without a permission these are the circles of any role.
    return _for_user(call, CIRCLE, "read" if permission == "manage_group" else permission)


@action(
    "group_list_authz",
    text("id", "The user; default: the caller"),
    flag("am_member", "Those with any role"),
    flag("available_only", "Ignored"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def group_list_authz(call: Call) -> list[Any]:
    """The collections to which the caller may add datasets."""
    found = _for_user(call, COLLECTION, "read" if call["am_member"] else "manage_group")
    return [{key: value for key, value in one.items() if key != "capacity"} for one in found]


def _for_user(call: Call, kind: str, permission: str) -> list[Any]:
    viewer = call.viewer
    with call.context.db.read() as conn:
        if call["id"] and call["id"] not in (viewer.user_id, viewer.name):
            user = lookup.person(conn, viewer, call["id"], "user:read")
            found_roles = communities.roles_of(conn, user["id"])[0 if kind == CIRCLE else 1]
            sysadmin = bool(user["sysadmin"])
        else:
            found_roles = dict(viewer.circles if kind == CIRCLE else viewer.collections)
            sysadmin = viewer.sysadmin
        rows = communities.listed(conn, kind, viewer, refs=None if sysadmin else list(found_roles))
    chosen = [row for row in rows if sysadmin or roles.allows(found_roles.get(row["id"]), permission)]
    counted = bool(call["include_dataset_count"])
    return [
        shapes.community(row, followers=row["followers"], package_count=row["datasets"] if counted else None)
        | {"capacity": found_roles.get(row["id"], "admin")}
        for row in chosen
    ]


def _created(call: Call, kind: str) -> dict[str, Any]:
    community_id = verbs.create(call.context, call.viewer, kind, call.data)
    return _after(call, community_id, kind)


def _after(call: Call, community_id: str, kind: str) -> dict[str, Any]:
    with call.context.db.read() as conn:
        row = lookup.community(conn, community_id, kind)
        return _described(call, conn, row) | {
            "users": [shapes.member(user) for user in communities.members(conn, row["id"])]
        }


_FIELDS = "name, title, description, image_url"
#: Fields by kind. `packages` is the whole list of datasets, as group_show gives it with include_datasets.
_EXTRA = {CIRCLE: _FIELDS, COLLECTION: f"{_FIELDS}, packages"}


@action(
    "organization_create",
    text("name", "URL name", required=True),
    rule="circle:create",
    asks=None,
    extra=_FIELDS,
)
def organization_create(call: Call) -> dict[str, Any]:
    """Found a circle; its founder becomes admin."""
    return _created(call, CIRCLE)


@action(
    "group_create",
    text("name", "URL name", required=True),
    rule="collection:create",
    asks=None,
    extra=_EXTRA[COLLECTION],
)
def group_create(call: Call) -> dict[str, Any]:
    """Found a collection; its founder becomes admin."""
    return _created(call, COLLECTION)


def _declared(
    name: str, *parameters: Parameter, rule: str, asks: str | None, doc: str, get: bool = False, extra: str = ""
) -> Callable[[Handler], Handler]:
    """Declare a function that serves both kinds; `doc` names the kind."""

    def register(handler: Handler) -> Handler:
        """Declare it with its words, which `action` reads from the docstring."""
        handler.__doc__ = doc
        return action(name, *parameters, rule=rule, asks=asks, get=get, extra=extra)(handler)

    return register


def _declare_changes(word: str, kind: str) -> None:
    """What changes or ends one of them."""

    @_declared(f"{word}_update", _ID, rule="write", asks=f"{kind}:update", extra=_EXTRA[kind], doc=f"Change a {kind}.")
    @_declared(
        f"{word}_patch",
        _ID,
        rule="write",
        asks=f"{kind}:update",
        extra=_EXTRA[kind],
        doc=f"Change some fields of a {kind}.",
    )
    def update(call: Call) -> dict[str, Any]:
        """Change some fields; returns the changed object."""
        return _after(call, verbs.update(call.context, call.viewer, kind, call["id"], call.data), kind)

    @_declared(
        f"{word}_delete", _ID, rule="write", asks=f"{kind}:delete", doc=f"Delete a {kind}; its datasets are untouched."
    )
    def delete(call: Call) -> None:
        """Mark it as deleted."""
        verbs.delete(call.context, call.viewer, kind, call["id"])

    @_declared(
        f"{word}_purge",
        _ID,
        rule="site:administer",
        asks=f"{kind}:purge",
        doc=f"Remove a {kind} for good (administrators only).",
    )
    def purge(call: Call) -> None:
        """Remove it for good."""
        verbs.purge(call.context, call.viewer, kind, call["id"])


def _declare_members(word: str, kind: str) -> None:
    """Who belongs to one of them."""
    user = text("username", "Id or name of the user", required=True, aliases=("user_id", "user"))
    role = text("role", "admin, editor or member", required=True, aliases=("capacity",))

    @_declared(
        f"{word}_member_create",
        _ID,
        user,
        role,
        rule="write",
        asks=f"{kind}:members",
        doc=f"Give a user a role in a {kind}.",
    )
    def member_create(call: Call) -> dict[str, Any]:
        """Give a user a role."""
        return verbs.set_member(call.context, call.viewer, kind, call["id"], call["username"], call["role"])

    @_declared(
        f"{word}_member_delete",
        _ID,
        user,
        rule="write",
        asks=f"{kind}:members user:update",
        doc=f"Take a user's role in a {kind} away.",
    )
    def member_delete(call: Call) -> None:
        """Take a user's role away."""
        verbs.remove_member(call.context, call.viewer, kind, call["id"], call["username"])


def _declare_lists(word: str, kind: str) -> None:
    """Finding them by part of a name."""
    part = text("q", "Part of a name or title", required=True)
    limit = natural("limit", "Most entries", default=20)
    doc = f"Those {kind}s whose name or title contains this."

    @_declared(f"{word}_autocomplete", part, limit, rule="site:read", asks=None, get=True, doc=doc)
    def complete(call: Call) -> list[dict[str, Any]]:
        """Those whose name or title contains `q`."""
        with call.context.db.read() as conn:
            return autocomplete.communities(conn, call["q"] or "", kind, limit=call["limit"])


for _word, _kind in _WORDS.items():
    _declare_changes(_word, _kind)
    _declare_members(_word, _kind)
    _declare_lists(_word, _kind)


@action(
    "group_package_show", _ID, natural("limit", "Most entries"), rule="site:read", asks=None, get=True, cacheable=True
)
def group_package_show(call: Call) -> Raw:
    """The datasets of a collection."""
    with call.context.db.read() as conn:
        row = lookup.community(conn, call["id"], COLLECTION)
        pks = dataset_pks(conn, row, call.viewer, 1000 if call["limit"] is None else min(call["limit"], 1000))
        return Raw(f"[{', '.join(documents.packages(conn, pks))}]")
