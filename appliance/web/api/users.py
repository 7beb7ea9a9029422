"""Actions on users, tokens and collaborators."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from appliance.actions import accounts, lookup
from appliance.actions import sharing as verbs
from appliance.model.problem import Problem, invalid, missing
from appliance.security import policy
from appliance.store import datasets, documents, following, sharing, tokens, users
from appliance.web.api import shapes
from appliance.web.api.registry import Call, action, flag, natural, text

_USER = text("id", "Id or name of the user; default: the caller", aliases=("user_id", "user"))
_DATASET = text("id", "Id or name of the dataset", required=True)
_MOST_COMPLETIONS = 100
_CENTURY = 100 * 365 * 86400  # [s]; later moments can not be written down


@action(
    "user_show",
    _USER,
    flag("include_datasets", "The user's datasets"),
    flag("include_num_followers", "The number of followers"),
    rule="site:read",
    asks="user:read",
    get=True,
    cacheable=True,
)
def user_show(call: Call) -> dict[str, Any]:
    """A user: oneself, or anybody for administrators."""
    with call.context.db.read() as conn:
        if not (call["id"] or call.viewer.user_id):
            policy.require(call.viewer, "user:read", "")
        row = lookup.person(conn, call.viewer, call["id"] or call.viewer.user_id, "user:read")
        found = shapes.user(row, number_created_packages=users.datasets_created(conn, row["id"]), private=True)
        if call["include_num_followers"]:
            found["num_followers"] = following.count(conn, "user", row["id"])
        if call["include_datasets"]:
            pks = datasets.of_creator(conn, row["id"], call.viewer, limit=1000)
            found["datasets"] = shapes.parsed(documents.packages(conn, pks))
    return found


@action(
    "user_list",
    text("q", "Part of a name or address", default=""),
    text("order_by", "A column", default="display_name"),
    flag("all_fields", "Whole users instead of names", default=True),
    text("email", "Only this address"),
    rule="user:list",
    asks=None,
    get=True,
    cacheable=True,
)
def user_list(call: Call) -> list[Any]:
    """All users (administrators only)."""
    with call.context.db.read() as conn:
        rows = users.listed(conn, call["email"] or call["q"], order=call["order_by"])
    if not call["all_fields"]:
        return [row["name"] for row in rows]
    return [shapes.user(row, number_created_packages=row["datasets"], private=True) for row in rows]


@action(
    "user_autocomplete",
    text("q", "Part of a name", required=True),
    natural("limit", "Most entries", default=20),
    flag("ignore_self", "Leave the caller out"),
    rule="user:complete",
    asks=None,
    get=True,
)
def user_autocomplete(call: Call) -> list[dict[str, Any]]:
    """Users whose name contains this; for administrators, also those whose e-mail address does."""
    with call.context.db.read() as conn:
        return users.complete(
            conn,
            call["q"] or "",
            limit=min(call["limit"], _MOST_COMPLETIONS),
            ignore=(call.viewer.user_id or "") if call["ignore_self"] else "",
            by_email=call.viewer.sysadmin,
        )


@action(
    "user_create",
    text("name", "Log-in name"),  # required, but whoever may not create users is told that first
    flag("with_apitoken", "Make a token, too"),
    text("state", "active, or pending or deleted (administrators only)", default="active"),
    rule="open",
    asks=None,
    extra="email, password, fullname, about, image_url; id and sysadmin (administrators only)",
)
def user_create(call: Call) -> dict[str, Any]:
    """Make an account (administrators; anybody on a playground, where attempts are counted)."""
    if call.context.settings.policy.self_registration and not policy.may(call.viewer, "user:create"):
        wait = call.context.limiter.registration(call.client)
        if wait:
            raise Problem(429, "Too Many Requests", message=f"Too many attempts. Try again in {wait} s.")
    state = call["state"] or "active"
    if state not in ("active", "pending", "deleted"):
        raise invalid({"state": ["A new account is active, pending or deleted"]})
    if state != "active":
        policy.require(call.viewer, "user:create")
    user_id = accounts.create(call.context, call.viewer, call.data)
    found = _shown(call, user_id)
    if state != "active":
        accounts.set_state(call.context, call.viewer, user_id, state)
        return found | {"state": state}
    if call["with_apitoken"]:
        owner = replace(call.viewer, user_id=user_id, name=found["name"], scope="write")
        found["token"], _ = accounts.create_token(call.context, owner, user_id, "Created with the account")
    return found


@action(
    "user_update",
    _USER,
    rule="write",
    asks="user:update",
    extra="email, fullname, about, image_url; password with old_password (and revoke_tokens); sysadmin (administrators only)",
)
def user_update(call: Call) -> dict[str, Any]:
    """Change a profile. Unknown keys are ignored."""
    if not call["email"]:
        raise Problem(409, "Validation Error", {"email": ["Missing value"]})
    return _shown(call, accounts.update(call.context, call.viewer, call["id"], call.data))


@action(
    "user_patch",
    _USER,
    rule="write",
    asks="user:update",
    extra="email, fullname, about, image_url; password with old_password (and revoke_tokens); sysadmin (administrators only)",
)
def user_patch(call: Call) -> dict[str, Any]:
    """Change some fields of a profile."""
    return _shown(call, accounts.update(call.context, call.viewer, call["id"], call.data))


@action("user_delete", text("id", "Id or name of the user", required=True), rule="user:delete", asks="user:delete")
def user_delete(call: Call) -> None:
    """Delete an account; its datasets stay."""
    accounts.set_state(call.context, call.viewer, call["id"], "deleted")


def _shown(call: Call, user_id: str) -> dict[str, Any]:
    with call.context.db.read() as conn:
        row = lookup.user(conn, user_id)
        return shapes.user(row, number_created_packages=users.datasets_created(conn, user_id), private=True)


# --- tokens -----------------------------------------------------------------------------------------------------------


@action(
    "api_token_create",
    text("user", "Id or name of the user; default: the caller", aliases=("user_id",)),
    text("name", "What it is for", required=True),
    text("scope", "read, write or admin"),
    natural(
        "expires_in", "Life in units, at most that of the token it is called with; default: as long, or until revoked"
    ),
    natural("unit", "Seconds of a unit, e.g. 86400 for days (default: 1)"),
    rule="write",
    asks="token:manage",
)
def api_token_create(call: Call) -> dict[str, Any]:
    """Make a token for oneself. It is shown only now."""
    if 0 in (call["expires_in"], call["unit"]):
        raise invalid({"expires_in": ["A token needs a life of at least one second"]})
    if call["expires_in"] is None and call["unit"] is not None:
        raise missing("expires_in")
    seconds = None if call["expires_in"] is None else call["expires_in"] * (call["unit"] or 1)
    life = None if seconds is None else timedelta(seconds=min(seconds, _CENTURY))
    token, _ = accounts.create_token(
        call.context, call.viewer, call["user"], call["name"], scope=call["scope"], expires=life
    )
    return {"token": token}


@action(
    "api_token_revoke",
    text("token", "The token"),
    text("jti", "Its id", aliases=("id",)),
    rule="write",
    asks="token:manage",
)
def api_token_revoke(call: Call) -> None:
    """Make one of one's tokens worthless."""
    accounts.revoke_token(call.context, call.viewer, token=call["token"], token_id=call["jti"])


