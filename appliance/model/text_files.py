"""Text files as they come from other systems: UTF-8 with or without a mark, UTF-16 from Windows, cp1252 from spreadsheets."""

from __future__ import annotations

import codecs

from appliance.model.messages import Message
from appliance.model.problem import invalid


def decoded(data: bytes, name: str) -> str:
    """The text of a file called `name` (for the refusal). Raises Problem 409 for what is no text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codings: tuple[str, ...] = ("utf-16",)
    else:
        codings = ("utf-8-sig", "cp1252")
    for coding in codings:
        try:
            text = data.decode(coding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise invalid(
        message=Message(
            "%(name)s is not a text file. Save it as text (UTF-8, or CSV as written by a spreadsheet program).",
            name=name,
        )
    )
