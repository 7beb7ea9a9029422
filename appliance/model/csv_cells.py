"""Texts in CSV files that a spreadsheet program opens: nothing in them may be taken for a formula."""

from __future__ import annotations

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def inert(value: Any) -> Any:
    """`value` as it may stand in a cell: a text that a spreadsheet program would calculate gets an apostrophe in front, others stay."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
