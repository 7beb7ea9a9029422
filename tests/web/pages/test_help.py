"""The guides are shown in the reader's language where they are translated, and lead to the reference pages from there."""

from __future__ import annotations

import pytest

from tests.support.furnished import House, Visitor


@pytest.mark.parametrize(("language", "title"), [("en", "User guide"), ("de", "Benutzerhandbuch")])
def test_the_user_guide_is_in_the_readers_language(house: House, language: str, title: str) -> None:
    page = Visitor(house.appliance, language=language).page("/help/user-guide")
    assert f"<h1>{title}</h1>" in page
    assert f'<article class="card prose" lang="{language}">' in page
    assert 'href="settings.md"' in page  # the address beside it, which leads to /help/settings


def test_what_is_not_translated_is_in_english_and_says_so(house: House) -> None:
    page = Visitor(house.appliance, language="de").page("/help/api")
    assert '<html lang="de"' in page
    assert '<article class="card prose" lang="en">' in page


def test_the_help_page_names_the_guides_in_the_readers_language(house: House) -> None:
    page = Visitor(house.appliance, language="de").page("/help")
    assert ">Benutzerhandbuch</a>" in page
    assert ">Administrationshandbuch</a>" in page
