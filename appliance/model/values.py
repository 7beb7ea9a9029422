"""Values as clients send them: texts for numbers, a dozen spellings of true and false."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import invalid

#: Largest number accepted: it must fit into a database column.
LARGEST = 2**53
#: How deeply JSON may be nested; a dataset has five levels.
MAX_DEPTH = 50
#: Combining marks in a row that a text may have, and what may hold more of them.
_MOST_MARKS = 30
_NO_LETTERS = re.compile(r"[^\w\x00-\u02ff]{31,}")
_DECOMPOSED = "\u0f73\u0f75\u0f81"  # no marks by their class, but normalizing makes two of each
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0", "", "none"})


def printable(text: str) -> str:
    """`text` as one line, with "?" for each character that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def is_host(name: str) -> bool:
    """May `name` be looked up as a host? Labels have 1 to 63 characters (RFC 1035, 2.3.4; Python raises for others)."""
    try:
        return bool(name.encode("idna")) and not any(map(str.isspace, name))
    except UnicodeError:
        return False


def as_bool(value: Any) -> bool:
    """True or false from any of their usual spellings. Raises ValueError."""
    if isinstance(value, bool):
        return value
    if value is None:
        return False
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"'{value}' is neither true nor false")


def as_text(value: Any) -> str:
    """Text, composed (NFC); None is empty. Raises Problem 409 for what is neither text nor number (nor true or false)."""
    if value is not None and not isinstance(value, (str, int, float)):
        raise invalid(message="A text or a number is needed, not a list, an object or a file")
    return "" if value is None else nfc(str(value))


def nfc(text: str) -> str:
    """`text`, composed (NFC). Raises Problem 409 for more than `_MOST_MARKS` combining marks in a row.

    Normalizing sorts such a run, which takes the square of its length; the bound is that of Unicode's stream-safe texts
    (UAX #15, section 13).
    """
    if text.isascii():
        return text
    for run in _NO_LETTERS.findall(text):
        marks = "".join(
            "m" if unicodedata.combining(character) or character in _DECOMPOSED else " " for character in run
        )
        if max(map(len, marks.split()), default=0) > _MOST_MARKS:
            raise invalid(
                message=Message(
                    "The text has more than %(most)s combining marks (accents) in a row; remove them", most=_MOST_MARKS
                )
            )
    return unicodedata.normalize("NFC", text)


def text_error(text: str) -> str:
    """What is wrong with a text of a description; "" when nothing is."""
    if "\0" in text:
        return "The text contains a NUL character; remove it"
    return "The text consists only of spaces; leave it empty or enter something" if text and not text.strip() else ""


def composed(value: Any) -> Any:
    """A JSON value with all its texts composed (NFC): a letter and its accent are one character, however they were typed.

    macOS and some keyboards send them apart; what looks the same has to be found and compared as the same.
    """
    if isinstance(value, str):
        return nfc(value)
    if isinstance(value, dict):
        return {composed(key): composed(part) for key, part in value.items()}
    return [composed(part) for part in value] if isinstance(value, list) else value


def as_natural(value: Any) -> int:
    """A whole number from 0 to `LARGEST`. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("a truth value is not a number")
    number = int(value)
    if not 0 <= number <= LARGEST or (isinstance(value, float) and value != number):
        raise ValueError(f"'{value}' is not a natural number")
    return number


def decoded(text: str | bytes) -> Any:
    """The value of a JSON text; bytes are UTF-8. Raises ValueError, also for what is nested too deeply or holds half characters."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")  # strictly: by itself json lets encoded half characters pass
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _depth(value) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return value


def _depth(value: Any) -> int:
    """How deeply a JSON value is nested."""
    depth, level = 0, [value]
    while level:
        level = [
            part
            for one in level
            if isinstance(one, (dict, list))
            for part in (one.values() if isinstance(one, dict) else one)
            if isinstance(part, (dict, list))
        ]
        depth += 1
    return depth
