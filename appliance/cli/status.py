"""`dcor status`: the appliance at a glance."""

from __future__ import annotations

import sqlite3
from typing import Any

import click

from appliance.cli.common import EXIT_OK, EXIT_REFUSED, CliState, cell, details, emit, json_option, pass_state, size
from appliance.model.problem import Problem


@click.command("status")
@click.option("--nagios", is_flag=True, help="One line for Nagios and Icinga; exit code 0 ok, 1 warning, 2 critical.")
@json_option
@pass_state
def command(state: CliState, nagios: bool, as_json: bool) -> int:
    """Show what is running, how full the disk is, and what needs attention.

    Exit code 1 when the service does not answer.
    """
    from appliance.health.base import Premises
    from appliance.health.overview import overview

    if nagios:
        return _nagios(state)
    premises = Premises(state.data_root, state.settings)
    premises.db = state.db
    data = overview(premises)
    emit(data, as_json, _text)
    return EXIT_OK if data["running"] else EXIT_REFUSED


def _nagios(state: CliState) -> int:
    """The state as a plug-in of Nagios says it: a word, what is behind it, figures. Whatever goes wrong is critical."""
    from appliance.health.base import Premises
    from appliance.health.overview import overview, state_of

    try:
        premises = Premises(state.data_root, state.settings)
        premises.db = state.db
        data = overview(premises)
    except (Problem, OSError, sqlite3.DatabaseError) as error:
        click.echo(f"DCOR CRITICAL: {cell(str(error))}".replace("|", "/"))
        return 2
    code, word = {"ok": (0, "OK"), "warning": (1, "WARNING"), "problem": (2, "CRITICAL")}[state_of(data)]
    backup = "none" if data["backup_age"] is None else f"{data['backup_age'] / 3600:.0f} h"
    text = (
        f"{'running' if data['running'] else 'does not answer'}, {size(data['disk_free'])} free, backup {backup}, "
        f"certificate {data['certificate_days']} days, {len(data['alarms'])} alarms, {data['jobs']['failed']} failed jobs"
    )
    figures = {
        "disk_free": f"{data['disk_free']}B",
        "backup_age": f"{data['backup_age'] if data['backup_age'] is not None else 'U'}s",
        "certificate_days": data["certificate_days"] if data["certificate_days"] is not None else "U",
        "jobs_queued": data["jobs"]["queued"],
        "jobs_failed": data["jobs"]["failed"],
        "alarms": len(data["alarms"]),
    }
    click.echo(f"DCOR {word}: {text} | {' '.join(f'{key}={value}' for key, value in figures.items())}")
    return code


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
