"""Setting up the second factor of one's own account, new recovery codes, and turning it off."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from appliance.actions import callers, login, lookup, managed_accounts, second_factor
from appliance.actions.site import Site
from appliance.model.problem import invalid, not_authorized
from appliance.model.viewer import Viewer
from appliance.security import policy, totp
from appliance.store import audit, second_factors, sessions

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app has to learn, shown once: the secret as text and as an otpauth:// address."""

    text: str
    address: str


def begin(site: Site, viewer: Viewer, password: str) -> Enrolment:
    """Make a secret for the caller's account; it counts once `confirm` has seen a code of it. Raises Problem 409 or 429."""
    row = _own(site, viewer)
    with site.db.read() as conn:
        if managed_accounts.manager(conn, site.settings, row["id"]) is not None:
            raise invalid(message="You sign in with your institution's account; a second factor is set up there.")
        _require_off(conn, row["id"])
    login.require_password(site, viewer, row, password)
    secret = totp.new_secret()
    sealed = totp.seal(site.settings.secrets, row["id"], secret)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings.policy, viewer)  # it may have waited for the writer
        _require_off(tx, row["id"])
        second_factors.begin(tx, row["id"], sealed)
        audit.add(tx, viewer, "user.totp_begin", "user", row["id"])
    return Enrolment(totp.text(secret), totp.address(secret, row["name"], site.settings.server.hostname))


def confirm(site: Site, viewer: Viewer, code: str) -> list[str]:
    """The first code: from now on signing in needs one, and all other sessions of the account end. → recovery codes, shown once.

    Raises Problem 409 for a wrong code, 429.
    """
    row = _own(site, viewer)
    with site.db.read() as conn:
        _require_off(conn, row["id"])
        if second_factors.find(conn, row["id"]) is None:
            raise invalid(message="Start over: no app is being set up.")

    def turn_on(tx: sqlite3.Connection, caller: Viewer) -> list[str]:
        """From now on a code is needed. → recovery codes."""
        second_factors.turn_on(tx, row["id"])
        codes = _new_codes(tx, row["id"])
        sessions.revoke_all(tx, row["id"], but=caller.session_id or "")
        audit.add(tx, caller, "user.totp_on", "user", row["id"])
        return codes

    return _with_code(site, viewer, code if totp.is_code(code) else "", _require_off, turn_on)


def renew_codes(site: Site, viewer: Viewer, password: str, code: str) -> list[str]:
    """New recovery codes in place of the old ones, shown once. Raises Problem 409 or 429."""
    row = _own_with_password(site, viewer, password)

    def renew(tx: sqlite3.Connection, caller: Viewer) -> list[str]:
        """→ new recovery codes."""
        codes = _new_codes(tx, row["id"])
        audit.add(tx, caller, "user.totp_codes", "user", row["id"])
        return codes

    return _with_code(site, viewer, code, _require_on, renew)


def turn_off(site: Site, viewer: Viewer, password: str, code: str) -> None:
    """Signing in needs no code any more. It takes the password and a code: a borrowed session is not enough. Raises Problem 409 or 429."""
    row = _own_with_password(site, viewer, password)

    def remove(tx: sqlite3.Connection, caller: Viewer) -> None:
        """No code is needed any more."""
        second_factors.remove(tx, row["id"])
        audit.add(tx, caller, "user.totp_off", "user", row["id"])

    _with_code(site, viewer, code, _require_on, remove)


def turn_off_for(site: Site, viewer: Viewer, ref: str) -> None:
    """For whoever has lost the phone and the recovery codes, on the machine itself. Raises Problem 403, 404 or 409."""
    policy.require(viewer, "site:administer")
    with site.db.write() as tx:
        row = lookup.user(tx, ref)
        if not second_factors.remove(tx, row["id"]):
            raise invalid(message=f"Signing in as {row['name']} needs no code.")
        sessions.revoke_all(tx, row["id"])
        audit.add(tx, viewer, "user.totp_off", "user", row["id"])


def _own(site: Site, viewer: Viewer) -> sqlite3.Row:
    """The caller's account. Raises Problem 403."""
    if not viewer.user_id or not viewer.session_id:
        raise not_authorized("A second factor is set up on the page of one's own account.")
    with site.db.read() as conn:
        return lookup.user(conn, viewer.user_id)


def _require_off(conn: sqlite3.Connection, user_id: str) -> None:
    if second_factors.is_on(conn, user_id):
        raise invalid(message="Two-step sign-in is already on. To set up another app, turn it off first.")


def _require_on(conn: sqlite3.Connection, user_id: str) -> None:
    if not second_factors.is_on(conn, user_id):
        raise invalid(message="Two-step sign-in is not on.")


def _own_with_password(site: Site, viewer: Viewer, password: str) -> sqlite3.Row:
    """The caller's account, whose second factor is on. Raises Problem 409 for a wrong password, 429."""
    row = _own(site, viewer)
    with site.db.read() as conn:
        _require_on(conn, row["id"])
    login.require_password(site, viewer, row, password)
    return row


def _with_code(
    site: Site,
    viewer: Viewer,
    code: str,
    require: Callable[[sqlite3.Connection, str], None],
    act: Callable[[sqlite3.Connection, Viewer], _T],
) -> _T:
    """What `act` gives in a transaction in which `require` holds and the code was right. Raises Problem 409 for a wrong one, 429."""
    user_id = str(viewer.user_id)
    login.count_attempt(site, user_id, viewer.address)
    with site.db.write() as tx:
        caller = callers.renewed(tx, site.settings.policy, viewer)  # it may have waited for the writer
        require(tx, user_id)
        right = second_factor.prove(tx, site, caller, code)
        found = act(tx, caller) if right else None
    if not right:  # after the commit: the refusal stands in the audit log
        raise invalid({"code": ["The code is wrong or has already been used. Wait for the app's next code."]})
    site.limiter.login_succeeded(user_id, viewer.address)
    return cast("_T", found)


def _new_codes(tx: sqlite3.Connection, user_id: str) -> list[str]:
    codes = totp.new_recovery_codes()
    second_factors.replace_recovery_codes(tx, user_id, [totp.recovery_hash(user_id, one) for one in codes])
    return codes
