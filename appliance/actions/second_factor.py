"""The second factor of an account: whether it is asked for, and whether a code is right."""

from __future__ import annotations

import sqlite3
import time

from appliance.actions.site import Site
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.security import totp
from appliance.store import audit, second_factors


class TooManyCodes(Problem):
    """429: too many codes were tried for an account. `wait` [s] until the next may be; recovery codes still work."""

    wait: int

    def __init__(self, wait: int) -> None:
        super().__init__(429, "Too Many Requests", message=f"Too many codes were tried. Try again in {wait} s.")
        self.wait = wait


def prove(tx: sqlite3.Connection, site: Site, viewer: Viewer, given: str) -> bool:
    """Is this a code of the app of `viewer.user_id` that was not used before, or one of its recovery codes? It is used up.

    The caller has counted the attempt (`login.count_attempt`). Codes of six digits are counted besides, by the day: whoever
    knows the password could otherwise go on guessing. Raises TooManyCodes, Problem 503 when secrets/totp.key is missing.
    """
    user_id = str(viewer.user_id)
    row = second_factors.find(tx, user_id)
    if row is None:
        return False
    right = _code_is_right(tx, site, row, given) if totp.is_code(given) else _recovered(tx, viewer, given)
    if not right:
        audit.add(tx, viewer, "session.code_refused", "user", user_id)
    return right


def _code_is_right(tx: sqlite3.Connection, site: Site, row: sqlite3.Row, given: str) -> bool:
    user_id = row["user_id"]
    wait = site.limiter.code_attempt(user_id)
    if wait:
        raise TooManyCodes(wait)
    secret = totp.unseal(site.settings.secrets, user_id, row["sealed"])
    step = totp.matching_step(secret, given, now=time.time(), after=row["last_step"])
    if step is None or not second_factors.use_step(tx, user_id, step):
        return False
    site.limiter.code_succeeded(user_id)
    return True


def _recovered(tx: sqlite3.Connection, viewer: Viewer, given: str) -> bool:
    user_id = str(viewer.user_id)
    if not second_factors.use_recovery_code(tx, user_id, totp.recovery_hash(user_id, given)):
        return False
    left = second_factors.recovery_codes_left(tx, user_id)
    audit.add(tx, viewer, "session.recovery_code", "user", user_id, left=left)
    return True