@action(
    "api_token_list",
    text("user_id", "Id or name of the user; default: the caller", aliases=("user",)),
    rule="site:user",
    asks="token:list",
    get=True,
)
def api_token_list(call: Call) -> list[dict[str, Any]]:
    """One's tokens, without their secrets."""
    with call.context.db.read() as conn:
        row = lookup.person(conn, call.viewer, call["user_id"] or call.viewer.user_id, "token:list", field="user_id")
        found = tokens.of_user(conn, row["id"])
    return [
        {
            "id": one["id"],
            "name": one["name"],
            "user_id": one["user_id"],
            "created_at": one["created"],
            "last_access": one["last_access"],
            "expires_at": one["expires"],
            "scope": one["scope"],
        }
        for one in found
    ]


# --- sharing ----------------------------------------------------------------------------------------------------------


@action(
    "package_collaborator_list",
    _DATASET,
    text("capacity", "Only this one", default=""),
    rule="site:user",
    asks="dataset:collaborators",
    get=True,
    cacheable=True,
)
def package_collaborator_list(call: Call) -> list[dict[str, Any]]:
    """With whom a dataset is shared (admins of its circle)."""
    with call.context.db.read() as conn:
        _, facts = lookup.dataset(conn, call.viewer, call["id"], "dataset:collaborators")
        verbs.require_capacity(call["capacity"])
        rows = sharing.collaborators(conn, facts.id, call["capacity"])
    return [
        {"package_id": facts.id, "user_id": row["user_id"], "capacity": row["capacity"], "modified": row["modified"]}
        for row in rows
    ]


@action(
    "package_collaborator_list_for_user",
    _USER,
    text("capacity", "Only this one", default=""),
    rule="site:user",
    asks="user:read",
    get=True,
    cacheable=True,
)
def package_collaborator_list_for_user(call: Call) -> list[dict[str, Any]]:
    """Datasets that are shared with oneself."""
    with call.context.db.read() as conn:
        row = lookup.person(conn, call.viewer, call["id"] or call.viewer.user_id, "user:read")
        verbs.require_capacity(call["capacity"])
        rows = sharing.collaborations(conn, row["id"], call["capacity"])
    return [{"package_id": one["dataset_id"], "capacity": one["capacity"], "modified": one["modified"]} for one in rows]


_PARTNER = text("user_id", "Id or name of the user", required=True, aliases=("user",))


@action(
    "package_collaborator_create",
    _DATASET,
    _PARTNER,
    text("capacity", "member (may read) or editor", required=True),
    rule="write",
    asks="dataset:share",
)
def package_collaborator_create(call: Call) -> dict[str, Any]:
    """Share a dataset with a user."""
    return verbs.share(call.context, call.viewer, call["id"], call["user_id"], call["capacity"])


@action("package_collaborator_delete", _DATASET, _PARTNER, rule="write", asks="dataset:share")
def package_collaborator_delete(call: Call) -> None:
    """Share a dataset with a user no longer."""
    verbs.unshare(call.context, call.viewer, call["id"], call["user_id"])
