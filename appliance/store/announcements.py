"""The announcement shown on each page, and the maintenance message."""

from __future__ import annotations

import sqlite3

_ANNOUNCEMENT = "announcement"
_MAINTENANCE = "maintenance"


def announcement(conn: sqlite3.Connection) -> str:
    """The announcement, "" if there is none."""
    return _get(conn, _ANNOUNCEMENT)


def announce(tx: sqlite3.Connection, text: str) -> None:
    """Show `text` to everybody; "" removes it."""
    _set(tx, _ANNOUNCEMENT, text)


def maintenance(conn: sqlite3.Connection) -> str:
    """The maintenance message, "" when the site is not under maintenance."""
    return _get(conn, _MAINTENANCE)


def set_maintenance(tx: sqlite3.Connection, text: str) -> None:
    """Start maintenance with this message; "" ends it."""
    _set(tx, _MAINTENANCE, text)


def _get(conn: sqlite3.Connection, key: str) -> str:
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row and row[0] else ""


def _set(tx: sqlite3.Connection, key: str, value: str) -> None:
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
