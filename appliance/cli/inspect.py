"""`dcor inspect`: every health check, with repairs that cannot lose data."""

from __future__ import annotations

import click

from appliance.cli.common import EXIT_OK, EXIT_REFUSED, CliState, emit, json_option, note, pass_state


@click.command("inspect")
@click.option(
    "--assume-yes", is_flag=True, help="Repair what can be repaired without losing data (nothing is ever deleted)."
)
@click.option("--deep", is_flag=True, help="Also read every stored file and compare its checksum.")
@click.option("--check", "wanted", multiple=True, metavar="NAME", help="Only this check; repeatable.")
@json_option
@pass_state
def command(state: CliState, assume_yes: bool, deep: bool, wanted: tuple[str, ...], as_json: bool) -> int:
    """Check the whole installation and say how to fix what is wrong.

    Exit code 0: healthy (warnings may remain), 1: problems found.
    """
    from appliance.health import report
    from appliance.health.base import Premises

    known = [named.name for named in report.checks()]
    for name in wanted:
        if name not in known:
            raise click.BadParameter(
                f"There is no check '{name}'. The checks are: {', '.join(known)}.", param_hint="--check"
            )
    if assume_yes:
        state.require_root()  # nothing is made on an empty mount point, or in a data root that is being restored
    premises = Premises(state.data_root, state.settings, deep=deep)
    result = report.examine(premises, repair=assume_yes, only=set(wanted))
    data = {
        "healthy": result.healthy,
        "findings": [finding.to_json() for finding in result.findings],
        "repaired": list(result.repaired),
    }
    emit(data, as_json, lambda _: report.as_text(result.findings))
    if not as_json:
        repairable = sum(finding.repair is not None for finding in result.findings)
        if repairable:
            note(f"{repairable} of these can be repaired: dcor inspect --assume-yes")
        note("Healthy." if result.healthy else "Problems found.")
    return EXIT_OK if result.healthy else EXIT_REFUSED
