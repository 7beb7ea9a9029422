"""Setting up the second factor of one's own account, new recovery codes, and turning it off."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from appliance.actions import callers, login, lookup, managed_accounts, second_factor
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import invalid, not_authorized
from appliance.model.viewer import Viewer
from appliance.security import policy, totp
from appliance.settings import Settings
from appliance.store import audit, one_time_links, second_factors, sessions, tokens

_T = TypeVar("_T")
#: Purpose of a setup code among the one-time secrets, and how long it is good [h].
_SETUP = "two-step"
_SETUP_HOURS = 24


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app has to learn, shown once: the secret as text and as an otpauth:// address."""

    text: str
    address: str


def begin(site: Site, viewer: Viewer, password: str, setup_code: str = "") -> Enrolment:
    """Make a secret for the caller's account; it counts once `confirm` has seen a code of it. Raises Problem 409, 429 or 503.

    :param setup_code: what `permit` has made, where `needs_permit`.
    """
    row = _own(site, viewer)
    with site.db.read() as conn:
        if not offered(conn, site.settings, row["id"]):
            raise invalid(message="You sign in with your institution's account; a second factor is set up there.")
        _require_off(conn, row["id"])
    login.require_password(site, viewer, row, password)
    secret = totp.new_secret()
    sealed = totp.seal(site.settings.secrets, row["id"], secret)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # it may have waited for the writer
        _require_off(tx, row["id"])
        _require_permit(tx, site, viewer, setup_code)
        second_factors.begin(tx, row["id"], sealed)
        audit.add(tx, viewer, "user.totp_begin", "user", row["id"])
    return Enrolment(totp.text(secret), totp.address(secret, row["name"], site.settings.server.hostname))


def confirm(site: Site, viewer: Viewer, code: str, setup_code: str = "") -> list[str]:
    """The first code: from now on signing in needs one, and all other sessions of the account end. → recovery codes, shown once.

    Tokens for administration end, too: they were made when the password alone was enough. Raises Problem 409 for a wrong code, 429.
    """
    row = _own(site, viewer)
    with site.db.read() as conn:
        _require_off(conn, row["id"])
        if second_factors.find(conn, row["id"]) is None:
            raise invalid(message="Start over: no app is being set up.")

    def turn_on(tx: sqlite3.Connection, caller: Viewer) -> list[str]:
        """From now on a code is needed. → recovery codes."""
        one_time_links.revoke_of(tx, row["id"], _SETUP)
        second_factors.turn_on(tx, row["id"])
        codes = _new_codes(tx, row["id"])
        sessions.revoke_all(tx, row["id"], but=caller.session_id or "")
        revoked = tokens.revoke_scope(tx, row["id"], "admin")
        audit.add(tx, caller, "user.totp_on", "user", row["id"], tokens=revoked)
        return codes

    def require_permit(tx: sqlite3.Connection, user_id: str) -> None:
        """Raises Problem 409 unless the app may be turned on now."""
        _require_off(tx, user_id)
        _require_permit(tx, site, viewer, setup_code)

    return _with_code(site, viewer, code if totp.is_code(code) else "", require_permit, turn_on)


def offered(conn: sqlite3.Connection, settings: Settings, user_id: str) -> bool:
    """May this account have a second factor here? Not where it signs in at a provider, or at a directory that asks for one itself."""
    identity = managed_accounts.manager(conn, settings, user_id)
    return identity is None or (identity["issuer"] == managed_accounts.LDAP and not settings.ldap.second_factor)


def needs_permit(conn: sqlite3.Connection, settings: Settings, user: sqlite3.Row, session_id: str | None) -> bool:
    """Does setting up an app take a setup code besides the password?

    Where the rights of an administrator wait for a second factor, whoever has the password alone could otherwise take them with an app
    of their own. A session in which a code was given has proved more than that: there, one app replaces another.
    """
    if not user["sysadmin"] or callers.may_administer(conn, settings, user["id"]):
        return False
    session = sessions.get(conn, session_id) if session_id else None
    return session is None or not session.code_given


def permit(site: Site, viewer: Viewer, ref: str) -> str:
    """A setup code for an account, good once and for a day, shown once. Raises Problem 403, 404 or 409."""
    code = totp.new_setup_code()
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # it may have waited for the writer
        row = lookup.user(tx, ref)
        policy.require(viewer, "site:administer")
        _require_off(tx, row["id"])
        if not offered(tx, site.settings, row["id"]):
            raise invalid(
                message=Message("%(name)s signs in elsewhere, and has the second factor there.", name=row["name"])
            )
        one_time_links.create(
            tx, row["id"], _SETUP, totp.setup_hash(row["id"], code), hours=_SETUP_HOURS, session_id=viewer.session_id
        )
        audit.add(tx, viewer, "user.totp_permit", "user", row["id"])
    return code


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
            raise invalid(message=Message("Signing in as %(name)s needs no code.", name=row["name"]))
        sessions.revoke_all(tx, row["id"])
        audit.add(tx, viewer, "user.totp_off", "user", row["id"])


def _own(site: Site, viewer: Viewer) -> sqlite3.Row:
    """The caller's account. Raises Problem 403."""
    if not viewer.user_id or not viewer.session_id:
        raise not_authorized(Message("A second factor can be set up only on one's own account page."))
    with site.db.read() as conn:
        return lookup.user(conn, viewer.user_id)


def _require_permit(conn: sqlite3.Connection, site: Site, viewer: Viewer, setup_code: str) -> None:
    row = lookup.user(conn, viewer.user_id)
    if not needs_permit(conn, site.settings, row, viewer.session_id):
        return
    if one_time_links.user_of(conn, _SETUP, totp.setup_hash(row["id"], setup_code)) != row["id"]:
        raise invalid(
            {
                "setup_code": [
                    "This is no valid setup code. Ask another administrator for a new one (dcor user totp-setup NAME)."
                ]
            }
        )


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
        caller = callers.renewed(tx, site.settings, viewer)  # it may have waited for the writer
        require(tx, user_id)
        right = second_factor.prove(tx, site, caller, code)
        if right and caller.session_id:
            sessions.note_code(tx, caller.session_id)
        found = act(tx, caller) if right else None
    if not right:  # after the commit: the refusal stands in the audit log
        raise invalid({"code": ["The code is wrong or has already been used. Wait for the app's next code."]})
    site.limiter.login_succeeded(user_id, viewer.address)
    return cast("_T", found)


def _new_codes(tx: sqlite3.Connection, user_id: str) -> list[str]:
    codes = totp.new_recovery_codes()
    second_factors.replace_recovery_codes(tx, user_id, [totp.recovery_hash(user_id, one) for one in codes])
    return codes
