"""Joining SQL conditions."""

from __future__ import annotations

TRUE, FALSE = "1", "0"


def all_of(found: list[str]) -> str:
    """The condition that all of `found` hold."""
    if FALSE in found:
        return FALSE
    found = [sql for sql in found if sql != TRUE]
    return _tree(found, "AND") if found else TRUE


def any_of(found: list[str]) -> str:
    """The condition that one of `found` holds."""
    if TRUE in found:
        return TRUE
    found = [sql for sql in found if sql != FALSE]
    return _tree(found, "OR") if found else FALSE


def _tree(found: list[str], operator: str) -> str:
    """Joined in halves, because SQLite limits how deep an expression may be."""
    if len(found) == 1:
        return found[0]
    middle = len(found) // 2
    return f"({_tree(found[:middle], operator)} {operator} {_tree(found[middle:], operator)})"
