"""`dcor user`: accounts."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from appliance.actions import accounts, lookup, second_factor_setup
from appliance.cli.common import (
    CliState,
    FilePath,
    agreed,
    details,
    note,
    pass_state,
    prints,
    read_password,
    removes,
    table,
    write_private,
)
from appliance.model import times
from appliance.model.viewer import OPERATOR
from appliance.store import audit, communities, pseudonyms, second_factors, users

_COLUMNS = {
    "name": "name",
    "fullname": "full name",
    "email": "e-mail",
    "state": "state",
    "sysadmin": "admin",
    "datasets": "datasets",
    "last_active": "last active",
}
_STATES = ("active", "pending", "disabled", "deleted")


def _made(made: dict[str, str]) -> str:
    link = f"\nFirst sign-in (valid once, for 24 hours):\n{made['link']}" if "link" in made else ""
    return f"User {made['name']} created.{link}"


def _listed(rows: list[dict[str, Any]]) -> str:
    shown = [row | {"last_active": (row["last_active"] or "")[:10]} for row in rows]
    return table(shown, _COLUMNS, empty="No users.")


def _shown(data: dict[str, Any]) -> str:
    return details({key: _roles(value) if isinstance(value, dict) else value for key, value in data.items()})


def _roles(roles: dict[str, str]) -> str:
    return ", ".join(f"{name} ({role})" for name, role in roles.items())


def _removed(data: dict[str, list[str]]) -> str:
    would = data.get("would_remove")
    return f"Would remove: {', '.join(would)}" if would else f"Removed: {', '.join(data['removed'])}"


@click.group("user")
def group() -> None:
    """Accounts: add, list, disable, promote, remove."""


@group.command("add")
@click.argument("name")
@click.option("--email", required=True, help="E-mail address, unique.")
@click.option("--fullname", default="", help="Name shown to others.")
@click.option("--sysadmin", is_flag=True, help="Make an administrator.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin; otherwise a one-time link is printed."
)
@prints(_made)
def add(state: CliState, name: str, email: str, fullname: str, sysadmin: bool, password_stdin: bool) -> dict[str, str]:
    """Create an account. Without a password, its owner sets one with the link that is printed (valid once, for 24 hours)."""
    password = read_password(True) if password_stdin else None
    data = {"name": name, "email": email, "fullname": fullname, "password": password}
    user_id = accounts.create(state.site, OPERATOR, data, sysadmin=sysadmin)
    made = {"id": user_id, "name": name}
    return made if password_stdin else made | {"link": first_link(state, name)}


@group.command("list")
@click.option("--search", "text", default="", help="Only names and addresses that contain this.")
@click.option(
    "--state",
    "wanted",
    type=click.Choice(_STATES),
    multiple=True,
    help="Only these states.  [default: active, pending]",
)
@click.option("--zombies", is_flag=True, help="Only regular users without datasets who have been inactive for --weeks.")
@click.option(
    "--weeks",
    type=click.IntRange(0, 5_000),
    default=12,
    show_default=True,
    help="With --zombies: inactive for this long.",
)
@prints(_listed)
def list_(state: CliState, text: str, wanted: tuple[str, ...], zombies: bool, weeks: int) -> list[dict[str, Any]]:
    """List accounts."""
    with state.db.read() as conn:
        rows = [plain(row) for row in users.listed(conn, text, states=wanted or ("active", "pending"))]
        if zombies:
            idle = set(users.zombies(conn, times.ahead(-timedelta(weeks=weeks))))
            rows = [row for row in rows if row["name"] in idle]
    return rows


@group.command("show")
@click.argument("name")
@prints(_shown)
def show(state: CliState, name: str) -> dict[str, Any]:
    """Show one account with its circles and collections. Tokens are never shown; `dcor token create` creates one."""
    with state.db.read() as conn:
        row = lookup.user(conn, name)
        circles, collections = communities.roles_of(conn, row["id"])
        return plain(row) | {
            "circles": {one["name"]: circles[one["id"]] for one in communities.by_ids(conn, circles, "circle")},
            "collections": {
                one["name"]: collections[one["id"]] for one in communities.by_ids(conn, collections, "collection")
            },
            "datasets": users.datasets_created(conn, row["id"]),
            "second_factor": second_factors.is_on(conn, row["id"]),
        }


@group.command("set")
@click.argument("name")
@click.option("--email", help="New e-mail address.")
@click.option("--fullname", help="New full name.")
@click.option("--about", help="New text about the person.")
@pass_state
def set_(state: CliState, name: str, email: str | None, fullname: str | None, about: str | None) -> None:
    """Change the profile of an account."""
    given = {"email": email, "fullname": fullname, "about": about}
    values = {key: value for key, value in given.items() if value is not None}
    if not values:
        raise click.UsageError("Specify what to change: --email, --fullname, --about.")
    accounts.update(state.site, OPERATOR, name, values)


@group.command("passwd")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option("--link", is_flag=True, help="Print a one-time link instead, with which the owner sets one.")
@click.option("--revoke-tokens", is_flag=True, help="Also revoke all API tokens of the account.")
@pass_state
def passwd(state: CliState, name: str, password_stdin: bool, link: bool, revoke_tokens: bool) -> None:
    """Set a password; every session of the account ends."""
    if link and revoke_tokens:
        raise click.UsageError("With --link, the owner chooses whether the tokens are revoked.")
    if link:
        click.echo(first_link(state, name))
        return
    with state.db.read() as conn:
        lookup.user(conn, name)
    accounts.change_password(state.site, OPERATOR, name, read_password(password_stdin), revoke_tokens=revoke_tokens)
    note(f"The password of {name} is set.")


@group.command("totp-off")
@click.argument("name")
@pass_state
def totp_off(state: CliState, name: str) -> None:
    """Turn off two-step sign-in for someone who has lost the phone and the recovery codes; every session of the account ends."""
    second_factor_setup.turn_off_for(state.site, OPERATOR, name)
    note(
        f"Signing in as {name} no longer requires a code; a new app can be set up on the account's page (where "
        f"administrators need two-step sign-in, with a setup code: sudo dcor user totp-setup {name})."
    )


@group.command("totp-setup")
@click.argument("name")
@pass_state
def totp_setup(state: CliState, name: str) -> None:
    """Print a setup code (valid once, for 24 hours): with it and the password, an administrator sets up two-step sign-in where it is required."""
    click.echo(second_factor_setup.permit(state.site, OPERATOR, name))


@group.command("disable")
@click.argument("name")
@pass_state
def disable(state: CliState, name: str) -> None:
    """Lock an account: its sessions end and its tokens stop working until it is enabled again."""
    accounts.set_state(state.site, OPERATOR, name, "disabled")
    note(f"{name} is locked out.")


@group.command("enable")
@click.argument("name")
@pass_state
def enable(state: CliState, name: str) -> None:
    """Unlock an account."""
    accounts.set_state(state.site, OPERATOR, name, "active")
    note(f"{name} can sign in again.")


@group.command("promote")
@click.argument("name")
@pass_state
def promote(state: CliState, name: str) -> None:
    """Make somebody an administrator."""
    accounts.set_sysadmin(state.site, OPERATOR, name, True)
    note(f"{name} is now an administrator. An unused password link no longer works.")


@group.command("demote")
@click.argument("name")
@pass_state
def demote(state: CliState, name: str) -> None:
    """Make an administrator a regular user; the last one cannot be demoted."""
    accounts.set_sysadmin(state.site, OPERATOR, name, False)
    note(f"{name} is now a regular user.")


@group.command("remove")
@click.argument("names", nargs=-1, required=True)
@click.option("--keep-data", is_flag=True, help="Keep name and address (the account can be enabled again).")
@removes
@prints(_removed)
def remove(state: CliState, names: tuple[str, ...], keep_data: bool, dry_run: bool, yes: bool) -> dict[str, list[str]]:
    """Remove accounts: tokens, sessions and memberships end, name and address are replaced by a pseudonym. Datasets stay."""
    with state.db.read() as conn:
        rows = [lookup.user(conn, name, deleted=not keep_data) for name in names]
    found = [row["name"] for row in rows]
    if not agreed(f"Remove {', '.join(found)}?", dry_run=dry_run, yes=yes):
        return {"removed": [], "would_remove": found}
    for row in rows:
        if keep_data:
            accounts.set_state(state.site, OPERATOR, row["id"], "deleted")
        else:
            accounts.erase(state.site, OPERATOR, row["id"])
    return {"removed": found}


@group.command("export")
@click.argument("name")
@click.option("--out", type=FilePath(dir_okay=False), help="File to write; otherwise stdout.")
@pass_state
def export(state: CliState, name: str, out: Path | None) -> None:
    """Write everything stored about a person as JSON (right of access)."""
    with state.db.write() as tx:
        row = lookup.user(tx, name, deleted=True)
        text = json.dumps(pseudonyms.everything(tx, row), indent=2, ensure_ascii=False)
        audit.add(tx, OPERATOR, "user.export", "user", row["id"])
        if out is not None:  # inside: an export that could not be written was none
            write_private(out, f"{text}\n".encode())
    if out is None:
        click.echo(text)


def first_link(state: CliState, name: str) -> str:
    """A one-time link (24 hours) by which the user sets a password."""
    return accounts.link_address(state.site, accounts.one_time_link(state.site, OPERATOR, name))


def plain(row: sqlite3.Row) -> dict[str, Any]:
    """A user as JSON values, without the password's hash."""
    data = {key: row[key] for key in row.keys() if key != "password"}  # noqa: SIM118 - a Row iterates over values
    return data | {"sysadmin": bool(data["sysadmin"])}
