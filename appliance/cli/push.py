"""`dcor push`: publish datasets on another DCOR or another appliance."""

from __future__ import annotations

import atexit
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from appliance.actions.outgoing import OutgoingFile, Wishes, gather
from appliance.cli import push_everything
from appliance.cli.common import CliState, FilePath, as_caller, dry_run_option, emit, json_option, pass_state
from appliance.cli.pull import line
from appliance.cli.push_text import plan_text, report_text
from appliance.jobs.pseudonymised_copies import PseudonymisedCopies
from appliance.jobs.sandbox import Sandbox
from appliance.model.problem import Problem
from appliance.model.pseudonymised import Copier
from appliance.model.server_address import Address
from appliance.model.viewer import OPERATOR
from appliance.peer import push
from appliance.peer.client import Client
from appliance.peer.progress import Progress

#: Where a person is asked: stdin holds the token.
TERMINAL = "/dev/tty"


@click.command("push")
@click.argument("datasets", nargs=-1, metavar="DATASET...")
@click.option(
    "--everything", is_flag=True, help="Move: accounts, circles, collections, members and all datasets; asks before."
)
@click.option("--to", "url", required=True, metavar="URL", help="The server; one of the setting publish.targets.")
@click.option("--circle", default="", metavar="NAME", help="The circle there that shall own the datasets.")
@click.option("--token-stdin", is_flag=True, help="Read the API token of the other server from stdin.")
@click.option("--licence", default="", metavar="ID", help="Licence there, such as CC-BY-4.0.  [default: as here]")
@click.option("--title", default="", help="Title there, for one dataset.  [default: as here]")
@click.option(
    "--pseudonymise",
    is_flag=True,
    help="Send copies without texts that may name people; shows what changes, and asks before.",
)
@click.option("--public", is_flag=True, help="Visible to everybody there; without it: to the circle there.")
@click.option("--activate", is_flag=True, help="Activate the datasets there when they are complete; asks before.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--anew", is_flag=True, help="Make another dataset there, though it was sent before.")
@click.option("--cacert", type=FilePath(dir_okay=False), help="Certificates to trust besides the system's.")
@dry_run_option
@json_option
@pass_state
def command(
    state: CliState,
    datasets: tuple[str, ...],
    everything: bool,
    url: str,
    circle: str,
    token_stdin: bool,
    licence: str,
    title: str,
    pseudonymise: bool,
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
    files that seem to hold personal data. With --pseudonymise, copies of the measurements are sent: features equal to the bit, texts
    only as the settings publish.* permit; the files here stay as they are. With --everything and the token of an administrator there,
    all that is here goes there with its ids, private and patient data included. Exit code 1 when something was refused or left open.
    """
    _require_consistent(
        datasets, everything, circle, title, bool(licence or pseudonymise or public or activate or anew or dry_run)
    )
    state.require_root()
    server = push.target(state.settings, url)
    if everything:
        client = _client(server, token_stdin, cacert)
        _require_asked("--everything", yes)
        if not (yes or _asked(push_everything.QUESTION.format(url=server.url))):
            raise Problem(409, "Validation Error", message="Nothing was sent.")
        report = push_everything.everything(state, client)
        emit(report, as_json, push_everything.report_text)
        return 1 if report["left_out"] else 0
    wishes = Wishes(licence, title, public, pseudonymise)
    copier = _copier(state) if pseudonymise else None
    options = push.Options(circle, wishes, lambda there: activate and _agreed(there, yes), anew, copier=copier)
    if dry_run:
        emit([_planned(state, one, options) for one in datasets], as_json, plan_text)
        return 0
    client = _client(server, token_stdin, cacert)
    if activate or pseudonymise:
        _require_asked("--activate" if activate else "--pseudonymise", yes)
    if pseudonymise and not yes and not _copies_agreed(state, datasets, options):
        raise Problem(409, "Validation Error", message="Nothing was sent.")
    data = _push_all(state, client, datasets, options)
    emit(data, as_json, report_text)
    return 0 if all(one.get("state") and not one.get("unverified") for one in data) else 1


def _require_consistent(datasets: tuple[str, ...], everything: bool, circle: str, title: str, chosen: bool) -> None:
    """Do these options fit together? Raises UsageError. :param chosen: some that say how single datasets shall be there."""
    if everything and (datasets or circle or title or chosen):
        raise click.UsageError(
            "--everything takes all datasets as they are; besides, give --to, --token-stdin, --cacert, --yes."
        )
    if not everything and not (datasets and circle):
        raise click.UsageError("Name datasets and the --circle there, or say --everything.")
    if title and len(datasets) > 1:
        raise click.UsageError("--title is for one dataset.")


def _client(server: Address, token_stdin: bool, cacert: Path | None) -> Client:
    token = sys.stdin.readline().strip() if token_stdin else ""
    if not token:
        raise click.UsageError("Give the token of the other server on stdin, with --token-stdin.")
    with as_caller():
        return Client(server, token, cacert=cacert)


def _require_asked(option: str, yes: bool) -> None:
    if not yes and not _has_terminal():
        raise click.UsageError(f"{option} asks a person; where there is no terminal, say --yes.")


def _push_all(
    state: CliState, client: Client, datasets: tuple[str, ...], options: push.Options
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with push_everything.alone(state):
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
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _copier(state: CliState) -> PseudonymisedCopies:
    """What makes the copies, in a sandbox of this process; copies that a killed call left are cleared away."""
    settings = state.settings
    sandbox = Sandbox(settings.tmp / "push", allow_weak=settings.jobs.allow_weak_sandbox)
    atexit.register(sandbox.close)
    sandbox.clear_scratch()
    return PseudonymisedCopies(settings, sandbox)


def _copies_agreed(state: CliState, datasets: tuple[str, ...], options: push.Options) -> bool:
    """Show at the terminal what the copies change, and ask."""
    click.echo(plan_text([_planned(state, one, options) for one in datasets]), err=True)
    return _asked("Send these copies?")


def _agreed(there: str, yes: bool) -> bool:
    return yes or _asked(f"Activate {there}? It cannot be changed afterwards.")


def _asked(question: str) -> bool:
    """Ask at the terminal."""
    with Path(TERMINAL).open(encoding="utf-8") as terminal:
        click.echo(f"{question} [y/N]: ", nl=False, err=True)
        return terminal.readline().strip().lower() in ("y", "yes")


def _planned(state: CliState, ref: str, options: push.Options) -> dict[str, Any]:
    found = gather(state.site, OPERATOR, ref, options.wishes)
    return {
        "dataset": found.name,
        "fields": found.fields,
        "files": [_planned_file(one, options.copier) for one in found.files],
        "bytes": found.size,
        "notes": found.notes,
    }


def _planned_file(file: OutgoingFile, copier: Copier | None) -> dict[str, Any]:
    planned: dict[str, Any] = {"name": file.name, "size": file.size, "values": file.values}
    if file.original is None or copier is None:
        return planned | {"sha256": file.sha256}
    changes = copier.changes(file.original)
    return planned | {"original": file.own_name, "changes": changes.told, "kept": changes.kept}
