"""The user guides name buttons and pages as they are written there: what they set in italics is in the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.web.pages.frame import i18n

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = {"en": DOCS / "user-guide.md", "de": DOCS / "de" / "user-guide.md"}
#: Labels of other programs (DCOR-Aid, DCscope), and emphasis that is no label.
OTHERS = frozenset(
    {"Health Facility", "Custom", "File", "Load DCOR data", "DCOR", "Upload", "New upload", "On an appliance:"}
    | {"on an appliance", "Auf einer Appliance:", "auf einer Appliance"}
)
_LABEL = re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])")


def labels(text: str) -> set[str]:
    """What stands in single asterisks, outside of code."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return {one.rstrip(",") for one in _LABEL.findall(prose)}


def shown(language: str) -> set[str]:
    """Every text of the pages in that language; of those with a plural, the singular."""
    found = set()
    for message in i18n.messages(language):
        text = message.string if language != "en" else message.id
        found.add(text if isinstance(text, str) else text[0])
    return found - {""}


def unknown(text: str, language: str = "en") -> set[str]:
    """Labels that no page shows; the guide may leave out an ellipsis, and say "…" for what is filled in."""
    known = shown(language)
    known |= {one.removesuffix(" …") for one in known}
    return labels(text) - known - OTHERS


@pytest.mark.parametrize("language", GUIDES)
def test_labels_of_the_guide_are_those_of_the_pages(language: str) -> None:
    text = GUIDES[language].read_text(encoding="utf-8")
    assert len(labels(text)) > 20
    assert unknown(text, language) == set()


@pytest.mark.parametrize("wrong", ["*Begin uploading*", "press *Start uploads*, then wait"])
def test_a_label_that_no_page_shows_is_found(wrong: str) -> None:
    assert unknown(wrong)
