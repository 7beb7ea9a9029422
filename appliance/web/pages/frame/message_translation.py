"""What checks, jobs and settings say in English, in the reader's language.

The text that arrives is filled in already. The catalogue knows the templates (`web.translations.harvest`); the one it was made
of is found again, translated, and filled with the same values. A text that nobody knows stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from appliance.web.pages.frame import i18n

#: As in `web.translations.harvest`, which this process has no need to import.
CONTEXT = "inside"

_PLACE = re.compile(r"%\((\w+)\)s")
_DECIMAL = re.compile(r"-?\d+\.\d+")
#: Values may come from a hostile file, and the time of a pattern grows with a power of the text: longer ones stay as they are.
_LONGEST = 600


def inside(text: str) -> str:
    """`text` in the reader's language."""
    language = i18n.language()
    return text if language == i18n.DEFAULT or not text else _translated(language, text, 2)


def _translated(language: str, text: str, depth: int) -> str:
    fixed, patterns = _templates(language)
    if text in fixed:
        return fixed[text]
    if len(text) > _LONGEST:
        return text
    for pattern, message in patterns:
        match = pattern.fullmatch(text)
        if match:
            return message % {name: _value(language, value, depth - 1) for name, value in match.groupdict().items()}
    return text


def _value(language: str, value: str, depth: int) -> str:
    """Values may be such texts themselves ("condense failed: The file is truncated …")."""
    if _DECIMAL.fullmatch(value):
        return value.replace(".", ",")
    return _translated(language, value, depth) if depth > 0 else value


@lru_cache(maxsize=len(i18n.LANGUAGES))
def _templates(language: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Fixed texts with their translation, and patterns with the translated template, the most telling first."""
    fixed: dict[str, str] = {}
    found: list[tuple[int, re.Pattern[str], str]] = []
    for message in i18n.messages(language):
        if message.context != CONTEXT or not isinstance(message.id, str) or not isinstance(message.string, str):
            continue
        pieces = _PLACE.split(message.id)
        if len(pieces) == 1:
            fixed[message.id] = message.string
            continue
        words = [piece.replace("%%", "%") for piece in pieces[::2]]
        pattern = "".join(
            re.escape(words[number]) + (f"(?P<{pieces[2 * number + 1]}>.+?)" if number < len(words) - 1 else "")
            for number in range(len(words))
        )
        found.append((len("".join(words)), re.compile(pattern, re.DOTALL), message.string))
    found.sort(key=lambda entry: -entry[0])
    return fixed, [(pattern, message) for _length, pattern, message in found]
