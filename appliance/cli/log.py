"""`dcor log`: the incidents behind the numbers that error pages show."""

from __future__ import annotations

from typing import Any

import click

from appliance.cli.common import CliState, prints, table
from appliance.cli.inputs import COUNT
from appliance.model.problem import not_found
from appliance.store import incidents


@click.group("log")
def group() -> None:
    """Incidents behind the numbers shown on error pages."""


@group.command("show")
@click.argument("incident_id")
@prints(lambda one: f"{one['id']}  {one['at'][:19]}  {one['place']}\n\n{one['trace']}")
def show(state: CliState, incident_id: str) -> dict[str, Any]:
    """Show what went wrong: time, place and traceback of an incident."""
    with state.db.read() as conn:
        found = incidents.get(conn, incident_id)
    if found is None:
        raise not_found(f"There is no incident {incident_id}. `dcor log list` shows the latest ones.")
    return found


@group.command("list")
@click.option(
    "--limit", type=click.IntRange(1, COUNT), default=20, show_default=True, help="At most this many, newest first."
)
@prints(lambda rows: table(rows, {"at": "when", "id": "id", "place": "where"}, empty="No incidents."))
def list_(state: CliState, limit: int) -> list[dict[str, Any]]:
    """List the latest incidents."""
    with state.db.read() as conn:
        return incidents.latest(conn, limit)
