"""Ids and names: what is allowed, and how a dataset gets its name from its title."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from slugify import slugify

from appliance.model.messages import Message
from appliance.model.problem import invalid

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z0-9_-]*")
_TAG = re.compile(r"[\w \-.]*")
_RESOURCE = re.compile(r"[A-Za-z0-9.,\-_+()\[\]]")
_RESERVED = frozenset({"edit", "new", "search"})
_SHORTEST, _LONGEST = 2, 100

#: File name suffixes that a dataset may hold, in the order in which clients show them.
SUFFIXES = (
    ".rtdc",
    ".ini",
    ".csv",
    ".tsv",
    ".pdf",
    ".txt",
    ".jpg",
    ".png",
    ".tif",
    ".py",
    ".ipynb",
    ".poly",
    ".sof",
    ".so2",
)


def new_id() -> str:
    """A fresh id: lower-case uuid4."""
    return str(uuid.uuid4())


def is_id(value: object) -> bool:
    """Is `value` an id in its one canonical form?"""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def require_name(value: str, field: str = "name") -> str:
    """The general rule for names of users, circles, collections (and datasets of admins). Raises Problem 409."""
    if not isinstance(value, str):
        raise invalid({field: ["Names must be strings"]})
    if value in _RESERVED or is_id(value):  # what looks like an id could be taken for somebody else's
        raise invalid({field: [Message("That name cannot be used")]})
    if len(value) < _SHORTEST:
        raise invalid({field: [Message("Must be at least %(count)s characters long", count=_SHORTEST)]})
    if len(value) > _LONGEST:
        raise invalid({field: [f"Name must be a maximum of {_LONGEST} characters long"]})
    if _NAME.fullmatch(value) is None:
        raise invalid({field: ["Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"]})
    return value


def tag_errors(name: object) -> list[str]:
    """What is wrong with a tag's name; empty when nothing is."""
    if not isinstance(name, str) or not name:
        return ["Missing value"]
    errors: list[str] = []
    if len(name) < _SHORTEST:
        errors.append(f'Tag "{name}" length is less than minimum {_SHORTEST}')
    if len(name) > _LONGEST:
        errors.append(f'Tag "{name}" length is more than maximum {_LONGEST}')
    if _TAG.fullmatch(name) is None:
        errors.append(
            f'Tag "{name}" can only contain alphanumeric characters, spaces (" "), hyphens ("-"), underscores ("_") or dots (".")'
        )
    return errors


def suffix(name: str) -> str | None:
    """The text from the last dot of a file name, None without a dot."""
    return "." + name.rpartition(".")[2] if "." in name else None


def resource_name_errors(name: object) -> list[str]:
    """What is wrong with a resource's file name; empty when nothing is."""
    if not isinstance(name, str) or not name:
        return ["Missing value"]
    errors: list[str] = []
    if suffix(name) not in SUFFIXES:
        errors.append(
            Message(
                "Unsupported file extension '%(suffix)s'. Allowed file extensions are %(allowed)s.",
                suffix=suffix(name),
                allowed=list(SUFFIXES),
            )
        )
    strange = "".join(dict.fromkeys(_RESOURCE.sub("", name)))
    if strange:
        errors.append(Message("Invalid characters in file name: %(which)s", which=strange))
    if len(name) > 255:
        errors.append("File names have at most 255 characters")
    return errors


_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """For sorting names with the numbers in them by their value: 1, 2, 10."""
    parts = _DIGITS.split(name.casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part]


def is_measurement(name: str) -> bool:
    """Does the file name announce RT-DC data?"""
    return suffix(name) in {".rtdc", ".dc"}


def dataset_name(title: str, taken: Callable[[str], bool], seed: str | None = None) -> str:
    """A free name made from `title`: its slug, prolonged by random hexadecimal digits while it is taken or unfit.

    :param taken: does a dataset of this name exist?
    :param seed: source of the digits (a uuid); random by default.
    :raises Problem: when all digits are used up.
    """
    digits = (seed or uuid.uuid4().hex).replace("-", "")
    slug = slugify(title)
    for used in range(len(digits) + 1):
        name = slug + (
            "-" + digits[1 : used + 1] if used and slug else digits[: max(_SHORTEST, used + 1)] if not slug else ""
        )
        if len(name) < _SHORTEST:
            name += "-" + digits[0]
        if name in _RESERVED or is_id(name):
            name += "-" + digits[0]
        if len(name) > _LONGEST:
            name = name[: _LONGEST - 10] + "-" + digits[: max(1, used)]
        if not taken(name):
            return name
    raise invalid({"name": [f"Could not slugify title: {title}"]})
