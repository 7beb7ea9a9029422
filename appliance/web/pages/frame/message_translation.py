"""What checks, jobs and settings say in English (`model.messages`), in the reader's language.

The catalogue has the templates, marked with the context `i18n.SAID`; a translated one is filled with the same values.
"""

from __future__ import annotations

import re

from babel.numbers import get_decimal_symbol

from appliance.model.messages import Message, Value, fill
from appliance.web.pages.frame import i18n

_DECIMAL = re.compile(r"-?\d+\.\d+")


def translate(text: str) -> str:
    """`text` in the reader's language: a message by its template, a plain text where the catalogue has it as it is, else English."""
    language = i18n.language()
    if language == i18n.DEFAULT or not text:
        return text
    if not isinstance(text, Message):
        return i18n.said(language, text)
    return fill(i18n.said(language, text.template), filled_in(text))


def filled_in(message: Message) -> dict[str, Value]:
    """The values of `message` in the reader's language."""
    return {name: _value(value) for name, value in message.values.items()}


def _value(value: Value) -> str:
    """Messages translated, decimal numbers with the comma of the language, other texts as they are."""
    if isinstance(value, Message):
        return translate(value)
    shown = format(value)
    return shown.replace(".", get_decimal_symbol(i18n.locale())) if _DECIMAL.fullmatch(shown) else shown
