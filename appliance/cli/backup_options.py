"""What the commands about backups share: options, the progress line, the private key, files that root writes for the owner."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from appliance.backup import claims
from appliance.backup.create import Progress
from appliance.cli.common import FilePath, as_caller, size
from appliance.cli.inputs import read_file
from appliance.model.text_files import decoded

FILE_PATH = FilePath()
place_option = click.option("--from", "place", type=FILE_PATH, help="Folder of the backups.  [default: backup.folder]")
key_option = click.option("--key", type=FILE_PATH, help="File with the private key or the key sheet; - reads stdin.")


@contextmanager
def progress() -> Iterator[Progress]:
    """Show how far it is, on one line of a terminal; say nothing in a pipe."""
    last = 0.0

    def told(done: int, total: int, what: str) -> None:
        """Write over the line of before, five times a second at most; sizes in bytes."""
        nonlocal last
        if time.monotonic() - last > 0.2:
            last = time.monotonic()
            share = min(100, 100 * done // max(total, 1))
            text = f"{share:3d} %  {size(done)} of {size(total)}  {what[-40:]}"
            click.echo(f"\r{text:<79}", err=True, nl=False)

    def silent(done: int, total: int, what: str) -> None:
        """For a pipe."""

    shown = sys.stderr.isatty()
    try:
        yield told if shown else silent
    finally:
        if shown and last:
            click.echo("\r" + " " * 79 + "\r", err=True, nl=False)


@contextmanager
def as_caller_for_owner(root: Path, spare: tuple[str, ...] = ()) -> Iterator[None]:
    """Inside, root uses whatever disk the backups are on; what is written into `root` then goes to its owner.

    The folders `spare` are known to have got nothing.
    """
    was_there = root.is_dir()
    with as_caller():
        try:
            yield
        finally:
            if was_there:
                claims.give_to_owner(root, spare)


def key_text(key: Path | None) -> str:
    """The text of the file with the private key, or what is typed at a terminal. Raises UsageError where there is neither."""
    if key is None:
        if sys.stdin.isatty():
            return str(click.prompt("Private key (AGE-SECRET-KEY-1…)", hide_input=True, err=True))
        raise click.UsageError("Name the file with the private key: --key FILE (- reads stdin).")
    if str(key) == "-":
        return sys.stdin.read()
    with as_caller():
        return decoded(read_file(key), key.name)
