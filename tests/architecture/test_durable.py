"""Files get their names in one way: `appliance.durable`, which syncs the content before and the folder after."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FILES = sorted([*(TOP / "appliance").rglob("*.py"), *(TOP / "installer").rglob("*.py")])
HELPER = TOP / "appliance" / "durable.py"

#: Where a name may go without being synced, and why.
TEMPORARY = {"jobs/scratch.py": "folders of temporary files, on their way out"}

_METHODS = {"rename", "hardlink_to", "link_to"}
_FUNCTIONS = {("os", "rename"), ("os", "renames"), ("os", "replace"), ("os", "link"), ("shutil", "move")}


def _name(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def renames(tree: ast.AST) -> Iterator[int]:
    """Lines that give a file a name: methods of paths, and functions of os and shutil.

    `replace` of a text takes two values, `replace` of a moment or a dataclass takes names; that of a path takes one value.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if any((node.module, alias.name) in _FUNCTIONS for alias in node.names):
                yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            of_path = node.func.attr == "replace" and len(node.args) == 1 and not node.keywords
            if node.func.attr in _METHODS or of_path or (owner, node.func.attr) in _FUNCTIONS:
                yield node.lineno


@pytest.mark.parametrize("path", [path for path in FILES if path != HELPER], ids=_name)
def test_names_are_given_by_the_durable_helper(path: Path) -> None:
    found = list(renames(ast.parse(path.read_text(encoding="utf-8"))))
    if _name(path).removeprefix("appliance/") in TEMPORARY:
        assert found, "no longer needs to be listed"
        return
    assert found == [], "use appliance.durable: replace, move, add_name or write"


def test_the_helper_is_where_it_happens() -> None:
    assert list(renames(ast.parse(HELPER.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "code",
    [
        "draft.replace(target)",
        "Path(a).rename(b)",
        "os.replace(a, b)",
        "os.rename(a, b)",
        "os.link(a, b)",
        "shutil.move(a, b)",
        "b.hardlink_to(a)",
        "from os import replace",
        "from shutil import move",
    ],
)
def test_the_search_finds(code: str) -> None:
    assert list(renames(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["'a'.replace('b', 'c')", "dataclasses.replace(x, y=1)", "moment.replace(tzinfo=UTC)", "durable.move(a, b)"]
)
def test_the_search_lets_pass(code: str) -> None:
    assert not list(renames(ast.parse(code)))
