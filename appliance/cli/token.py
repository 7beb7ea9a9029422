"""`dcor token`: API tokens of a user."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from appliance.actions import accounts, lookup
from appliance.cli.common import CliState, emit, json_option, note, pass_state, prints, table
from appliance.model.viewer import OPERATOR
from appliance.store import tokens

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_COLUMNS = {
    "id": "id",
    "name": "name",
    "scope": "scope",
    "created": "created",
    "last_access": "last used",
    "expires": "expires",
}


def _listed(rows: list[dict[str, Any]]) -> str:
    moments = ("created", "last_access", "expires")
    shown = [row | {key: row[key] and row[key][:19] for key in moments} for row in rows]
    return table(shown, _COLUMNS, empty="No tokens.")


class Span(click.ParamType[timedelta]):
    """A length of time such as 12h, 180d, 4w."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse, or fail with the forms that are understood."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,5})([hdw])", str(value))
        if found is None:
            self.fail(f"'{value}' is not a length of time; write 12h, 180d or 4w.", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.group("token")
def group() -> None:
    """API tokens of a user."""


@group.command("create")
@click.argument("user")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--expires", type=Span(), help="Lifetime, such as 180d; otherwise until revoked.")
@click.option(
    "--scope",
    type=click.Choice(["read", "write", "admin"]),
    help="What it may be used for.  [default: write; admin for administrators]",
)
@json_option
@pass_state
def create(state: CliState, user: str, name: str, expires: timedelta | None, scope: str | None, as_json: bool) -> None:
    """Create a token and print it once, as the only output on stdout."""
    token, token_id = accounts.create_token(state.site, OPERATOR, user, name, scope=scope, expires=expires)
    emit({"token": token, "id": token_id}, as_json, lambda _: token)
    note(f"Keep it like a password; it is not shown again. Revoke it with: dcor token revoke {token_id}")


@group.command("list")
@click.argument("user")
@prints(_listed)
def list_(state: CliState, user: str) -> list[dict[str, Any]]:
    """List a user's tokens."""
    with state.db.read() as conn:
        return [dict(row) for row in tokens.of_user(conn, lookup.user(conn, user)["id"])]


@group.command("revoke")
@click.argument("token_ids", nargs=-1, required=True)
@pass_state
def revoke(state: CliState, token_ids: tuple[str, ...]) -> None:
    """Revoke tokens by their IDs, along with those created with them; this takes effect immediately."""
    further = sum(accounts.revoke_token(state.site, OPERATOR, token_id=token_id) for token_id in token_ids)
    note(f"{len(token_ids)} tokens revoked{f', and {further} that were created with them' if further else ''}.")
