"""Signing in and out with a password, and how many attempts are allowed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import NoReturn

from appliance.actions import directory_login, managed_accounts, second_factor
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_authorized
from appliance.model.viewer import Viewer
from appliance.security import passwords, session_cookies, tokens
from appliance.store import audit, identities, one_time_links, second_factors, sessions, users

#: Purpose of the one-time secret between password and code, and how long there is for it [h].
SECOND_STEP = "sign-in"
_SECOND_STEP_HOURS = 1 / 6


class TooManyAttempts(Problem):
    """429: too many passwords were tried for an account or from an address. `wait` [s] until the next may be."""

    wait: int

    def __init__(self, wait: int) -> None:
        super().__init__(429, "Too Many Requests", message=f"Too many attempts. Try again in {wait} s.")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class SecondStep:
    """The password was right, and a code is needed: `finish` takes it with this secret, within ten minutes."""

    secret: str = field(repr=False)


def sign_in(site: Site, name: str, password: str, *, address: str = "", agent: str = "") -> str | SecondStep | None:
    """Check a password and start a session; returns the cookie's value, None for a wrong name or password (which of both, nobody learns).

    Where the account has a second factor no session is started: returns what `finish` needs.

    An account here is asked first, then the directory, if there is one. Raises TooManyAttempts, `ldap.DirectoryAway` (503) when
    the directory would have to say, and `directory_accounts.NotAdmitted` (403) for who proved who they are and may not sign in.
    """
    name = name.strip()
    with site.db.read() as conn:
        row = users.find(conn, name.lower()) or users.by_email(conn, name) or directory_login.known(conn, name)
    account = str(row["id"]) if row is not None else name
    count_attempt(site, account, address)
    known = str(row["id"]) if row is not None else ""
    usable = row is not None and row["state"] == "active"
    verdict = passwords.verify(row["password"] if row is not None and usable else None, password)
    if row is None or not verdict.ok:
        row = directory_login.prove(site, name, password, row, address=address)
    rehashed = passwords.hash_password(password) if verdict.rehash else None
    with site.db.write() as tx:
        if row is None or not _is_as_proved(tx, row):
            audit.add(tx, Viewer(address=address), "session.refused", "user", known)
            return None
        if rehashed:
            users.set_password(tx, row["id"], rehashed)
        if second_factors.is_on(tx, row["id"]):  # the attempt stays counted until the code was right
            return _second_step(tx, row["id"])
        viewer = Viewer(user_id=row["id"], name=row["name"], address=address)
        cookie, _session_id = begin_session(site, tx, viewer, agent=agent)
    site.limiter.login_succeeded(account, address)
    return cookie


def finish(site: Site, secret: str, code: str, *, address: str = "", agent: str = "") -> str | None:
    """The second step: a code of the app, or a recovery code. → the cookie's value of a new session, None for a wrong code.

    Raises Problem 404 when the first step is too long ago, TooManyAttempts, `second_factor.TooManyCodes`.
    """
    hash_ = tokens.token_hash(secret)
    with site.db.read() as conn:
        user_id = one_time_links.user_of(conn, SECOND_STEP, hash_) or _begin_again()
    count_attempt(site, user_id, address)
    with site.db.write() as tx:
        row = users.find(tx, one_time_links.user_of(tx, SECOND_STEP, hash_) or _begin_again())
        if row is None or row["state"] != "active":
            _begin_again()
        viewer = Viewer(user_id=row["id"], name=row["name"], address=address)
        if not second_factor.prove(tx, site, viewer, code):
            return None
        one_time_links.use(tx, SECOND_STEP, hash_)
        cookie, _session_id = begin_session(site, tx, viewer, agent=agent, code_given=True)
    site.limiter.login_succeeded(user_id, address)
    return cookie


def start_session(site: Site, viewer: Viewer, *, agent: str = "") -> str:
    """Start a session for somebody who has just proved who they are; returns the cookie's value."""
    with site.db.write() as tx:
        return begin_session(site, tx, viewer, agent=agent)[0]


def begin_session(
    site: Site, tx: sqlite3.Connection, viewer: Viewer, *, agent: str, code_given: bool = False
) -> tuple[str, str]:
    """The same in the transaction that has seen the proof: (the cookie's value, id of the session).

    Raises Problem 403 for an account that is not active any more.
    """
    cookie, hash_ = session_cookies.new_session()
    user_id, hours = str(viewer.user_id), site.settings.web.session_hours
    row = users.find(tx, user_id)
    if row is None or row["state"] != "active":
        raise not_authorized(Message("The account is no longer active."))
    session_id = sessions.create(
        tx, user_id, hash_, hours=hours, address=viewer.address, agent=agent, code_given=code_given
    )
    users.seen(tx, user_id)
    audit.add(tx, viewer, "session.start", "user", user_id)
    return cookie, session_id


def sign_out(site: Site, viewer: Viewer, cookie: str) -> None:
    """End the session of a cookie."""
    with site.db.write() as tx:
        session = sessions.find(tx, session_cookies.session_hash(cookie))
        if session is not None:
            sessions.revoke(tx, session.user_id, session.id)
            audit.add(tx, viewer, "session.end", "user", session.user_id)


def count_attempt(site: Site, account: str, address: str) -> None:
    """Count one attempt at a password, before it is checked. Raises TooManyAttempts."""
    wait = site.limiter.login_attempt(account, address)
    if wait:
        raise TooManyAttempts(wait)


def require_password(site: Site, viewer: Viewer, row: sqlite3.Row, given: str) -> None:
    """Raises Problem 409 when `given` is not the user's password, TooManyAttempts: a borrowed session guesses no more often than a stranger.

    The password of somebody who signs in with the directory is the directory's. Raises `ldap.DirectoryAway` then.
    """
    count_attempt(site, row["id"], viewer.address)
    with site.db.read() as conn:
        identity = managed_accounts.manager(conn, site.settings, row["id"])
    if identity is not None and identity["issuer"] == managed_accounts.LDAP:
        right = directory_login.is_password_of(site, identity, given)
    else:
        right = passwords.verify(row["password"], given).ok
    if not right:
        raise invalid({"old_password": ["The present password is not right"]})
    site.limiter.login_succeeded(row["id"], viewer.address)


def _is_as_proved(tx: sqlite3.Connection, proved: sqlite3.Row) -> bool:
    """Is the account still what the password was checked against? That may have waited for a directory, and for the writer."""
    row = users.find(tx, proved["id"])
    if row is None or row["state"] != "active" or row["password"] != proved["password"]:
        return False
    return row["password"] is not None or identities.of_user(tx, row["id"]) is not None


def _second_step(tx: sqlite3.Connection, user_id: str) -> SecondStep:
    """Note that the password was right; the secret is good for one session."""
    secret, hash_, _ = tokens.new_token()
    one_time_links.create(tx, user_id, SECOND_STEP, hash_, hours=_SECOND_STEP_HOURS)
    return SecondStep(secret)


def _begin_again() -> NoReturn:
    raise Problem(
        404,
        "Not Found Error",
        message=Message("Signing in took too long. Start again with your user name and password."),
    )
