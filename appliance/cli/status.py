"""`dcor status`: the appliance at a glance."""

from __future__ import annotations

from typing import Any

import click

from appliance.cli.common import EXIT_OK, EXIT_REFUSED, CliState, details, emit, json_option, pass_state, size


@click.command("status")
@json_option
@pass_state
def command(state: CliState, as_json: bool) -> int:
    """Show what is running, how full the disk is, and what needs attention.

    Exit code 1 when the service does not answer.
    """
    from appliance.health.base import Premises
    from appliance.health.overview import overview

    premises = Premises(state.data_root, state.settings)
    premises.db = state.db
    data = overview(premises)
    emit(data, as_json, _text)
    return EXIT_OK if data["running"] else EXIT_REFUSED


def _text(data: dict[str, Any]) -> str:
    totals, jobs = data["totals"], data["jobs"]
    age = data["backup_age"]
    rows = {
        "DCOR appliance": data["version"],
        "address": data["url"],
        "data root": data["data"],
        "service": "running" if data["running"] else "does not answer",
        "catalogue": f"{totals['datasets']} datasets, {totals['resources']} resources ({size(totals['bytes'])}), {totals['circles']} circles, {totals['collections']} collections, {totals['users']} users",
        "jobs": ", ".join(f"{number} {name}" for name, number in jobs.items()),
        "disk": f"{size(data['disk_free'])} of {size(data['disk_total'])} free",
        "last backup": "none yet" if age is None else f"{age / 3600:.1f} hours ago",
        "certificate": "none" if data["certificate_days"] is None else f"{data['certificate_days']} days left",
        "sandbox": _sandbox(data["sandbox"]),
        "alarms": "none"
        if not data["alarms"]
        else "; ".join(f"{alarm['kind']}: {alarm['message']}" for alarm in data["alarms"]),
    }
    return details(rows)


def _sandbox(found: dict[str, Any]) -> str:
    if found["complete"]:
        return str(found["summary"])
    state = "weak, allowed by jobs.allow_weak_sandbox" if found["used"] else "too weak: no uploaded file is opened"
    return f"{state} ({found['summary']})"
