"""`dcor oidc`: signing in at the institution's OpenID provider."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from appliance.actions import provider_links, provider_sync
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
from appliance.cli.ldap import unlink
from appliance.model.problem import invalid
from appliance.model.viewer import OPERATOR


@click.group("oidc")
def group() -> None:
    """Sign-in through an OpenID provider: check, secret, sync, link, unlink."""


@group.command("check")
@json_option
@pass_state
def check(state: CliState, as_json: bool) -> int:
    """Query the provider, and report what was found and what must be registered there. Exit code 1 if something is wrong."""
    found = list(provider_links.check(state.site))
    emit([asdict(one) for one in found], as_json, checked)
    return EXIT_OK if all(one.good for one in found) else EXIT_REFUSED


@group.command("secret")
@click.option("--password-stdin", is_flag=True, help="Read the secret from stdin.")
@pass_state
def secret(state: CliState, password_stdin: bool) -> None:
    """Set the secret of this server at the provider (oidc.client_id). It is kept in secrets/, readable by the service alone."""
    state.require_root()
    provider_links.set_secret(state.site, read_password(password_stdin, "Secret of this client"))
    note("Saved. Test it: sudo dcor oidc check")


@group.command("sync")
@prints(compared)
def sync(state: CliState) -> dict[str, Any]:
    """Query the provider now about everyone who is signed in, as the service does every few minutes."""
    if not state.settings.oidc.issuer:
        raise invalid(message="No provider is set up: dcor config set oidc.issuer https://sso.hospital.example")
    outcome = provider_sync.compare(state.db, state.settings)
    if outcome.away:
        raise invalid(message=f"The provider cannot be reached: {outcome.away}")
    return asdict(outcome)


@group.command("link")
@click.argument("name")
@click.option("--subject", required=True, help="What the provider calls the person; the alarm names it.")
@pass_state
def link(state: CliState, name: str, subject: str) -> None:
    """Link the account NAME to a person at the provider, who signs in there from then on."""
    provider_links.link(state.site, OPERATOR, name, subject)
    note(f"{name} now signs in through the provider. Datasets, roles and tokens stay.")


group.add_command(unlink)
