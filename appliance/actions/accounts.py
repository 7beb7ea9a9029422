"""Users and their credentials: create, change, disable, tokens, access files' tokens."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from appliance.actions import callers, login, lookup, managed_accounts, profile_fields
from appliance.actions.site import Site
from appliance.model import names, times
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid, missing, not_authorized
from appliance.model.values import as_bool, as_text
from appliance.model.viewer import Viewer
from appliance.security import passwords, policy, tokens
from appliance.store import audit, identities, one_time_links, pseudonyms, sessions, users
from appliance.store import tokens as stored

#: Valid API tokens that an account may have.
MOST_TOKENS = 200


def create(site: Site, viewer: Viewer, data: Mapping[str, Any], *, sysadmin: bool = False) -> str:
    """Create an account; returns its id. Only administrators may, or anybody on a playground. Raises Problem 403 or 409."""
    if not (site.settings.policy.self_registration and not sysadmin):
        policy.require(viewer, "user:create")
    needed = ("name", "email") if viewer.sysadmin else ("name", "email", "password")
    if lacking := [field for field in needed if not data.get(field)]:
        raise missing(*lacking)
    name, password = data["name"], data.get("password") or None
    names.require_name(name)
    email = profile_fields.require_email(data["email"])
    profile = profile_fields.checked_profile({key: data.get(key) for key in ("fullname", "about", "image_url")})
    id_ = _chosen_id(viewer, data.get("id"))
    sysadmin = bool(_wanted_sysadmin(viewer, data, present=sysadmin)) or sysadmin
    hashed = _hashed(password, name, email) if password else None
    with site.db.write() as tx:
        if id_ is not None and users.find(tx, id_) is not None:
            raise invalid({"id": ["Id already exists"]})
        user_id = users.create(tx, name, email, **profile, password=hashed, sysadmin=sysadmin, id_=id_)
        audit.add(tx, viewer, "user.create", "user", user_id, sysadmin=sysadmin)
    return user_id


def update(site: Site, viewer: Viewer, ref: str | None, data: Mapping[str, Any]) -> str:
    """Change a profile, one's own or (admins) anybody's; unknown keys are ignored. Returns the id. Raises Problem.

    A new `password` for oneself needs the `old_password`, and so does a new e-mail address by a token: a borrowed token or
    browser must not become the account. With
    `revoke_tokens`, it makes every API token of the account worthless, the one that asks included.
    """
    row = _editable(site, viewer, ref)
    _require_unchanged(viewer, row, data)
    if data.get("password"):
        _require_local_password(site, row)
    address = profile_fields.require_email(data["email"]) if "email" in data else row["email"]
    by_token = viewer.token_id is not None and address != row["email"]
    if row["id"] == viewer.user_id and (data.get("password") or by_token):
        login.require_password(site, viewer, row, str(data.get("old_password") or ""))
    revoke_tokens = _flag(data, "revoke_tokens")
    sysadmin = _wanted_sysadmin(viewer, data, present=bool(row["sysadmin"]))
    values: dict[str, Any] = profile_fields.checked_profile(data)
    if "email" in data:
        values["email"] = address
        if (
            values["email"] != row["email"] and not viewer.sysadmin
        ):  # the response reveals whether the address is in use
            wait = site.limiter.email_change(row["id"])
            if wait:
                raise login.TooManyAttempts(wait)
    hashed = _hashed(data["password"], row["name"], row["email"]) if data.get("password", "") != "" else None
    with site.db.write() as tx:
        managed_accounts.require_same_profile(tx, site.settings, row, values)
        users.update(tx, row["id"], **values)
        if (state := data.get("state") or row["state"]) != row["state"]:
            _require_another_admin(tx, row)
            users.set_state(tx, row["id"], state)
        if sysadmin is not None:
            _set_sysadmin(site, tx, viewer, lookup.user(tx, row["id"]), sysadmin)
        if hashed:
            _replace_password(site, tx, viewer, row["id"], hashed, revoke_tokens=revoke_tokens)
        audit.add(
            tx, viewer, "user.update", "user", row["id"], fields=sorted(values) + (["password"] if hashed else [])
        )
    return str(row["id"])


def change_password(
    site: Site, viewer: Viewer, ref: str | None, new: str, *, old: str | None = None, revoke_tokens: bool = False
) -> None:
    """Set a password: one's own with the old one, an administrator for anybody without. Raises Problem 403, 404, 409 or 429.

    It ends all sessions of the account and what was created in them, and with `revoke_tokens` its API tokens.
    """
    row = _editable(site, viewer, ref)
    _require_local_password(site, row)
    if row["id"] == viewer.user_id:
        login.require_password(site, viewer, row, old or "")
    hashed = _hashed(new, row["name"], row["email"])
    with site.db.write() as tx:
        _replace_password(site, tx, viewer, row["id"], hashed, revoke_tokens=revoke_tokens)
        audit.add(tx, viewer, "user.password", "user", row["id"])


def set_state(site: Site, viewer: Viewer, ref: str | None, state: str) -> None:
    """Disable, enable or delete an account (admins only); the last admin stays. Raises Problem 403, 404 or 409.

    Tokens that a disabled or deleted user made for others (as an admin) are revoked, and what was made with them.
    A deleted account that kept its name can be enabled again; roles and tokens are gone.
    """
    with site.db.write() as tx:
        row = lookup.user(tx, ref, deleted=state == "active")
        policy.require(viewer, "user:delete", row["id"])
        if state != "active":
            _require_another_admin(tx, row)
        identities.set_locked(tx, row["id"], "")  # decided here, so the directory does not undo it
        revoked = users.set_state(tx, row["id"], state)
        audit.add(tx, viewer, f"user.{state}", "user", row["id"], tokens=revoked)


def erase(site: Site, viewer: Viewer, ref: str | None) -> None:
    """Delete an account (also one deleted before) and replace what names its owner by a pseudonym. Raises Problem."""
    with site.db.write() as tx:
        row = lookup.user(tx, ref, deleted=True)
        policy.require(viewer, "user:delete", row["id"])
        _require_another_admin(tx, row)
        revoked = users.set_state(tx, row["id"], "deleted")
        pseudonyms.erase(tx, row["id"])
        audit.add(tx, viewer, "user.erase", "user", row["id"], tokens=revoked)


def set_sysadmin(site: Site, viewer: Viewer, ref: str | None, value: bool) -> None:
    """Grant or revoke administration (administrators only); the last one stays. Raises Problem 403, 404 or 409.

    Revoking it ends the links and tokens that the user created for others.
    """
    with site.db.write() as tx:
        row = lookup.user(tx, ref)
        _set_sysadmin(site, tx, viewer, row, value)


def create_token(
    site: Site,
    viewer: Viewer,
    ref: str | None,
    name: str | None,
    *,
    scope: str | None = None,
    expires: timedelta | None = None,
    first_use: timedelta | None = None,
) -> tuple[str, str]:
    """Make a token for a user; returns (token, id). The token is shown this once.

    :param scope: read, write or admin; by default what the caller's own credential has, at least "write".
    :param expires: life from now; None = as long as the token that makes it, which it never outlives; without one until revoked.
    :param first_use: it must be used within this time.
    :raises Problem: 403 for somebody else's account or more scope than one has; 404; 409, also for a longer life than the caller's token has.
    """
    if not name:
        raise missing("name")
    token, hash_, token_id = tokens.new_token()
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # the transaction may have waited for the writer
        asked = ref or viewer.user_id
        found = users.find(tx, asked)
        owner = str(asked) if found is None else found["id"]  # the same refusal whether the user exists or not
        if policy.may(viewer, "token:list", owner) and not policy.may(viewer, "token:manage", owner):
            raise policy.refusal(viewer, "token:manage", owner)
        if not policy.may(viewer, "token:manage", owner):
            raise policy.refused(viewer, f"create tokens for user {asked}")
        row = lookup.user(tx, asked, field="user")
        administers = bool(row["sysadmin"]) and callers.may_administer(tx, site.settings, row["id"])
        wanted = scope or ("admin" if viewer.sysadmin and administers else "write")
        if wanted not in tokens.SCOPES:
            raise invalid({"scope": [f"One of {', '.join(tokens.SCOPES)} is needed"]})
        if wanted == "admin" and not row["sysadmin"]:
            raise invalid(
                {
                    "scope": [
                        Message("%(name)s is not an administrator; choose the scope read or write", name=row["name"])
                    ]
                }
            )
        if not tokens.allows(viewer.scope, wanted):
            raise not_authorized(f"A credential of scope '{viewer.scope}' cannot make one of scope '{wanted}'")
        if wanted == "admin" and not administers:
            raise not_authorized(  # otherwise it would have rights that its owner has lost
                "Set up two-step sign-in first: administrators need it here before they can create tokens for administration"
            )
        if stored.number_of(tx, row["id"]) >= MOST_TOKENS:
            raise invalid(
                message=Message(
                    "This account has %(most)s API tokens. Revoke those that are no longer needed.", most=MOST_TOKENS
                )
            )
        maker = stored.get(tx, viewer.token_id) if viewer.token_id else None
        latest = maker.expires if maker is not None else None
        ends = times.ahead(expires) if expires else latest
        if latest and ends and ends > latest:
            words = f"The token that you use ends on {latest[:10]}, and none that it creates lasts longer; ask for less, or sign in and create one on your account's page"
            raise invalid({"expires_in": [words]})
        stored.create(
            tx, token_id, row["id"], as_text(name)[:200], hash_, scope=wanted,
            expires=ends, first_use_by=times.ahead(first_use) if first_use else None,
            parent=viewer.token_id, maker=viewer.user_id,
        )  # fmt: skip
        audit.add(tx, viewer, "token.create", "token", token_id, user=row["id"], scope=wanted)
    return token, token_id


def revoke_token(site: Site, viewer: Viewer, *, token: str | None = None, token_id: str | None = None) -> int:
    """Make a token worthless, given itself or its id, and all that were made with it (whoever stole it may have made some).

    A token that revokes itself takes none with it: a client that renews its token makes the new one with the old one and
    then gives up the old one. The new one ends with the token that the old one was made with.

    → how many others were revoked. Raises Problem 403 for an unknown or foreign token.
    """
    if not token and not token_id:
        raise missing("token")
    with site.db.write() as tx:
        found = stored.by_hash(tx, tokens.token_hash(token)) if token else stored.get(tx, token_id or "")
        if found is None or not policy.may(viewer, "token:manage", found.user_id):
            raise policy.refused(viewer, "revoke this token")
        if found.id == viewer.token_id:
            stored.resign(tx, found.id)
            further: list[str] = []
        else:
            _, *further = stored.revoke(tx, found.id)
        audit.add(tx, viewer, "token.revoke", "token", found.id, user=found.user_id, further=further)
    return len(further)


def one_time_link(site: Site, viewer: Viewer, ref: str, *, hours: int = 24) -> str:
    """The secret of a link with which a user sets a password once (admins only). Raises Problem 403 or 404.

    A link that an admin makes in a session ends when that session is ended, or when they are an admin no longer.
    """
    token, hash_, _ = tokens.new_token()
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # the transaction may have waited for the writer
        row = lookup.user(tx, ref)
        policy.require(viewer, "site:administer")
        managed_accounts.require_local_password(tx, site.settings, row["id"])
        one_time_links.create(tx, row["id"], "password", hash_, hours=hours, session_id=viewer.session_id)
        audit.add(tx, viewer, "user.link", "user", row["id"])
    return token


def link_address(site: Site, secret: str) -> str:
    """The URL of a one-time link."""
    return f"{site.settings.site_url}/user/password/{secret}"


def use_link(site: Site, secret: str, new_password: str, *, address: str = "", revoke_tokens: bool = False) -> str:
    """Set the password of the user whose one-time link has this secret; returns the user's name. Raises Problem 404 or 409.

    It ends all sessions of the account, and with `revoke_tokens` its API tokens.
    """
    hash_ = tokens.token_hash(secret)
    with site.db.read() as conn:
        row = lookup.user(conn, one_time_links.user_of(conn, "password", hash_) or _used_up())
        managed_accounts.require_local_password(conn, site.settings, row["id"])
    hashed = _hashed(new_password, row["name"], row["email"])
    with site.db.write() as tx:
        user_id = one_time_links.use(tx, "password", hash_) or _used_up()
        viewer = Viewer(user_id=user_id, name=row["name"], address=address)
        _replace_password(site, tx, viewer, user_id, hashed, revoke_tokens=revoke_tokens)
        if row["state"] == "pending":
            users.set_state(tx, user_id, "active")
        audit.add(tx, viewer, "user.password", "user", user_id)
    return str(row["name"])


def _replace_password(
    site: Site, tx: sqlite3.Connection, viewer: Viewer, user_id: str, hashed: str, *, revoke_tokens: bool
) -> None:
    """The one way to a new password: sessions, what was made in them, and links to set one end; API tokens if wanted."""
    users.set_password(tx, user_id, hashed)
    managed_accounts.make_local(tx, site.settings, viewer, user_id)
    sessions.revoke_all(tx, user_id)
    one_time_links.revoke_of(tx, user_id, "password")
    one_time_links.revoke_of(tx, user_id, login.SECOND_STEP)
    if revoke_tokens:
        revoked = stored.revoke_all(tx, user_id)
        audit.add(tx, viewer, "token.revoke_all", "user", user_id, tokens=revoked)


def _flag(data: Mapping[str, Any], key: str) -> bool:
    """A boolean, false if missing. Raises Problem 409."""
    try:
        return as_bool(data.get(key) or False)
    except ValueError as error:
        raise invalid({key: ["Must be true or false"]}) from error


def _wanted_sysadmin(viewer: Viewer, data: Mapping[str, Any], *, present: bool) -> bool | None:
    """What `sysadmin` in a profile changes, None when nothing. Raises Problem 409.

    For everybody but administrators it is one of the fields that only tell something, as in CKAN: a profile may be sent back whole.
    """
    if not viewer.sysadmin or data.get("sysadmin") in (None, ""):
        return None
    wanted = _flag(data, "sysadmin")
    return None if wanted == present else wanted


def _set_sysadmin(site: Site, tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, value: bool) -> None:
    policy.require(viewer, "site:administer")
    if not value:
        managed_accounts.require_own_administration(tx, site.settings, row["id"])
        _require_another_admin(tx, row)
        one_time_links.revoke_made_by(tx, row["id"])
    revoked = users.set_sysadmin(tx, row["id"], value)
    audit.add(tx, viewer, "user.promote" if value else "user.demote", "user", row["id"], tokens=revoked)


def _require_another_admin(tx: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Raises Problem 409 when this user is the one administrator who can log in without a directory."""
    local = identities.of_user(tx, row["id"]) is None
    if local and row["sysadmin"] and row["state"] == "active" and users.count_admins(tx) == 1:
        raise invalid(message="This is the last administrator; make someone else an administrator first.")


