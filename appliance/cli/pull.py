"""`dcor pull`: mirror another DCOR or another appliance."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from appliance import durable, file_locks
from appliance.cli.common import CliState, FilePath, as_caller, dry_run_option, emit, json_option, pass_state, size
from appliance.model import names, server_address, times
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.peer import pull
from appliance.peer.catalogue import Selection
from appliance.peer.client import Client, printable
from appliance.peer.dump_source import UNKNOWN, DumpSource
from appliance.peer.plan import Plan
from appliance.peer.progress import Progress
from appliance.peer.source import Source

_LOCK = "pull.lock"
_MOST_TOLD = 50
_LONGEST_LINE = 1000
_KINDS = ("users", "circles", "collections", "datasets")


@click.command("pull")
@click.argument("url", required=False)
@click.option("--token-stdin", is_flag=True, help="Read the API token from stdin; without one: what is public there.")
@click.option(
    "--from-dump",
    "folder",
    metavar="FOLDER",
    type=FilePath(exists=True, file_okay=False),
    help="Instead of asking a server: a dump of its database (pg_dump) and its files.",
)
@click.option("--circle", "circles", multiple=True, metavar="NAME", help="Only this circle's datasets; repeatable.")
@click.option("--collection", "collections", multiple=True, metavar="NAME", help="Only this collection's; repeatable.")
@click.option(
    "--dataset", "datasets", multiple=True, metavar="NAME", help="Only this dataset (name or id); repeatable."
)
@click.option("--users", is_flag=True, help="Also accounts, without passwords: each gets a one-time link.")
@click.option("--since", metavar="DATE", help="Only what has changed since this day (2026-01-31) or moment (UTC).")
@click.option("--cacert", type=FilePath(dir_okay=False), help="Certificates to trust besides the system's.")
@click.option(
    "--files-from", "storage", multiple=True, metavar="HOST", help="Where the server keeps its files (S3); repeatable."
)
@click.option("--condensed", is_flag=True, help="Also the server's condensed files, instead of making them anew.")
@click.option("--incomplete", is_flag=True, help="Mirror datasets even if some of their files cannot be fetched.")
@click.option(
    "--parallel",
    type=click.IntRange(1, 16),
    default=pull.PARALLEL,
    show_default=True,
    help="Number of datasets mirrored at once.",
)
@click.option("--links", type=FilePath(dir_okay=False), help="File for the one-time links of new accounts.")
@dry_run_option
@json_option
@pass_state
def command(
    state: CliState,
    url: str | None,
    token_stdin: bool,
    folder: Path | None,
    circles: tuple[str, ...],
    collections: tuple[str, ...],
    datasets: tuple[str, ...],
    users: bool,
    since: str | None,
    cacert: Path | None,
    storage: tuple[str, ...],
    condensed: bool,
    incomplete: bool,
    parallel: int,
    links: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Mirror another DCOR: its accounts, circles, collections and datasets.

    The server may be a DCOR (CKAN with its extensions) or another appliance. IDs, names, dates, licences, members and
    roles are kept; an administrator's token fetches everything, any other token what its owner can see. Files are
    compared with their SHA-256; jobs here create condensed files and previews anew. After an interruption, even a power
    cut, repeat the command: files that have arrived are not fetched again. Later runs fetch what is new or has changed.
    What was deleted there is reported, but never deleted here. Exit code 1 if something was left out.

    Where the server does not run any more: `--from-dump FOLDER`, which contains one dump and the files as DCOR stores
    them (resources/abc/def/… of a depot, BUCKET/resource/abc/def/… of an object storage). URL is then the address
    that the server had; without it, a later dump counts as one of the same server.
    """
    wanted = _selection(circles, collections, datasets, users, since)
    if folder is not None and (token_stdin or cacert or storage):
        raise click.UsageError("--from-dump asks no server; leave out --token-stdin, --cacert and --files-from.")
    client = _server(url, token_stdin, cacert, storage) if folder is None else _dump(folder, url)
    state.require_root()
    if dry_run:
        plan = pull.preview(state.site, OPERATOR, client, wanted)
        emit(_planned(plan, client.address.url), as_json, _plan_text)
        return 0
    with ExitStack() as stack:
        if not stack.enter_context(file_locks.held(state.settings.tmp / _LOCK)):
            raise Problem(
                409, "Validation Error", message="Another `dcor pull` is already running; wait for it to finish."
            )
        told = stack.enter_context(_Links(links or Path(f"first-logins-{client.address.host}-{times.now()[:10]}.txt")))
        options = pull.Options(incomplete, parallel, told, condensed)
        report = pull.pull(
            state.site, OPERATOR, client, wanted, options, Progress(line if sys.stderr.isatty() else None)
        )
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    data = asdict(report) | ({"links": str(told.path)} if told.count else {})
    emit(data, as_json, _report_text)
    return 1 if report.left_out else 0


