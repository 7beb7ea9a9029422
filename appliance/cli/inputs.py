"""What people type: files that are read into memory, whole numbers, texts."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import click

from appliance.model.problem import invalid

#: A file that a command reads as a whole (keys, certificates, lists, mails) is smaller than this [bytes].
LARGEST = 64 << 20
#: A number of rows, files or datasets; a number of days or months.
COUNT, DAYS = 10**9, 36_500


def read_file(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file that somebody named. Raises Problem 409 for a device, pipe or folder and for one that is too large; OSError."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no file"
        raise invalid(message=f"{path} is {what}. Name a file.")
    if found.st_size > most:
        raise invalid(
            message=f"{path} has {found.st_size / 1e6:.0f} MB, which is no such file: at most {most >> 20} MB are read."
        )
    return path.read_bytes()


def require_text(arguments: Sequence[str]) -> None:
    """Raise UsageError for an argument with bytes that are no UTF-8: nothing is called so here."""
    for one in arguments:
        try:
            one.encode()
        except UnicodeEncodeError:
            shown = one.encode(errors="replace").decode()
            raise click.UsageError(
                f"'{shown}' contains bytes that are not UTF-8 text. Type it again, or rename the file."
            ) from None
