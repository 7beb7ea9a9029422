"""`dcor demo`: demonstration data, and the try-out that `installer/install.sh --try` ends in."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.cli.common import CliState, emit, json_option, note, pass_state


@click.group("demo")
def group() -> None:
    """Demonstration data for trying things out."""


@group.command("load")
@click.option(
    "--events", type=click.IntRange(20, 20000), default=400, show_default=True, help="Events in each measurement."
)
@json_option
@pass_state
def load(state: CliState, events: int, as_json: bool) -> None:
    """Load synthetic measurements: 3 datasets in 2 circles and 1 collection, with a user `demo`. Repeating the command adds nothing."""
    from appliance.demo import catalogue

    made = catalogue.load(state.site, state.settings, events=events, told=note)
    emit(
        made,
        as_json,
        lambda _: (
            f"{len(made['datasets'])} datasets, {len(made['circles'])} circles, {len(made['collections'])} collection."
        ),
    )


@group.command("start")
@click.option("--hostname", default="localhost", show_default=True, help="Name of this server.")
@click.option("--port", type=click.IntRange(1, 65535), default=8443, show_default=True, help="HTTPS port.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@pass_state
def start(state: CliState, hostname: str, port: int, no_open: bool) -> None:
    """Set up a try-out in the data root if there is none, serve it, and say what to try. Ctrl-C stops it."""
    from appliance.cli import tryout

    tryout.start(Path(state.data_root), hostname, port, browser=not no_open)
