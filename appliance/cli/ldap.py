"""`dcor ldap`: signing in with accounts of the institution's directory."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from appliance.actions import directory_check, directory_links, directory_sync
from appliance.cli.common import (
    EXIT_OK,
    EXIT_REFUSED,
    CliState,
    checked,
    compared,
    emit,
    json_option,
    note,
    pass_state,
    prints,
    read_password,
)
from appliance.model.problem import invalid
from appliance.model.viewer import OPERATOR
from appliance.security import ldap, secrets


@click.group("ldap")
def group() -> None:
    """Directory accounts (LDAP, Active Directory): check, password, sync, link, unlink."""


@group.command("check")
@click.option("--user", "login", default="", metavar="NAME", help="Also show what signing in as NAME would find.")
@json_option
@pass_state
def check(state: CliState, login: str, as_json: bool) -> int:
    """Query every server of the directory and report what was found. Exit code 1 if something is wrong."""
    found = directory_check.check(state.site, login)
    emit([asdict(one) for one in found], as_json, checked)
    return EXIT_OK if all(one.good for one in found) else EXIT_REFUSED


@group.command("password")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@pass_state
def password(state: CliState, password_stdin: bool) -> None:
    """Set the password of the account that searches (ldap.bind_dn). It is kept in secrets/, readable by the service alone."""
    state.require_root()
    given = read_password(password_stdin, "Password of the account that searches")
    secrets.write_private(secrets.private_folder(state.settings.secrets) / ldap.PASSWORD, given.encode() + b"\n")
    note("Saved. Test it: sudo dcor ldap check")


@group.command("sync")
@prints(compared)
def sync(state: CliState) -> dict[str, Any]:
    """Compare all accounts with the directory now, as the service does every few minutes."""
    if not state.settings.ldap.servers:
        raise invalid(message="No directory is set up: dcor config set ldap.servers ldaps://dc1.hospital.example")
    outcome = directory_sync.compare(state.db, state.settings)
    if outcome.away:
        raise invalid(message=f"The directory cannot be reached: {outcome.away}")
    return asdict(outcome)


@group.command("link")
@click.argument("name")
@click.option("--login", help="Name in the directory.  [default: NAME]")
@pass_state
def link(state: CliState, name: str, login: str | None) -> None:
    """Link the account NAME to a person in the directory; from then on it uses the directory's password."""
    dn = directory_links.link(state.site, OPERATOR, name, login or name)
    note(f"{name} now belongs to {dn}. Datasets, roles and tokens stay.")


@group.command("unlink")
@click.argument("name")
@pass_state
def unlink(state: CliState, name: str) -> None:
    """Make the account NAME a local one, which needs a password: dcor user passwd NAME."""
    directory_links.unlink(state.site, OPERATOR, name)
    note(f"{name} is now a local account. It needs a password: sudo dcor user passwd {name}")
