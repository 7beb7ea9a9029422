"""A guide in German is the English one: the same sections, code, commands, settings and steps, in the same order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TRANSLATED = sorted((DOCS / "de").glob("*.md"))


def outline(text: str) -> list[str]:
    """What a translation has to repeat: levels of headings, items of lists, and rows of tables, without their words."""
    prose = re.sub(r"```.*?```", "```", text, flags=re.DOTALL)
    kinds = re.findall(r"^(#+ |```|- |\d+\. |\|)", prose, re.MULTILINE)
    return [kind.strip() for kind in kinds]


def code(text: str) -> list[str]:
    """Blocks of code without their comments, and indented lines of commands."""
    blocks = re.findall(r"```(.*?)```", text, re.DOTALL)
    lines = re.findall(r"^ {4,}(\S.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return [re.sub(r"(^|\s+)#.*", "", piece) for piece in blocks + lines]


def spans(text: str) -> list[str]:
    """Code within sentences, in alphabetical order, as the order of words differs."""
    return sorted(set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))))


@pytest.mark.parametrize("german", TRANSLATED, ids=lambda path: path.name)
@pytest.mark.parametrize("part", [outline, code, spans])
def test_the_german_guide_has_all_of_the_english_one(german: Path, part: object) -> None:
    assert callable(part)
    english = DOCS / german.name
    assert part(german.read_text(encoding="utf-8")) == part(english.read_text(encoding="utf-8"))


def test_both_guides_are_translated() -> None:
    assert {path.name for path in TRANSLATED} == {"user-guide.md", "admin-guide.md"}


def test_a_missing_command_or_section_is_found() -> None:
    english = "# A\n\n    dcor status\n\n## B\n\n- `one`\n"
    assert outline(english) != outline(english.replace("## B", ""))
    assert code(english) != code(english.replace("dcor status", "dcor"))
    assert spans(english) != spans(english.replace("`one`", "one"))
