"""`dcor push`: publish datasets on another DCOR or another appliance."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from appliance import file_locks
from appliance.cli.common import CliState, FilePath, as_caller, dry_run_option, emit, json_option, pass_state, size
from appliance.cli.pull import line, printed
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.peer import push
from appliance.peer.client import Client
from appliance.peer.outgoing import Wishes, gather
from appliance.peer.progress import Progress

_LOCK = "push.lock"
_MOST_TOLD = 50
#: Where a person is asked: stdin holds the token.
_TERMINAL = "/dev/tty"


@click.command("push")
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET...")
@click.option("--to", "url", required=True, metavar="URL", help="The server; one of the setting publish.targets.")
@click.option("--circle", required=True, metavar="NAME", help="The circle there that shall own the datasets.")
@click.option("--token-stdin", is_flag=True, help="Read the API token of the other server from stdin.")
@click.option("--licence", default="", metavar="ID", help="Licence there, such as CC-BY-4.0.  [default: as here]")
@click.option("--title", default="", help="Title there, for one dataset.  [default: as here]")
@click.option("--public", is_flag=True, help="Visible to everybody there; without it: to the circle there.")
@click.option("--activate", is_flag=True, help="Activate the datasets there when they are complete; asks before.")
@click.option("--yes", "-y", is_flag=True, help="With --activate: do not ask.")
@click.option("--anew", is_flag=True, help="Make another dataset there, though it was sent before.")
@click.option("--cacert", type=FilePath(dir_okay=False), help="Certificates to trust besides the system's.")
@dry_run_option
@json_option
@pass_state
def command(
    state: CliState,
    datasets: tuple[str, ...],
    url: str,
    circle: str,
    token_stdin: bool,
    licence: str,
    title: str,
    public: bool,
    activate: bool,
    yes: bool,
    anew: bool,
    cacert: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Publish datasets on another DCOR or appliance.

    Makes a draft in a circle there, sends the files, compares the checksums, and with --activate publishes it after a question. The
    dataset there names this one as a reference, this one says where it was published. A call that was interrupted is repeated: no
    file that had arrived is sent again, no second dataset is made. Refused are drafts, licences that permit no publication, and
    files that seem to hold personal data. Exit code 1 when something was refused or left open.
    """
    if title and len(datasets) > 1:
        raise click.UsageError("--title is for one dataset.")
    state.require_root()
    server = push.target(state.settings, url)
    wishes = Wishes(licence, title, public)
    options = push.Options(circle, wishes, lambda there: activate and _agreed(there, yes), anew)
    if dry_run:
        emit([_planned(state, one, options) for one in datasets], as_json, _plan_text)
        return 0
    token = sys.stdin.readline().strip() if token_stdin else ""
    if not token:
        raise click.UsageError("Give the token of the other server on stdin, with --token-stdin.")
    if activate and not yes and not _has_terminal():
        raise click.UsageError("--activate asks a person; where there is no terminal, say --yes.")
    with as_caller():
        client = Client(server, token, cacert=cacert)
    data = _push_all(state, client, datasets, options)
    emit(data, as_json, _text)
    return 0 if all(one.get("state") and not one.get("unverified") for one in data) else 1


def _push_all(
    state: CliState, client: Client, datasets: tuple[str, ...], options: push.Options
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with ExitStack() as stack:
        if not stack.enter_context(file_locks.held(state.settings.tmp / _LOCK)):
            raise Problem(409, "Validation Error", message="Another `dcor push` runs already; wait for its end.")
        for ref in datasets:
            progress = Progress(line if sys.stderr.isatty() else None)
            try:
                found.append(asdict(push.push(state.site, OPERATOR, client, ref, options, progress)))
            except Problem as problem:
                found.append({"dataset": ref, "target": client.address.url, "error": str(problem)})
            if sys.stderr.isatty():
                click.echo("\r\x1b[K", nl=False, err=True)
    return found


def _has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _agreed(there: str, yes: bool) -> bool:
    """Ask at the terminal."""
    question = f"Activate {there}? It cannot be changed afterwards."
    if yes:
        return True
    with Path(_TERMINAL).open(encoding="utf-8") as terminal:
        click.echo(f"{question} [y/N]: ", nl=False, err=True)
        return terminal.readline().strip().lower() in ("y", "yes")


def _planned(state: CliState, ref: str, options: push.Options) -> dict[str, Any]:
    found = gather(state.site, OPERATOR, ref, options.wishes)
    return {
        "dataset": found.name,
        "fields": found.fields,
        "files": [
            {"name": one.name, "size": one.size, "sha256": one.sha256, "values": one.values} for one in found.files
        ],
        "bytes": found.size,
        "notes": found.notes,
    }


def _plan_text(data: list[dict[str, Any]]) -> str:
    lines = []
    for one in data:
        lines += [f"{one['dataset']} would be sent with:"]
        told = {**one["fields"], "tags": ", ".join(tag["name"] for tag in one["fields"]["tags"])}
        lines += [f"  {key}: {value}" for key, value in told.items() if value not in ("", None)]
        lines += [f"  files: {len(one['files'])} ({size(one['bytes'])})"]
        lines += _shortened([f"    {file['name']}" for file in one["files"]])
        lines += _listed("To note", one["notes"])
    return printed(lines)


def _text(data: list[dict[str, Any]]) -> str:
    lines = []
    for one in data:
        if "error" in one:
            lines.append(f"{one['dataset']}: {one['error']}")
            continue
        lines.append(
            f"{one['dataset']}: {one['state']} at {one['url']}, {one['files']} files ({size(one['sent'])} sent now)"
        )
        if one["unverified"]:
            lines += _listed("Without a checksum there yet, so not activated; repeat the call later", one["unverified"])
        elif one["state"] == "draft":
            lines.append("  Complete. Look at it there and activate it, or repeat the call with --activate.")
        lines += _listed("To note", one["notes"])
    return printed(lines)


def _listed(title: str, found: list[str]) -> list[str]:
    return [f"  {title}:", *_shortened([f"    {one}" for one in found])] if found else []


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_TOLD
    return lines if more <= 0 else [*lines[:_MOST_TOLD], f"    … and {more} more; --json tells all"]
