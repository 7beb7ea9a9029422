"""Sentences for people that remember what they were made of: an English template and the values in it.

A message is a `str`, so terminals, logs and the API show it as it is. It keeps template and values on its way through the sandbox's
pipe and the database, and a page translates the template and fills in the same values (`web.pages.frame.message_translation`).
Text operations (f-strings, ``+``, slices, ``strip``) give plain strings; `joined`, `mapped` and `cut` keep what a message is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Value = str | int | float

#: What is read from a child or the database has at most so many characters in its template and altogether, values, and levels.
MOST_TEMPLATE = 2_000
MOST_TEXT = 50_000
MOST_VALUES = 50
MOST_LEVELS = 4

_PLACE = re.compile(r"%\((\w{1,60})\)s|%%")
_NAME = re.compile(r"\w{1,60}")


class Message(str):
    """An English sentence: ``Message("The file %(name)s is truncated.", name=name)``.

    Places are written ``%(name)s`` and a percent sign ``%%``; a template without values is the text itself. Values are texts (also
    messages) and numbers; anything else is filled in as the text it gives.

    :ivar template: the English text with places. :ivar values: what is filled in, by name.
    """

    __slots__ = ("template", "values")
    template: str
    values: dict[str, Value]

    def __new__(cls, template: str, /, **values: Any) -> Message:  # any name may be that of a value
        """Fill in `values`."""
        kept = {name: value if isinstance(value, str | int | float) else str(value) for name, value in values.items()}
        self = super().__new__(cls, fill(template, kept))
        self.template, self.values = str.__str__(template), kept
        return self

    def __str__(self) -> Message:
        """The message itself, so that the text of an error that holds one is one."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold template and values."""
        return _made, (self.template, self.values)


def _made(template: str, values: Mapping[str, Value]) -> Message:
    return Message(template, **values)


def fill(template: str, values: Mapping[str, Value]) -> str:
    """`template` with `values` in its places; a place without a value stays. Without values the template is the text itself."""
    if not values:
        return template

    def value(place: re.Match[str]) -> str:
        """What stands in a place."""
        name = place[1]
        if name is None:
            return "%"
        return format(values[name]) if name in values else place[0]

    return _PLACE.sub(value, template)


def joined(texts: Iterable[str], separator: str = " ") -> str:
    """All `texts` in one, each still a message if it was one."""
    found = list(texts)
    if not any(isinstance(text, Message) for text in found) or len(found) > MOST_VALUES:
        return separator.join(found)
    values = {f"text_{number}": text for number, text in enumerate(found)}
    places = separator.replace("%", "%%").join(f"%({name})s" for name in values)
    return Message(places, **values)


def mapped(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` done to the template and each text in it."""
    if not isinstance(text, Message):
        return change(text)
    values = {name: mapped(value, change) if isinstance(value, str) else value for name, value in text.values.items()}
    return Message(change(text.template), **values)


def cut(text: str, most: int) -> str:
    """`text` with at most `most` characters. Of a message, its longest value is cut where that is enough."""
    if len(text) <= most:
        return text
    if isinstance(text, Message):
        texts = {name: value for name, value in text.values.items() if isinstance(value, str)}
        longest = max(texts, key=lambda name: len(texts[name]), default="")
        left = len(texts.get(longest, "")) - (len(text) - most)
        if left > 0:
            shorter = Message(text.template, **{**text.values, longest: cut(texts[longest], left)})
            if len(shorter) <= most:
                return shorter
    return text[: most - 1] + "…"


def to_json(text: str) -> str | dict[str, Any]:
    """A message as ``{"template": …, "values": {…}}``; a plain text, or what is too much to be read again, as the text."""
    if not isinstance(text, Message) or not _is_small(text):
        return text
    return {
        "template": text.template,
        "values": {name: to_json(value) if isinstance(value, str) else value for name, value in text.values.items()},
    }


def from_json(value: Any) -> str:
    """What `to_json` gave. Others may have written it: raises ValueError for anything else, or too much."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or value.keys() != {"template", "values"} or not isinstance(value["template"], str):
        raise ValueError("no message")
    values = value["values"]
    if not isinstance(values, dict) or len(values) > MOST_VALUES or not all(map(_NAME.fullmatch, values)):
        raise ValueError("no values of a message")
    template = value["template"]
    kept = {name: _value(one) for name, one in values.items()}
    if _length(template, kept) > MOST_TEXT:
        raise ValueError("a message is too long")
    found = Message(template, **kept)
    if not _is_small(found):
        raise ValueError("a message is too long")
    return found


def packed(value: Any) -> Any:
    """`value` (lists and dicts) for JSON, its messages as `to_json` has them."""
    if isinstance(value, Message):
        return to_json(value)
    if isinstance(value, dict):
        return {key: packed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [packed(one) for one in value]
    return value


def unpacked(found: dict[str, Any]) -> Any:
    """For `json.loads` as ``object_hook``: messages for what `packed` made of them, everything else as it is."""
    if found.keys() != {"template", "values"}:
        return found
    try:
        return from_json(found)
    except ValueError:
        return found


def dumps(value: Any) -> str:
    """JSON text that keeps messages; NaN and infinities are refused (ValueError)."""
    return json.dumps(packed(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def loads(text: str) -> Any:
    """What `dumps` wrote, or any other JSON text. Raises ValueError."""
    return json.loads(text, object_hook=unpacked)


def parts(text: str) -> str:
    """What is stored beside `text`: template and values as JSON, "" for a plain text."""
    return json.dumps(found, ensure_ascii=False) if isinstance(found := to_json(text), dict) else ""


def whole(text: str, stored: str) -> str:
    """The message whose English `text` and `parts` were stored; the text alone where they don't belong together."""
    try:
        found = from_json(json.loads(stored)) if stored else text
    except (ValueError, RecursionError):
        return text
    return found if found == text else text


def _value(value: Any) -> Value:
    if isinstance(value, dict):
        return from_json(value)
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError("no value of a message")


def _length(template: str, values: Mapping[str, Value]) -> int:
    """Characters of the filled template, before anything is filled in."""
    places = (place[1] for place in _PLACE.finditer(template))
    return len(template) + sum(len(format(values[name])) for name in places if name in values)


def _is_small(message: Message) -> bool:
    """Is it within the bounds?"""
    return (
        len(message) <= MOST_TEXT
        and _levels(message) <= MOST_LEVELS
        and all(len(one.template) <= MOST_TEMPLATE and len(one.values) <= MOST_VALUES for one in _all(message))
        and all(
            math.isfinite(value) for one in _all(message) for value in one.values.values() if isinstance(value, float)
        )
    )


def _all(message: Message) -> Iterable[Message]:
    yield message
    for value in message.values.values():
        if isinstance(value, Message):
            yield from _all(value)


def _levels(message: Message) -> int:
    return 1 + max((_levels(value) for value in message.values.values() if isinstance(value, Message)), default=0)
