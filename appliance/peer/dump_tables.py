"""The tables of a database of CKAN, read from what `pg_dump` wrote: rows of `COPY … FROM stdin` blocks, as text.

Only the tables and columns that a mirror needs are kept; password hashes, keys and tokens are skipped where they stand.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from appliance.model.problem import invalid

Row = dict[str, str | None]

#: What is read: table → columns. What else a table has stays in the dump.
WANTED: Mapping[str, frozenset[str]] = {
    "user": frozenset({"id", "name", "fullname", "email", "about", "image_url", "state", "sysadmin", "created"}),
    "group": frozenset({"id", "name", "title", "description", "image_url", "created", "state", "type", "is_organization"}),
    "group_extra": frozenset({"group_id", "key", "value", "state"}),
    "member": frozenset({"table_name", "table_id", "group_id", "capacity", "state"}),
    "package": frozenset({
        "id", "name", "title", "notes", "license_id", "metadata_created", "metadata_modified", "creator_user_id", "owner_org",
        "private", "state", "type",
    }),
    "package_extra": frozenset({"package_id", "key", "value", "state"}),
    "package_member": frozenset({"package_id", "user_id", "capacity", "modified"}),
    "package_relationship": frozenset({"subject_package_id", "object_package_id", "type", "state"}),
    "package_tag": frozenset({"package_id", "tag_id", "state"}),
    "resource": frozenset({
        "id", "package_id", "name", "description", "position", "state", "extras", "format", "size", "url_type", "created", "last_modified",
        "metadata_modified",
    }),
    "tag": frozenset({"id", "name", "vocabulary_id"}),
}  # fmt: skip
#: Without these it is no database of CKAN.
_NEEDED = frozenset({"user", "group", "member", "package", "resource"})
_MAGIC, _GZIP = b"PGDMP", b"\x1f\x8b"
_LONGEST_LINE = 64 << 20  # [bytes]
_MOST_ROWS = 20_000_000
_COPY = re.compile(r'COPY (?:(?:"[^"]+"|\w+)\.)?(?:"([^"]+)"|(\w+)) \((.*)\) FROM stdin;')
_ENCODING = re.compile(r"SET client_encoding = '([^']*)';")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.S)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read(dump: Path) -> dict[str, list[Row]]:
    """All wanted rows of a dump: plain text (also packed by gzip), or custom or directory format where `pg_restore` is installed.

    Raises Problem 409 for what is no such dump, and for one with INSERT statements or in another encoding than UTF-8.
    """
    tables: dict[str, list[Row]] = {name: [] for name in WANTED}
    try:
        with _lines(dump) as lines:
            seen = _read_blocks(lines, tables)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise invalid(message=f"{dump} cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise invalid(message=f"{dump} is not in UTF-8; write it anew with pg_dump --encoding=UTF8.") from error
    if lacking := sorted(_NEEDED - seen):
        raise invalid(
            message=f"{dump} holds no rows of the tables {', '.join(lacking)} as COPY blocks; write it with pg_dump, without --inserts and --schema-only."
        )
    return tables


def _read_blocks(lines: Iterator[bytes], tables: dict[str, list[Row]]) -> set[str]:
    """Collect the rows; → names of the wanted tables that were there."""
    seen: set[str] = set()
    count = 0
    for line in lines:
        if not line.startswith((b"COPY ", b"SET client_encoding")):
            continue
        text = line.decode().rstrip("\r\n")
        encoding = _ENCODING.fullmatch(text)
        if encoding and encoding[1].upper() not in ("UTF8", "UTF-8"):
            raise invalid(message=f"The dump is in {encoding[1]}; write it anew with pg_dump --encoding=UTF8.")
        head = _COPY.fullmatch(text)
        if head is None:
            continue
        name, columns = head[1] or head[2], [one.strip().strip('"') for one in head[3].split(",")]
        rows = tables.get(name)
        for row in _rows(lines, columns, WANTED.get(name, frozenset())):
            if rows is not None:
                rows.append(row)
                count += 1
                if count > _MOST_ROWS:
                    raise invalid(message=f"The dump has more than {_MOST_ROWS} rows; that many are not read.")
        seen.add(name)
    return seen & WANTED.keys()


def _rows(lines: Iterator[bytes], columns: list[str], wanted: Iterable[str]) -> Iterator[Row]:
    """The rows of one block up to its end. Raises Problem 409 when the dump ends before."""
    places = [(place, column) for place, column in enumerate(columns) if column in wanted]
    lacking: Row = dict.fromkeys(set(wanted) - set(columns))  # an older CKAN has not all of them
    for line in lines:
        if line in (b"\\.\n", b"\\.\r\n", b"\\."):
            return
        if not places:
            yield {}
            continue
        fields = line.removesuffix(b"\n").split(b"\t")
        if len(fields) != len(columns):
            raise invalid(
                message=f"A row of the dump has {len(fields)} fields instead of {len(columns)}; it is damaged."
            )
        yield lacking | {column: _value(fields[place]) for place, column in places}
    raise invalid(message="The dump ends in the middle of a table; it is not complete.")


def _value(field: bytes) -> str | None:
    """A field as it was in the database; None for NULL."""
    if field == b"\\N":
        return None
    text = field.decode()
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return chr(int(code, 8) & 0xFF) if code[0] in "01234567" else _LETTERS.get(code, code)


@contextmanager
def _lines(dump: Path) -> Iterator[Iterator[bytes]]:
    """The lines of the SQL text of a dump."""
    if dump.is_dir():
        with _restored(dump) as found:
            yield found
        return
    with dump.open("rb") as file:
        start = file.read(len(_MAGIC))
        file.seek(0)
        if start == _MAGIC:
            with _restored(dump) as found:
                yield found
        elif start.startswith(_GZIP):
            with gzip.open(file) as packed:
                yield _bounded(packed)  # type: ignore[arg-type]  # it reads as a file does
        else:
            yield _bounded(file)


@contextmanager
def _restored(dump: Path) -> Iterator[Iterator[bytes]]:
    """The SQL text that `pg_restore` makes of a dump in its own format."""
    tool = _pg_restore()
    if tool is None:
        raise invalid(
            message=f"{dump} is in a format of pg_dump's own, and pg_restore is not installed: install it (postgresql-client), or write a plain dump with pg_dump --format=plain."
        )
    command = [tool, "--data-only", "--file=-", str(dump.absolute())]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            yield _bounded(process.stdout)  # type: ignore[arg-type]  # it is a pipe
            process.wait()
        finally:
            process.kill()  # nothing, where it has ended
        errors.seek(0)
        said = errors.read(2000).decode(errors="replace")
    if process.returncode:
        raise invalid(message=f"pg_restore cannot read {dump}: {said.strip()[:300]}")


def _pg_restore() -> str | None:
    """The newest `pg_restore`: Debian keeps those of all releases in folders of their own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_restore"), key=lambda path: path.parts[4].zfill(4))
    return str(found[-1]) if found else shutil.which("pg_restore")


def _bounded(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise invalid(message="A line of the dump is too long; it is no dump of CKAN's.")
        yield line
