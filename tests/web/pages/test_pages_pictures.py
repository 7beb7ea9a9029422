"""Pictures of people and circles."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.actions import communities
from appliance.model.viewer import OPERATOR
from appliance.web.pages.frame.pictures import TINTS, initials
from tests.support.furnished import House


@pytest.mark.parametrize(
    ("shown", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("lab", "LA"),
        ("  ", "?"),
        ("🙂 x", "X"),
        ("Ärzte – Station 3b", "Ä3"),
        ("ß", "SS"),
        ("<b>", "B"),
    ],
)
def test_initials(shown: str, letters: str) -> None:
    assert initials(shown) == letters


@given(st.text(max_size=40))
def test_initials_of_anything_are_short(shown: str) -> None:
    assert 1 <= len(initials(shown)) <= 8


def test_a_circle_keeps_its_colour_and_shows_its_letters(house: House) -> None:
    listed = house.visitor("ada").page("/organization")
    alone = house.visitor("ada").page("/organization/lab")
    pattern = r'class="community-image (tint-\d)" aria-hidden="true">LA<'
    assert re.search(pattern, listed)[1] == re.search(pattern, alone)[1]  # type: ignore[index]
    assert f".tint-{TINTS - 1} " in house.visitor().page(_sheet(alone, "layout.css"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/static/x/logo.svg", True),
        ("https://elsewhere.example/p.png", False),
        ("//elsewhere.example/p.png", False),
        ("", False),
    ],
)
def test_only_pictures_of_this_server_are_shown(house: House, url: str, shown: bool) -> None:
    name = f"pictured-{abs(hash(url)) % 10**6}"
    communities.create(
        house.appliance.context, OPERATOR, "circle", {"name": name, "title": "Pictured", "image_url": url}
    )
    page = house.visitor("ada").page(f"/organization/{name}")
    assert ("<img src=" in page.split('class="community-image')[1].split("</span>")[0]) == shown
    assert "elsewhere.example" not in page


def _sheet(page: str, name: str) -> str:
    found = re.search(rf'href="(/static/[^"]*/{name})"', page)
    assert found
    return found[1]
