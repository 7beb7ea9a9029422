"""`dcor reserve`: increments for a second machine, and taking over there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from appliance.actions import reserve
from appliance.cli.backup_options import FILE_PATH, as_caller_for_owner, key_option, key_text, progress
from appliance.cli.common import CliState, confirm, emit, json_option, note, pass_state, size, yes_option
from appliance.cli.stopped_service import restored_service


@click.group("reserve")
def group() -> None:
    """A standby machine: increments for it, and taking over."""


@group.command("update")
@click.option("--due", is_flag=True, help="Only if the newest one is older than reserve.minutes; for the timer.")
@json_option
@pass_state
def update(state: CliState, due: bool, as_json: bool) -> int:
    """Create an increment in reserve.folder: the database and new files. Exit code 1 if files were missing or damaged."""
    if due and (not state.settings.reserve.folder or not reserve.is_due(state.settings)):
        emit({"name": None}, as_json, lambda _: "")
        return 0
    with progress() as told:
        made = reserve.update(state.site, progress=told)
    data = {
        "name": made.manifest.name,
        "path": str(made.path),
        "new_files": made.new_files,
        "new_bytes": made.new_bytes,
        "seconds": round(made.seconds, 1),
        "problems": made.problems,
    }
    emit(data, as_json, _updated)
    return int(bool(made.problems))


@group.command("status")
@json_option
@pass_state
def status(state: CliState, as_json: bool) -> int:
    """Show how old the newest increment is. Exit code 1 if it is older than three times reserve.minutes."""
    last = reserve.newest(state.settings)
    age = None if last is None else round((datetime.now(UTC) - last).total_seconds())
    data = {"folder": state.settings.reserve.folder, "minutes": state.settings.reserve.minutes, "age": age}
    emit(data, as_json, lambda _: _status(data))
    return int(age is None or age > 180 * state.settings.reserve.minutes)


@group.command("take-over")
@click.option("--from", "place", type=FILE_PATH, required=True, help="Folder of the increments.")
@key_option
@click.option("--old-is-off", is_flag=True, help="Do not check whether the old server still answers.")
@click.option("--address", help="Check at this address instead of the old server's name.")
@click.option("--replace", is_flag=True, help="Move existing datasets aside.")
@click.option("--signer", help="Public signing key of the old server; the key sheet names it.")
@click.option("--any-signer", is_flag=True, help="Accept increments whoever signed them.")
@yes_option
@json_option
@pass_state
def take_over(
    state: CliState,
    place: Path,
    key: Path | None,
    old_is_off: bool,
    address: str | None,
    replace: bool,
    signer: str | None,
    any_signer: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Become the server whose increments lie in a folder: data, name, certificate, keys and settings of the newest one.

    Refused while the old server answers at its name. A damaged increment is skipped. After an
    interruption, the same command resumes. Where systemd runs the service, it is started at the end. Exit code 1
    if single files could not be restored.
    """
    secret = key_text(key)
    confirm(f"Make {state.data_root} the server whose increments are in {place}?", yes)
    with restored_service(), progress() as told, as_caller_for_owner(state.data_root):
        done = reserve.take_over(
            state.data_root, place, secret, signer=signer, any_signer=any_signer, replace=replace,
            old_is_off=old_is_off, address=address, progress=told,
        )  # fmt: skip
    for line in (*done.passed_over, *done.restored.notes):
        note(line)
    data = {
        "increment": done.restored.manifest.name,
        "made": done.made.isoformat(),
        "hostname": done.restored.manifest.hostname,
        "files": done.restored.files,
        "bytes": done.restored.size,
        "passed_over": done.passed_over,
        "problems": done.restored.problems,
    }
    emit(data, as_json, _taken)
    note(
        f"Next: let the DNS name {done.restored.manifest.hostname} point to this machine; keep the old one switched off; sudo dcor inspect"
    )
    return int(bool(done.restored.problems))


def _updated(data: dict[str, Any]) -> str:
    new = f"{data['new_files']} new files ({size(data['new_bytes'])})"
    return "\n".join([*data["problems"], f"{data['path']}: database, {new}, in {data['seconds']} s"])


def _status(data: dict[str, Any]) -> str:
    if data["age"] is None:
        return f"There is no increment in {data['folder']} yet."
    return f"The newest increment in {data['folder']} is {data['age'] // 60} minutes old (every {data['minutes']})."


def _taken(data: dict[str, Any]) -> str:
    files = f"{data['files']} files, {size(data['bytes'])}"
    return "\n".join([*data["problems"], f"This machine is now {data['hostname']}, as of {data['made']}: {files}."])