def _editable(site: Site, viewer: Viewer, ref: str | None) -> sqlite3.Row:
    """The user whom `viewer` may change. Passwords are hashed (50 ms) before the writer is taken, hence a read of its own."""
    with site.db.read() as conn:
        return lookup.person(conn, viewer, ref or viewer.user_id, "user:update")


def _require_local_password(site: Site, row: sqlite3.Row) -> None:
    """Raises Problem 409 for an account whose password is that of the directory."""
    with site.db.read() as conn:
        managed_accounts.require_local_password(conn, site.settings, row["id"])


def _chosen_id(viewer: Viewer, id_: Any) -> str | None:
    """The id that an administrator wants a new account to have. Raises Problem 403 or 409."""
    if not id_:
        return None
    if not viewer.sysadmin:
        raise not_authorized("Only admins may choose an id")
    if not names.is_id(id_):
        raise invalid({"id": ["Must be a UUID in small letters"]})
    return str(id_)


def _require_unchanged(viewer: Viewer, row: sqlite3.Row, data: Mapping[str, Any]) -> None:
    """A profile may be sent back whole, but the log-in name stays, and states have verbs of their own. Raises Problem 403 or 409."""
    if data.get("name") is not None and data["name"] != row["name"]:
        raise invalid({"name": ["That login name can not be modified."]})
    if (data.get("state") or row["state"]) != row["state"]:
        if not viewer.sysadmin:
            raise not_authorized("Only administrators may change 'state'")
        if {data["state"], row["state"]} != {"active", "pending"}:
            raise invalid({"state": ["Use user_delete, or `dcor user enable` and `dcor user disable`"]})


def _used_up() -> NoReturn:
    raise Problem(
        404,
        "Not Found Error",
        message="This link has been used or has expired, or the account has changed since. Ask your administrator for a new one.",
    )


def _hashed(password: Any, *personal: str) -> str:
    errors: Fields = {}
    if not isinstance(password, str):
        raise invalid({"password": ["Passwords must be strings"]})
    weak = passwords.weaknesses(str(password), personal=personal)
    if weak:
        errors["password"] = weak
        raise invalid(errors)
    return passwords.hash_password(str(password))
