"""`dcor scrub`: read stored files and compare them with their checksums."""

from __future__ import annotations

from typing import Any

import click

from appliance.cli.common import CliState, emit, json_option, pass_state, percentage, size


@click.command("scrub")
@click.option("--share", is_flag=True, help="Only today's share: everything is read once within jobs.scrub_days.")
@json_option
@pass_state
def command(state: CliState, share: bool, as_json: bool) -> int:
    """Read every stored file and compare it with its checksum.

    A mismatch raises an alarm; generated files are created again. Nothing is deleted. Exit code 1 if a file is damaged.
    """
    from appliance.jobs import scrub

    report = scrub.scrub(
        state.db,
        state.depot,
        settings=state.settings,
        days=state.settings.jobs.scrub_days,
        everything=not share,
        progress=percentage,
    )
    emit(report.to_json(), as_json, _text)
    return 1 if report.bad else 0


def _text(data: dict[str, Any]) -> str:
    lines = [f"{data['files']} files ({size(data['bytes'])}) read, {len(data['bad'])} bad."]
    if data["archived"]:
        lines.append(f"{data['archived']} archived originals compared in the object storage.")
    if data.get("archive_away"):
        lines.append(f"The object storage was not asked: {data['archive_away']}.")
    lines += [f"{row['kind']} of resource {row['resource_id']} {row['reason']}" for row in data["bad"]]
    return "\n".join(lines)
