"""What every command shares: the state of one call, output as text or JSON, questions, and whose files are written."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import click

from appliance import root_marker
from appliance import settings as settings_module
from appliance.actions.site import Site
from appliance.model.problem import Problem
from appliance.model.values import printable
from appliance.settings import Settings
from appliance.store import database_place
from appliance.store.database import Database
from appliance.store.depot import Depot

EXIT_OK, EXIT_REFUSED, EXIT_USAGE = 0, 1, 2


class FilePath(click.Path):
    """A file or folder given to a command, as a `Path`. No text is not taken for the current folder, as `Path("")` would."""

    def __init__(self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """→ the path. Raises click.BadParameter."""
        if value == "":
            self.fail("The path is empty; name a file or folder.", param, ctx)
        return super().convert(value, param, ctx)


def load_settings(root: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a data root. Raises Problem, also where a restore has not given them to their owner yet."""
    try:
        return settings_module.load(root, flags=flags)
    except PermissionError as error:
        if (root / root_marker.RESTORING).exists():
            raise root_marker.half_restored(root) from error
        raise


class CliState:
    """One call of `dcor`: the data root and, opened on first use, what lies in it."""

    def __init__(self, data_root: Path) -> None:
        self.data_root = data_root

    @cached_property
    def settings(self) -> Settings:
        """The settings of the data root. Raises Problem for unknown keys or wrong values."""
        return load_settings(self.data_root)

    def require_root(self) -> None:
        """Raise Problem unless there is a whole data root, the one of this machine; before anything is written into it."""
        root_marker.require(self.data_root)

    @cached_property
    def db(self) -> Database:
        """The metadata database, migrated by whoever initialised or updated it. Raises Problem without a whole data root."""
        self.require_root()
        database_place.require_local(self.settings.database)
        return Database(self.settings.database)

    @cached_property
    def depot(self) -> Depot:
        """The files of the data root."""
        return Depot(self.data_root)

    @cached_property
    def site(self) -> Site:
        """What the verbs of `appliance.actions` work with. A running service notices new jobs by itself."""
        from appliance.cli.work import check_sanity

        return Site(self.settings, self.db, self.depot, check_sanity=check_sanity(self.settings))

    def close(self) -> None:
        """Close what was opened."""
        if "db" in self.__dict__:
            self.db.close()


pass_state = click.make_pass_decorator(CliState)
json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only show what would be done.")


def prints(text: Callable[[Any], str]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """For a command that returns data: print it with `--json` as JSON, otherwise as what `text` makes of it.

    Stands right above the function, below its arguments and options; hands it the state of the call.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., None]:
        """The command with `--json`, which prints what the function returns."""

        @wraps(command)
        def printing(*args: Any, as_json: bool, **options: Any) -> None:
            """Run the command and print its result."""
            emit(command(*args, **options), as_json, text)

        handed: Callable[..., None] = printing
        return json_option(pass_state(handed))

    return decorate


def removes(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that removes something, for `agreed`: `--dry-run` and `--yes`."""
    return dry_run_option(yes_option(command))


def agreed(question: str, *, dry_run: bool, yes: bool) -> bool:
    """Shall what was just named be removed? False for `--dry-run`; otherwise True, after a yes (see `confirm`)."""
    if dry_run:
        return False
    confirm(question, yes)
    return True


def emit(data: Any, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print `data` as JSON, or as the text that `text` makes of the same data."""
    if as_json:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))
    else:
        printed = text(data)
        if printed:
            click.echo(printed)


def checked(found: Sequence[Mapping[str, Any]]) -> str:
    """What was looked at, a line each: {good, text}."""
    return "\n".join(f"{'ok     ' if one['good'] else 'PROBLEM'}  {one['text']}" for one in found)


def compared(data: Mapping[str, Any]) -> str:
    """What comparing accounts with where they come from has changed; why it was not asked is told elsewhere."""
    return details({key: value for key, value in data.items() if key != "away"})


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str = "Nothing found.") -> str:
    """Rows as aligned text; `columns` maps keys to headings. Without rows: `empty`."""
    if not rows:
        return empty
    lines = [list(columns.values())] + [[cell(row.get(key)) for key in columns] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def details(data: Mapping[str, Any]) -> str:
    """One thing as `key: value` lines, keys in words."""
    width = max(map(len, data), default=0) + 1
    return "\n".join(f"{key.replace('_', ' ') + ':':<{width}} {cell(value)}" for key, value in data.items())


def cell(value: Any) -> str:
    """A value in words: yes/no, "-" for nothing, lists with commas; one line without control characters."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or "-"
    return printable(str(value).replace("\n", " "))


def size(count: float) -> str:
    """Bytes in words, e.g. `1.4 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError  # pragma: no cover


def note(text: str) -> None:
    """Say something to the person at the terminal (stderr), never to the program that reads stdout."""
    click.echo(text, err=True)


def percentage(done: float, stage: str) -> None:
    """Say at the terminal how far a stage is (fraction 0 to 1), over the former line."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{stage}: {done * 100:3.0f} %", nl=False, err=True)


def confirm(question: str, yes: bool) -> None:
    """Go on only after a yes. Without a terminal to ask on, `--yes` is needed."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem(409, "Validation Error", message=f"{question} Use --yes to continue without confirmation.")
    click.confirm(question, abort=True, err=True)


def read_password(from_stdin: bool, prompt: str = "Password") -> str:
    """A password from the first line of stdin, or asked for twice at the terminal."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal for entering a password; use --password-stdin.")
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True))


def become_owner(data_root: Path) -> None:
    """When root calls `dcor`, work as the owner of the data root, so that the service can read what is written.

    The caller's rights stay in reserve for `as_caller`. Nothing happens for other users or a data root of root's.
    """
    if os.geteuid() != 0 or not data_root.is_dir():
        return
    owner = data_root.stat()
    if owner.st_uid != 0:
        os.setgroups([])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)


@contextmanager
def as_caller() -> Iterator[None]:
    """Inside, files are opened with the rights of whoever called `dcor` (for `--out` files in root's folders)."""
    uid, gid = os.geteuid(), os.getegid()
    real = os.getuid()
    if uid == real:
        yield
        return
    os.seteuid(real)
    os.setegid(os.getgid())
    try:
        yield
    finally:
        os.setegid(gid)
        os.seteuid(uid)


def write_private(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file with the rights of whoever called `dcor`, and for their eyes only from its first byte on.

    Raises FileExistsError for a file that is there, unless it may `replace` it.
    """
    with as_caller():
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replace else os.O_EXCL)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # one that was there keeps its mode otherwise
            file.write(data)
