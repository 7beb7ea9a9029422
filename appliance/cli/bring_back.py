"""`dcor backup contents` and `dcor backup restore --dataset|--file|--user|…`: one thing out of a backup, while the service runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.actions import backups, bring_back
from appliance.backup.create import Progress
from appliance.cli.backup_options import key_option, key_text, place_option
from appliance.cli.common import CliState, as_caller, emit, json_option, note, pass_state, size, table
from appliance.model.viewer import OPERATOR

_COLUMNS = {
    "datasets": {
        "name": "dataset",
        "title": "title",
        "circle": "circle",
        "state": "state",
        "files": "files",
        "size": "size",
    },
    "files": {"id": "file", "name": "name", "dataset": "dataset", "size": "size"},
    "users": {"name": "user", "fullname": "full name", "state": "state"},
    "circles": {"name": "circle", "title": "title"},
    "collections": {"name": "collection", "title": "title"},
}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `dcor backup restore` that bring back one thing."""
    for option in reversed(
        (
            click.option(
                "--dataset", metavar="NAME", help="Restore this dataset with its files; the service may be running."
            ),
            click.option("--file", "file", metavar="ID", help="Restore this file, or replace it if it is damaged."),
            click.option("--user", metavar="NAME", help="Restore this account with its memberships."),
            click.option("--circle", metavar="NAME", help="Restore this circle with its members."),
            click.option("--collection", metavar="NAME", help="Restore this collection with its members and entries."),
            click.option("--system", is_flag=True, help="Only restore missing settings, keys and certificate."),
        )
    ):
        command = option(command)
    return command


def chosen(wanted: dict[str, Any], *, files: bool, system: bool, replace: bool) -> tuple[str, str] | None:
    """Kind and name of the one thing that is asked for, None for a whole restore. Raises UsageError for several."""
    given = [(kind, str(ref)) for kind, ref in wanted.items() if ref]
    given += [("system", "")] if system else []
    if len(given) + files > 1:
        names = ", ".join(f"--{kind}" for kind in (*wanted, "system", "files"))
        raise click.UsageError(f"One item at a time: {names} cannot be combined.")
    if given and replace:
        raise click.UsageError(
            "--replace is for a complete restore; a single item is restored alongside existing data."
        )
    return given[0] if given else None


def restore_one(
    state: CliState, place: bring_back.Place, kind: str, ref: str, as_json: bool, progress: Progress | None
) -> int:
    """Bring it back and say what came."""
    with as_caller():
        if kind == "system":
            put_back = bring_back.system(state.data_root, place)
            if put_back:
                bring_back.note_system(state.site, put_back)
            emit({"put_back": put_back}, as_json, _put_back)
            if put_back:
                note("Next: sudo systemctl restart dcor; dcor inspect")
            return 0
        done = bring_back.bring_back(state.site, OPERATOR, place, kind, ref, progress=progress)
    data = {"kind": done.kind, "name": done.name, "backup": done.backup, "files": done.files, "bytes": done.size}
    data["notes"] = done.notes
    for line in done.notes:
        note(line)
    emit(data, as_json, _brought)
    return 0


@click.command("contents")
@click.argument("name", required=False)
@place_option
@key_option
@click.option(
    "--only",
    "kinds",
    multiple=True,
    type=click.Choice(tuple(_COLUMNS)),
    help="Only these; repeatable.",
)
@json_option
@pass_state
def contents(
    state: CliState, name: str | None, place: Path | None, key: Path | None, kinds: tuple[str, ...], as_json: bool
) -> None:
    """List the contents of the newest backup, or of the one called NAME: datasets, files, users, circles, collections."""
    where = place_of(place or backups.folder(state.settings), key_text(key), name)
    with as_caller():
        data = bring_back.contents(state.site, OPERATOR, where)
    emit(data if not kinds else {key: data[key] for key in ("backup", "kind", *kinds)}, as_json, _contents)


def place_of(
    folder: Path, key: str, name: str | None, signer: str | None = None, any_signer: bool = False
) -> bring_back.Place:
    """Where to look, and with what."""
    return bring_back.Place(folder, key, name, signer, any_signer)


def _put_back(data: dict[str, list[str]]) -> str:
    return "\n".join(f"Restored: {name}" for name in data["put_back"]) or "Nothing was missing."


def _brought(data: dict[str, Any]) -> str:
    files = f" with {data['files']} files ({size(data['bytes'])})" if data["files"] else ""
    return f"Restored {data['kind']} {data['name']}{files} from the backup {data['backup']}."


def _contents(data: dict[str, Any]) -> str:
    parts = [f"Backup {data['backup']}"]
    for kind, columns in _COLUMNS.items():
        if kind in data:
            rows = [row | {"size": size(row["bytes"])} if "bytes" in row else row for row in data[kind]]
            parts.append(table(rows, columns, empty=f"No {kind}."))
    return "\n\n".join(parts)
