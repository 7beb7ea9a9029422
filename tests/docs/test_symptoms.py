"""The guides' tables of symptoms quote what people really read: in the pages, in the API's refusals, in the windows of clients."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from appliance.web.pages.frame import i18n

TOP = Path(__file__).parents[2]
GUIDES = {
    ("user-guide.md", "en"): "| what you see |",
    ("de/user-guide.md", "de"): "| was Sie sehen |",
    ("admin-guide.md", "en"): "| symptom |",
    ("de/admin-guide.md", "de"): "| Anzeichen |",
}
#: Packages whose strings a row may quote that begins with the program's name.
PROGRAMS = {"DCOR-Aid": ("dcoraid",), "dclab": ("dclab",), "": ()}
#: Texts of Python, OpenSSL and the operating system; the first two are provoked in `tests/contract/test_symptoms.py`.
OF_THE_SYSTEM = ("certificate verify failed", "Bad password for file 'server.cert'", "permission denied")
_QUOTE = re.compile(r'"([^"]+)"|„([^“]+)“|`(KeyError: [^`]+)`')


def rows(name: str, head: str) -> list[str]:
    """First cells of a table of symptoms."""
    lines = (TOP / "docs" / name).read_text(encoding="utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(head))
    table = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        table.append(re.split(r"(?<!\\)\|", line)[1].strip())
    return table


def quotes(row: str) -> list[str]:
    """What a row quotes, without the name of an exception."""
    return [next(filter(None, found)).removeprefix("KeyError: ") for found in _QUOTE.findall(row)]


def program(row: str) -> str:
    """The client that a row is about, "" for this server."""
    return next((name for name in PROGRAMS if name and row.startswith(f"{name}:")), "")


def strings(folder: Path) -> Iterator[str]:
    """Every text in the Python sources of a folder; what is filled in is "…"."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


@cache
def known(package: str) -> tuple[str, ...]:
    """Texts of an installed package."""
    spec = find_spec(package)
    assert spec is not None, package
    return tuple(strings(Path(str(spec.origin)).parent))


@cache
def ours(language: str) -> tuple[str, ...]:
    """What this server says: texts of the pages in that language, of its API and commands, and of the installer."""
    pages = [message.string if language != "en" else message.id for message in i18n.messages(language)]
    installer = [*(TOP / "installer").rglob("*.sh"), *(TOP / "installer").rglob("*.py")]
    said = (path.read_text(encoding="utf-8") for path in installer)
    return (*(text if isinstance(text, str) else text[0] for text in pages), *known("appliance"), *said)


def parts(quote: str) -> list[str]:
    """A quote's words between what is filled in: "…", and a name in single quotes."""
    return [part.strip() for part in re.split(r"…|(?<=')\w+(?=')", quote) if part.strip()]


def holds(text: str, wanted: list[str]) -> bool:
    """Are the parts in the text, one after the other?"""
    place = 0
    for part in wanted:
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def is_said(quote: str, by: str, language: str) -> bool:
    """Does the program, or this server in that language, have such a text?"""
    if quote in OF_THE_SYSTEM:
        return True
    texts = [text for package in PROGRAMS[by] for text in known(package)] if by else ours(language)
    return any(holds(text, parts(quote)) for text in texts)


def test_the_tables_are_read() -> None:
    for (name, _), head in GUIDES.items():
        assert sum(len(quotes(row)) for row in rows(name, head)) >= 6, name
    assert quotes('DCOR-Aid: "No connection", "Can you access … via a browser?"') == [
        "No connection",
        "Can you access … via a browser?",
    ]


@pytest.mark.parametrize(("name", "language"), GUIDES)
def test_every_quote_is_a_text_that_people_read(name: str, language: str) -> None:
    found = [(program(row), quote) for row in rows(name, GUIDES[name, language]) for quote in quotes(row)]
    assert [(by, quote) for by, quote in found if not is_said(quote, by, language)] == []


@pytest.mark.parametrize(
    ("by", "quote"), [("", "Name of file contains spaces"), ("DCOR-Aid", "There is no connection"), ("dclab", "Feature 'x' was lost")]
)  # fmt: skip
def test_what_nobody_says_is_found(by: str, quote: str) -> None:
    assert not is_said(quote, by, "en")
