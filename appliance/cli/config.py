"""`dcor config`: the settings in force, where each comes from, and changing them."""

from __future__ import annotations

from typing import Any

import click

from appliance import settings as settings_module
from appliance.cli.common import CliState, emit, json_option, note, pass_state
from appliance.model.setting_values import toml
from appliance.settings import Settings


@click.group("config")
def group() -> None:
    """The settings in force and where each comes from."""


@group.command("show")
@click.argument("key", required=False)
@click.option(
    "--origin",
    is_flag=True,
    help="Show for each setting whether it is the default, or comes from the file or the environment.",
)
@click.option("--changed", is_flag=True, help="Only settings that differ from the default.")
@json_option
@pass_state
def show(state: CliState, key: str | None, origin: bool, changed: bool, as_json: bool) -> None:
    """Show the settings, or the one named KEY (such as server.port)."""
    rows = effective(state.settings)
    if key is not None:
        if key not in rows:
            raise click.BadParameter(f"There is no setting '{key}'.", param_hint="KEY")
        rows = {key: rows[key]}
    if changed:
        rows = {name: row for name, row in rows.items() if row["origin"] != "default"}
    data = rows if origin else {name: row["value"] for name, row in rows.items()}
    emit(data, as_json, lambda _: "\n".join(_line(name, row, origin) for name, row in rows.items()))


@group.command("set")
@click.argument("key")
@click.argument("value")
@pass_state
def set_(state: CliState, key: str, value: str) -> None:
    """Write one setting to dcor.toml. It takes effect when the service is next started."""
    written = remember(state, key, value)
    note(f"{key} = {written}. Restart the service: sudo systemctl restart dcor")


def remember(state: CliState, key: str, value: str) -> Any:
    """Write one setting into dcor.toml, beside what stands there, and return it in its type. Raises Problem.

    What the environment says is left out: it holds for this call only. What an administrator chose for it on the page ends.
    """
    state.require_root()
    chosen = settings_module.load(state.data_root, env={}, page=False).replace(**{key: value}).chosen()
    settings_module.write(state.data_root / settings_module.FILE, chosen)
    if key in settings_module.page_values(state.data_root):
        settings_module.change_on_page(state.data_root, key, None)
    return chosen[key]


def effective(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting by its dotted key: value, origin, unit, what it means."""
    found = {}
    for key, option in settings_module.options().items():
        group_name, name = key.split(".")
        found[key] = {
            "value": getattr(getattr(settings, group_name), name),
            "origin": settings.origins.get(key, "default"),
            "unit": option.metadata["unit"],
            "doc": option.metadata["doc"],
        }
    return found


def _line(name: str, row: dict[str, Any], origin: bool) -> str:
    text = f"{name} = {toml(row['value'])}"
    return f"{text:<50} # {row['origin']}" if origin else text