def _server(url: str | None, token_stdin: bool, cacert: Path | None, storage: tuple[str, ...]) -> Source:
    if url is None:
        raise click.UsageError("Name the server's address, or a folder: --from-dump FOLDER")
    address = server_address.parse(url)
    token = sys.stdin.readline().strip() if token_stdin else ""
    with as_caller():
        return Client(address, token, cacert=cacert, storage=storage)


def _dump(folder: Path, url: str | None) -> Source:
    return DumpSource(folder, UNKNOWN if url is None else server_address.parse(url))


class _Links:
    """The file with the one-time links, for the eyes of whoever called only; made when the first link is told."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path.absolute(), 0

    def __enter__(self) -> _Links:
        return self

    def __exit__(self, *error: object) -> None:
        return

    def __call__(self, name: str, link: str) -> None:
        """Append a line, durably: after it, the account is made."""
        with as_caller():
            durable.append_private(self.path, f"{name}\t{link}\n".encode())
        self.count += 1


def _selection(
    circles: tuple[str, ...], collections: tuple[str, ...], datasets: tuple[str, ...], users: bool, since: str | None
) -> Selection:
    for field, given in (("--circle", circles), ("--collection", collections)):
        for name in given:
            names.require_name(name, field)
    moment = ""
    if since:
        try:
            moment = times.text(datetime.fromisoformat(since))
        except ValueError as error:
            raise click.UsageError(f"'{since}' is not a date; write it as 2026-01-31 or 2026-01-31T12:00.") from error
    return Selection(circles, collections, datasets, users, moment)


def line(done: int, total: int, rate: float, left: float | None) -> None:
    """One line of progress, over the former one."""
    share = f"{100 * done / total:.0f} %" if total else ""
    wait = f", {_duration(left)} left" if left is not None and total else ""
    click.echo(f"\r\x1b[K{size(done)} of {size(total)} {share}, {size(rate)}/s{wait}", nl=False, err=True)


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {int(seconds % 60)} s" if minutes else f"{int(seconds)} s"


def _planned(plan: Plan, source: str) -> dict[str, Any]:
    by_kind = {
        "users": [one.name for one in plan.users],
        "circles": [one.name for one in plan.communities if one.kind == "circle"],
        "collections": [one.name for one in plan.communities if one.kind == "collection"],
        "datasets": [one.name for one in plan.datasets],
    }
    return {
        "source": source,
        "would_take": by_kind,
        "unchanged": dict(plan.unchanged),
        "left_out": [asdict(one) for one in plan.left_out],
        "deleted_there": plan.deleted_there,
        "notes": plan.notes,
        "files": plan.files,
        "bytes": plan.size,
    }


def _plan_text(data: dict[str, Any]) -> str:
    lines = [f"From {data['source']} would come:"]
    lines += [f"  {kind}: {_counted(data['would_take'][kind])}" for kind in _KINDS]
    lines.append(f"  files: {data['files']} ({size(data['bytes'])})")
    return printed([*lines, *_rest(data)])


def _report_text(data: dict[str, Any]) -> str:
    lines = [f"From {data['source']}:"]
    for kind in _KINDS:
        parts = [f"{len(data['taken'][kind])} new", f"{len(data['updated'][kind])} changed"]
        lines.append(f"  {kind}: {', '.join(parts)}, {data['unchanged'].get(kind, 0)} unchanged")
    lines.append(f"  files: {data['files']} ({size(data['fetched'])})")
    if data.get("links"):
        lines += ["", f"One-time links for new accounts (valid for {pull.LINK_HOURS // 24} days): {data['links']}"]
    if data["unverified"]:
        lines += [
            "",
            "No checksum there to compare with:",
            *(f"  {one}" for one in data["unverified"][:_MOST_TOLD]),
        ]
    return printed([*lines, *_rest(data)])


def printed(lines: list[str]) -> str:
    """Lines for a terminal: names and licences of another server hold no sequences that it would obey."""
    return "\n".join(printable(line, _LONGEST_LINE) for line in lines)


def _rest(data: dict[str, Any]) -> list[str]:
    """What both texts end with. Long lists are shortened, and say so; `--json` has them whole."""
    lines = []
    if data["left_out"]:
        counted = Counter(one["kind"] for one in data["left_out"])
        lines += ["", f"Left out ({', '.join(f'{count} {kind}' for kind, count in counted.items())}):"]
        lines += shortened([f"  {one['kind']} {one['name']}: {one['reason']}" for one in data["left_out"]])
    if data["deleted_there"]:
        lines += ["", "No longer there, kept here:", *shortened([f"  {name}" for name in data["deleted_there"]])]
    if data["notes"]:
        lines += ["", "To note:", *shortened([f"  {one}" for one in data["notes"]])]
    return lines


def shortened(lines: list[str], indent: str = "  ") -> list[str]:
    """The first of many lines, and how many more there are."""
    more = len(lines) - _MOST_TOLD
    return lines if more <= 0 else [*lines[:_MOST_TOLD], f"{indent}… and {more} more; --json lists all"]


def _counted(found: list[str]) -> str:
    return f"{len(found)}" + (f" ({', '.join(found[:5])}{' …' if len(found) > 5 else ''})" if found else "")
