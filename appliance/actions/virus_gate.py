"""Files that the virus scanner has not looked at yet are handed to nobody but who uploaded them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from appliance.model.problem import Problem
from appliance.settings import Settings
from appliance.store import audit, file_checks

#: As which a scan is noted among the checks of files.
KIND = file_checks.VIRUS
#: As which is noted that the scanner takes no file of this size.
TOO_LARGE = "virus-too-large"
#: What makes somebody the one from whom a file came, in the audit log; not bringing one back, and not taking it into a new version.
_MAKING = ("resource.create",)
_WAITS = "This file has not been scanned for viruses yet. Until it has, only the person who uploaded it can open it."


def is_waiting(conn: sqlite3.Connection, settings: Settings, resource_id: str) -> bool:
    """Has this file still to be scanned before it is handed out?"""
    if not holds(settings) or file_checks.is_noted(conn, resource_id, KIND):
        return False
    return settings.clamav.too_large != "release" or not file_checks.is_noted(conn, resource_id, TOO_LARGE)


def is_too_large(conn: sqlite3.Connection, settings: Settings, resource_id: str) -> bool:
    """Was this file not scanned because the scanner takes none of this size?"""
    if not settings.clamav.socket or file_checks.is_noted(conn, resource_id, KIND):
        return False
    return file_checks.is_noted(conn, resource_id, TOO_LARGE)


def withheld(
    conn: sqlite3.Connection, settings: Settings, user_id: str | None, resource_ids: Iterable[str]
) -> frozenset[str]:
    """Those of these files that this user may not have yet, so that pages show nothing of what was read from them."""
    if not holds(settings):
        return frozenset()
    return frozenset(one for one in resource_ids if waits(conn, settings, user_id, one))


def holds(settings: Settings) -> bool:
    """Do files wait here for a scanner?"""
    return bool(settings.clamav.socket) and settings.clamav.hold


def waits(conn: sqlite3.Connection, settings: Settings, user_id: str | None, resource_id: str) -> bool:
    """Has this file still to be scanned before this user (None: a stranger, "": the machine's operator) may have it or what was made of it?"""
    if user_id == "" or not is_waiting(conn, settings, resource_id):
        return False
    return user_id is None or not audit.has_done(conn, user_id, _MAKING, resource_id)


def require_scanned(conn: sqlite3.Connection, settings: Settings, user_id: str | None, resource_id: str) -> None:
    """Raises Problem 503 for a file that waits for the scanner."""
    if waits(conn, settings, user_id, resource_id):
        raise refusal()


def refusal() -> Problem:
    """503: the file waits for the scanner."""
    return Problem(503, "Service Unavailable", message=_WAITS)
