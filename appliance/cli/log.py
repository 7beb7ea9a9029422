"""`dcor log`: the incidents behind the numbers that error pages show."""

from __future__ import annotations

import click

from appliance.cli.common import CliState, emit, json_option, pass_state, table
from appliance.model.problem import not_found
from appliance.store import incidents


@click.group("log")
def group() -> None:
    """Incidents behind the numbers shown on error pages."""


@group.command("show")
@click.argument("incident_id")
@json_option
@pass_state
def show(state: CliState, incident_id: str, as_json: bool) -> None:
    """Show what went wrong: moment, place and trace of an incident."""
    with state.db.read() as conn:
        found = incidents.get(conn, incident_id)
    if found is None:
        raise not_found(f"There is no incident {incident_id}. `dcor log list` shows the latest ones.")
    emit(found, as_json, lambda _: f"{found['id']}  {found['at'][:19]}  {found['place']}\n\n{found['trace']}")


@group.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most this many, newest first.")
@json_option
@pass_state
def list_(state: CliState, limit: int, as_json: bool) -> None:
    """List the latest incidents."""
    with state.db.read() as conn:
        rows = incidents.latest(conn, limit)
    emit(rows, as_json, lambda _: table(rows, {"at": "when", "id": "id", "place": "where"}, empty="No incidents."))
