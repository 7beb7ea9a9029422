"""Cells of CSV files for spreadsheet programs: no text may be interpreted as a formula."""

from __future__ import annotations

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def inert(value: Any) -> Any:
    """`value` as a safe cell: a text that a spreadsheet program would calculate is prefixed with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
