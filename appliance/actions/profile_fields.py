"""A profile's own fields: from what a client sends to what is stored, with every error named by its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from appliance.model.problem import Fields, invalid, missing
from appliance.model.values import as_text, text_error

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+|[^@\s]+@localhost")
#: Types accepted for a profile's text fields.
_PLAIN = (str, int, float, type(None))
_PROFILE = ("fullname", "about", "image_url", "locale")
_LONGEST = {"fullname": 200, "about": 20_000, "image_url": 2000, "locale": 20}


def require_email(value: Any) -> str:
    """An e-mail address. Raises Problem 409."""
    email = as_text(value).strip()
    if not email:
        raise missing("email")
    if _EMAIL.fullmatch(email) is None or len(email) > 254:
        raise invalid({"email": ["Email address is not valid"]})
    return email


def checked_profile(data: Mapping[str, Any]) -> dict[str, str]:
    """The profile fields that `data` has. Raises Problem 409."""
    unfit: Fields = {key: ["Must be a text"] for key in _PROFILE if key in data and not isinstance(data[key], _PLAIN)}
    if unfit:
        raise invalid(unfit)
    values = {key: as_text(data[key]) for key in _PROFILE if key in data}
    errors: Fields = {
        key: [f"At most {_LONGEST[key]} characters are accepted"]
        for key, value in values.items()
        if len(value) > _LONGEST[key]
    }
    errors |= {key: [error] for key, value in values.items() if (error := text_error(value))}
    if errors:
        raise invalid(errors)
    return values
