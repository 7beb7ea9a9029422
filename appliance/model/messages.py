"""Messages for people: an English template and its values.

A message is a `str`, so terminals, logs and the API show it as it is. Template and values are preserved in the sandbox's pipe
and the database, and a page translates the template and fills in the same values (`web.pages.frame.message_translation`).
String operations (f-strings, ``+``, slices, ``strip``) return plain strings; `joined`, `mapped` and `cut` preserve messages.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Value = str | int | float

#: Limits on messages read from a child or the database: characters of the template and in total, values, levels of
#: nesting.
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

    def __new__(cls, template: str, /, **values: Any) -> Message:  # positional only: a value may have any name
        """Fill in `values`."""
        kept = {name: value if isinstance(value, str | int | float) else str(value) for name, value in values.items()}
        self = super().__new__(cls, fill(template, kept))
        self.template, self.values = str.__str__(template), kept
        return self

    def __str__(self) -> Message:
        """Return the message itself, so that `str()` of an error with a message preserves it."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold template and values."""
        return _made, (self.template, self.values)


def _made(template: str, values: Mapping[str, Value]) -> Message:
    return Message(template, **values)


def fill(template: str, values: Mapping[str, Value]) -> str:
    """`template` with its placeholders replaced by `values`; a placeholder without a value stays. Without values the template is the
    text.
    """
    if not values:
        return template

    def value(place: re.Match[str]) -> str:
        """The value of a placeholder."""
        name = place[1]
        if name is None:
            return "%"
        return format(values[name]) if name in values else place[0]

    return _PLACE.sub(value, template)


def joined(texts: Iterable[str], separator: str = " ") -> str:
    """Join `texts`; messages among them are preserved."""
    found = list(texts)
    if not any(isinstance(text, Message) for text in found) or len(found) > MOST_VALUES:
        return separator.join(found)
    values = {f"text_{number}": text for number, text in enumerate(found)}
    places = separator.replace("%", "%%").join(f"%({name})s" for name in values)
    return Message(places, **values)


def mapped(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` applied to the template and each text value."""
    if not isinstance(text, Message):
        return change(text)
    values = {name: mapped(value, change) if isinstance(value, str) else value for name, value in text.values.items()}
    return Message(change(text.template), **values)


def cut(text: str, most: int) -> str:
    """`text` with at most `most` characters. The longest value of a message is shortened if that is enough."""
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
    """A message as ``{"template": …, "values": {…}}``; a plain text, or a message exceeding the limits, as text."""
    if not isinstance(text, Message) or not _is_small(text):
        return text
    return {
        "template": text.template,
        "values": {name: to_json(value) if isinstance(value, str) else value for name, value in text.values.items()},
    }


def from_json(value: Any) -> str:
    """Parse the result of `to_json`, which is untrusted: raises ValueError for anything else, or too much."""
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
    """`value` (lists and dicts) for JSON, with messages converted by `to_json`."""
    if isinstance(value, Message):
        return to_json(value)
    if isinstance(value, dict):
        return {key: packed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [packed(one) for one in value]
    return value


def unpacked(found: dict[str, Any]) -> Any:
    """An ``object_hook`` for `json.loads` that restores the messages of `packed`."""
    if found.keys() != {"template", "values"}:
        return found
    try:
        return from_json(found)
    except ValueError:
        return found


def dumps(value: Any) -> str:
    """JSON text that preserves messages; NaN and infinities are refused (ValueError)."""
    return json.dumps(packed(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def loads(text: str) -> Any:
    """Parse the result of `dumps`, or any other JSON text. Raises ValueError."""
    return json.loads(text, object_hook=unpacked)


def parts(text: str) -> str:
    """The stored companion of `text`: template and values as JSON, "" for a plain text."""
    return json.dumps(found, ensure_ascii=False) if isinstance(found := to_json(text), dict) else ""


def whole(text: str, stored: str) -> str:
    """The message whose English `text` and `parts` were stored; the text alone if they do not match."""
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
    """Length of the filled template, computed without filling it."""
    places = (place[1] for place in _PLACE.finditer(template))
    return len(template) + sum(len(format(values[name])) for name in places if name in values)


def _is_small(message: Message) -> bool:
    """Whether it is within the limits."""
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
