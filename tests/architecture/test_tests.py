"""What tests may not do: measure a few seconds on a busy machine, or reach into a module for its private constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(path for path in TESTS.rglob("*.py") if path.parent != Path(__file__).parent)
#: A busy machine stands still for longer than that [s].
SHORTEST = 5.0
_CLOCK = re.compile(r"\b(monotonic|perf_counter|time\.time|process_time|thread_time)\(\)")
#: Private constants that are still used, and how often at most. To shorten only.
PRIVATE = {
    "jobs/test_hostile_files.py": 1,
    "security/attacks/test_slow_texts.py": 1,
    "store/search/test_search.py": 3,
    "store/search/test_visibility.py": 1,
    "web/test_cached_is_fresh.py": 1,
    "web/test_cpu_slot.py": 2,
    "web/transfer/test_archives.py": 1,
    "web/transfer/test_lost_midway.py": 1,
    "web/transfer/test_resumable_upload.py": 1,
}


def short_limits(module: ast.Module) -> Iterator[int]:
    """Lines that assert that less than `SHORTEST` passed on a clock."""
    for statement in ast.walk(module):
        if not isinstance(statement, ast.Assert):
            continue
        for node in ast.walk(statement.test):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.LtE):
                limit = node.comparators[0]
                if (
                    _CLOCK.search(ast.unparse(node.left))
                    and isinstance(limit, ast.Constant)
                    and isinstance(limit.value, int | float)
                    and limit.value < SHORTEST
                ):
                    yield node.lineno


def private_constants(module: ast.Module) -> Iterator[str]:
    """Private constants and functions of ours that a test reads, replaces or imports."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("appliance"):
            yield from (one.name for one in node.names if re.match(r"_[^_]", one.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(r"appliance(\.\w+)*\._[^_]\w*", node.value):
                yield node.value
        elif isinstance(node, ast.Attribute) and re.fullmatch(r"_[A-Z]\w*", node.attr):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr") and len(node.args) > 1:
            name = node.args[1]
            if isinstance(name, ast.Constant) and re.match(r"_[A-Z]", str(name.value)):
                yield str(name.value)


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_no_test_fails_because_the_machine_is_busy() -> None:
    assert len(FILES) > 150
    found = {str(path.relative_to(TESTS)): list(short_limits(_parsed(path))) for path in FILES}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_tests_use_what_is_public() -> None:
    found = {str(path.relative_to(TESTS)): list(private_constants(_parsed(path))) for path in FILES}
    assert {name: names for name, names in found.items() if len(names) > PRIVATE.get(name, 0)} == {}
    assert {name for name in PRIVATE if len(found.get(name, [])) < PRIVATE[name]} == set(), "lower the numbers above"


@pytest.mark.parametrize(
    "code",
    [
        "assert time.monotonic() - began < 1",
        "assert perf_counter() - began <= 2.5, 'slow'",
        "assert a and time.time() - x < 3",
    ],
)
def test_the_search_finds_short_limits(code: str) -> None:
    assert list(short_limits(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["assert time.monotonic() - began < 30", "assert n < 2", "assert 2 < time.monotonic() - began"]
)
def test_the_search_lets_other_limits_pass(code: str) -> None:
    assert not list(short_limits(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "from appliance.a import _B",
        "monkeypatch.setattr('appliance.a._b', 1)",
        "monkeypatch.setattr(a, '_LIMIT', 1)",
        "a._LIMIT",
    ],
)
def test_the_search_finds_private_constants(code: str) -> None:
    assert list(private_constants(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["from appliance.a import B", "monkeypatch.setattr('appliance.a.b', 1)", "a._own", "a.LIMIT"]
)
def test_the_search_lets_public_names_pass(code: str) -> None:
    assert not list(private_constants(ast.parse(code)))


#: Folders of tests that are about the whole program.
WHOLE = {"architecture", "browser", "contract", "crash", "docs", "installer", "ops", "soak", "support"}
#: Folders within those of the rooms that are about the whole room.
WHOLE_ROOM = {"security/attacks", "store/releases"}
#: Rooms without tests of their own: demonstration data is used by nearly all tests.
UNTESTED = {"demo"}


def _folders(top: Path) -> set[str]:
    found = {path.parent.relative_to(top).as_posix() for path in top.rglob("*.py")}
    return {name for name in found if name != "." and "static" not in name}


def test_tests_stand_where_the_code_stands() -> None:
    code, tests = _folders(TESTS.parent / "appliance"), _folders(TESTS)
    rooms = {name.partition("/")[0] for name in code}
    assert rooms - UNTESTED <= tests
    strange = {name for name in tests - code - WHOLE_ROOM if name.partition("/")[0] not in WHOLE}
    assert strange == set()
