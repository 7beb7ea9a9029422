"""Numbers and days on pages are those that the language's own rules give."""

from __future__ import annotations

import pytest
from babel import dates, numbers
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import times
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import i18n

LOCALES = {"en": "en_GB", "de": "de_DE"}


@pytest.mark.parametrize("language", LOCALES)
@given(number=st.integers(-(10**20), 10**20), moment=st.datetimes())
def test_integers_and_days_are_written_as_babel_writes_them(language: str, number: int, moment: object) -> None:
    stored = times.text(moment)  # type: ignore[arg-type]
    with Flask("pages").test_request_context(headers={"Accept-Language": language}):
        assert show.integer(number) == numbers.format_decimal(number, format="#,##0", locale=LOCALES[language])
        assert show.date(stored) == dates.format_date(times.parse(stored), format="medium", locale=LOCALES[language])


def test_without_a_request_texts_are_english() -> None:
    assert (i18n.language(), show.integer(12345), i18n.gettext("Datasets")) == ("en", "12,345", "Datasets")
    with Flask("pages").app_context():
        assert i18n.language() == "en"
