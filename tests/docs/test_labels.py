"""The user guide names buttons and pages as they are written there: what it sets in italics is in the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.web.pages.frame import i18n

GUIDE = Path(__file__).parents[2] / "docs" / "user-guide.md"
#: Labels of other programs (DCOR-Aid, DCscope), and emphasis that is no label.
OTHERS = frozenset(
    {"Health Facility", "Custom", "File", "Load DCOR data", "DCOR", "New upload", "On an appliance:", "on an appliance"}
)
_LABEL = re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])")


def labels(text: str) -> set[str]:
    """What stands in single asterisks, outside of code."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    return {one.rstrip(",") for one in _LABEL.findall(prose)}


def unknown(text: str) -> set[str]:
    """Labels that no page shows; the guide may leave out an ellipsis, and say "…" for what is filled in."""
    known = {
        message.id if isinstance(message.id, str) else message.id[0] for message in i18n.messages("en") if message.id
    }
    known |= {one.removesuffix(" …") for one in known}
    return labels(text) - known - OTHERS


def test_labels_of_the_guide_are_those_of_the_pages() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert len(labels(text)) > 20
    assert unknown(text) == set()


@pytest.mark.parametrize("wrong", ["*Begin uploading*", "press *Start uploads*, then wait"])
def test_a_label_that_no_page_shows_is_found(wrong: str) -> None:
    assert unknown(wrong)
