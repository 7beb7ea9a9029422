"""What the pages say about the code: every file that they name exists, and has the function or class that they name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGES = ("architecture", "glossary")
#: `path` or `path: name`, the path below appliance/ or from the top.
_REFERENCE = re.compile(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.py)(?:: ([A-Za-z_]\w*))?`")
#: Enough for three walk-throughs.
_LEAST = {"architecture": 40, "glossary": 25}


def _file(name: str) -> Path:
    return TOP / name if name.startswith(("appliance/", "tests/")) else TOP / "appliance" / name


def _definitions(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
    return found


def missing(text: str) -> list[str]:
    """The references in a page's text that lead nowhere."""
    found = []
    for name, definition in _REFERENCE.findall(text):
        if not _file(name).is_file():
            found.append(name)
        elif definition and definition not in _definitions(_file(name)):
            found.append(f"{name}: {definition}")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_named_file_and_function_exists(page: str) -> None:
    text = (TOP / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert len(_REFERENCE.findall(text)) >= _LEAST[page]
    assert missing(text) == []


def test_the_search_finds() -> None:
    assert missing("`store/nothing.py` and `store/cache.py: Nothing`, not `store/cache.py: Cache`") == [
        "store/nothing.py",
        "store/cache.py: Nothing",
    ]


def test_the_rooms_are_those_on_the_page() -> None:
    text = (TOP / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = text.split("```")[1]
    rooms = {path.name for path in (TOP / "appliance").iterdir() if (path / "__init__.py").is_file()} - {"demo"}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", picture)} == set()
