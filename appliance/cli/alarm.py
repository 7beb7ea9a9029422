"""`dcor alarm`: what an administrator has to know and to settle."""

from __future__ import annotations

import click

from appliance.cli.common import CliState, emit, json_option, pass_state, table
from appliance.model.problem import not_found
from appliance.model.viewer import OPERATOR
from appliance.store import alarms, audit


@click.group("alarm")
def group() -> None:
    """Alarms: open reports of jobs and checks."""


@group.command("list")
@json_option
@pass_state
def list_(state: CliState, as_json: bool) -> int:
    """List open alarms. Exit code 1 when there are any."""
    with state.db.read() as conn:
        rows = alarms.open_(conn)
    emit(
        rows,
        as_json,
        lambda _: table(
            rows, {"at": "when", "id": "id", "kind": "kind", "message": "message"}, empty="No open alarms."
        ),
    )
    return 1 if rows else 0


@group.command("resolve")
@click.argument("alarm_id")
@pass_state
def resolve(state: CliState, alarm_id: str) -> None:
    """Mark an alarm as settled."""
    with state.db.write() as tx:
        if not alarms.resolve(tx, alarm_id):
            raise not_found(f"There is no open alarm {alarm_id}.")
        audit.add(tx, OPERATOR, "alarm.resolve", "alarm", alarm_id)
