"""docs/acceptance.md: every statement of the manual has a row, and every row names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "acceptance.md"

#: Chapter → number of statements in it; letters where the manual's answers have several parts.
CHAPTERS = {"1": 5, "2.1": 15, "2.2": 12, "2.3": 9, "4.1": 16, "4.2": 5, "4.3": 2, "4.4": 14, "5": 8}
LETTERED = {"3.2": "abcde", "3.3": "abcd"}
SINGLE = {"2.4", "3.1"}


def expected() -> set[str]:
    """The numbers of all statements."""
    numbered = {f"{chapter}.{number}" for chapter, count in CHAPTERS.items() for number in range(1, count + 1)}
    return numbered | {f"{chapter}{letter}" for chapter, letters in LETTERED.items() for letter in letters} | SINGLE


def rows() -> dict[str, list[tuple[str, str]]]:
    """Number of each statement → (test, file) pairs."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        match = re.match(r"\| (\d[\d.a-e]*) \|", line)
        if match:
            assert match[1] not in found, f"{match[1]} stands there twice"
            found[match[1]] = re.findall(r"\[`(test_\w+)`\]\(\.\./([^)]+)\)", line)
    return found


def test_every_statement_of_the_manual_is_there() -> None:
    assert set(rows()) == expected()


def test_every_row_is_proved_by_tests_that_exist() -> None:
    for number, tests in rows().items():
        assert tests, f"{number} has no proof"
        for name, file in tests:
            assert (TOP / file).is_file(), f"{number}: {file}"
            assert f"def {name}(" in (TOP / file).read_text(encoding="utf-8"), f"{number}: {file} has no {name}"


def test_no_proving_test_is_left_out() -> None:
    for tests in rows().values():
        for name, file in tests:
            text = (TOP / file).read_text(encoding="utf-8")
            before = text[: text.index(f"def {name}(")].rpartition("\n\n\n")[2]
            assert re.search(r"mark\.(skip\(|xfail)", before) is None, name


def test_numbers_agree_with_the_reference_where_it_is_at_hand() -> None:
    reference = TOP.parent / "shared" / "reference" / "behaviour.md"
    if not reference.is_file():
        pytest.skip("the reference is not here")
    text = reference.read_text(encoding="utf-8")
    section = text[text.index("## 7. Acceptance checklist") : text.index("## 8. Not determined")]
    assert set(re.findall(r"^\| (\d[\d.a-e]*) \|", section, re.MULTILINE)) == {
        one for one in expected() if not one.startswith("4.4.") and one != "2.4"
    }
