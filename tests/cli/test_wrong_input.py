"""Wrong values for every option and argument of every command, from click's own declarations.

Whatever is typed: no Python comes out, a refusal is a sentence with exit code 1 or 2, and a refused command has changed nothing.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest

from appliance.cli.root import cli
from tests.cli.conftest import Dcor, Said

#: Not tried: they run until they are stopped, open a desktop, or write outside of the data root by design.
WITHOUT = {"serve", "tray", "demo start"}
#: What commands need besides the wrong value, so that they never go to the network.
BESIDES = {"import-figshare": ("--from", "{empty}"), "demo load": ("--help",)}
#: Values that no number, choice or file is.
NUMBERS = ("x", "", "1.5", "-1", "99999999999999999999999", "1 000", "１２")
TEXTS = (
    "",
    " ",
    "nonsense",
    "../../etc/passwd",
    "ä" * 300,
    "a\nb",
    "\udcff\udcfe",
    "--",
    "-",
    "'; DROP TABLE user; --",
    "0" * 36,
)
#: Signs of Python in what is said to people.
PYTHON = re.compile(
    r"Traceback|Errno|Error\(|codec can't|object has no attribute|NoneType|<class|\w+Error: |invalid literal"
)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    pending: list[tuple[str, click.Command]] = [("", cli)]
    while pending:
        words, command = pending.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                pending.append((f"{words} {name}".strip(), child))
        elif words not in WITHOUT:
            yield words, command


ALL = sorted(commands(), key=lambda one: one[0])


def wrong_values(parameter: click.Parameter, folder: Path) -> Iterator[tuple[str, bool]]:
    """(value, is it surely wrong?) for one option or argument."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        yield from (("nonsense", True), ("", True), ("\udcff", True))
    elif kind.name in ("integer", "integer range", "float", "float range"):
        yield from ((value, value not in ("-1", "１２")) for value in NUMBERS)
    elif kind.name in ("path", "file", "filename", "directory"):
        yield from (
            (str(folder / "missing" / "file"), False),
            (str(folder), False),
            (str(folder / "binary"), False),
            (str(folder / "latin1.csv"), False),
            (str(folder / "empty.txt"), False),
            ("", True),
            ("/dev/full", False),
            ("\udcff", False),
        )
    else:
        yield from ((value, False) for value in TEXTS)


def filled(command: click.Command, but: click.Parameter | None) -> list[str]:
    """The required options and arguments, but one, with values that lead as far as possible."""
    plausible = {
        "refs": "ada",
        "ref": "ada",
        "name": "ada",
        "user": "ada",
        "circle": "lab",
        "shell": "bash",
        "kind": "dataset",
    }
    found: list[str] = []
    for parameter in command.params:
        if parameter is but or not parameter.required:
            continue
        value = plausible.get(parameter.name or "", "nonsense")
        if isinstance(parameter.type, click.Choice):
            value = str(next(iter(parameter.type.choices)))
        found += [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that are not what anybody expects."""
    made = tmp_path / "input"
    made.mkdir()
    (made / "binary").write_bytes(bytes(range(256)) * 4)
    (made / "latin1.csv").write_bytes("name;e-mail\nMüller;m@lab.example\n".encode("cp1252"))
    (made / "empty.txt").touch()
    (made / "empty").mkdir()
    (made / "here").mkdir()
    return made


def state(root: Path) -> dict[str, str]:
    """What a refused command must not change: rows, settings, keys and files, without what every process leaves for a moment."""
    with closing(sqlite3.connect(root / "dcor.sqlite")) as conn:
        dump = "\n".join(line for line in conn.iterdump() if '"alarm"' not in line and '"incident"' not in line)
    found = {"rows": hashlib.sha256(dump.encode(errors="replace")).hexdigest()}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        # GnuPG makes an empty keyring when it is asked to import
        if path.is_file() and not name.startswith(("dcor.sqlite", "jobs.sqlite", "tmp/", "secrets/gnupg/")):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize(("words", "command"), [pytest.param(*one, id=one[0] or "dcor") for one in ALL])
def test_wrong_input_is_refused_in_words(
    words: str, command: click.Command, people: Dcor, root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "here")
    extra = [part.format(empty=folder / "empty") for part in BESIDES.get(words, ())]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        for value, surely in wrong_values(parameter, folder):
            given = [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]
            if isinstance(parameter, click.Argument) and value.startswith("-"):
                given = ["--", value]
            arguments = [*words.split(), *extra, *filled(command, parameter), *given]
            before = state(root)
            said = people(*arguments)
            check(said, arguments)
            if surely and "--help" not in extra:
                assert said.code != 0, (arguments, said)
            if said.code != 0:
                assert state(root) == before, arguments
                assert not any((folder / "here").iterdir()), arguments


def check(said: Said, arguments: list[str]) -> None:
    """Words for people, and an exit code that says what it was."""
    assert said.code in (0, 1, 2), (arguments, said)
    assert not PYTHON.search(said.err + said.out), (arguments, said)
    if said.code != 0:
        assert said.err.strip() or said.out.strip(), (arguments, said)


def test_no_command_is_left_out() -> None:
    assert len(ALL) > 80
    assert sum(len(command.params) for _words, command in ALL) > 300
