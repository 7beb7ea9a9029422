"""Signing in and out with a password, and how many attempts are allowed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import NoReturn

from appliance.actions import directory_login, second_factor
from appliance.actions.site import Site
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import Viewer
from appliance.security import passwords, session_cookies, tokens
from appliance.store import audit, one_time_links, second_factors, sessions, users

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
    if row is None:
        with site.db.write() as tx:
            audit.add(tx, Viewer(address=address), "session.refused", "user", known)
        return None
    if verdict.rehash:
        renewed = passwords.hash_password(password)
        with site.db.write() as tx:
            users.set_password(tx, row["id"], renewed)
    with site.db.read() as conn:
        needs_code = second_factors.is_on(conn, row["id"])
    if needs_code:  # the attempt stays counted until the code was right
        return _second_step(site, row["id"])
    site.limiter.login_succeeded(account, address)
    return start_session(site, Viewer(user_id=row["id"], name=row["name"], address=address), agent=agent)


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
        cookie, _session_id = begin_session(site, tx, viewer, agent=agent)
    site.limiter.login_succeeded(user_id, address)
    return cookie


def start_session(site: Site, viewer: Viewer, *, agent: str = "") -> str:
    """Start a session for somebody who has just proved who they are; returns the cookie's value."""
    with site.db.write() as tx:
        return begin_session(site, tx, viewer, agent=agent)[0]


def begin_session(site: Site, tx: sqlite3.Connection, viewer: Viewer, *, agent: str) -> tuple[str, str]:
    """The same in the transaction that has seen the proof: (the cookie's value, id of the session)."""
    cookie, hash_ = session_cookies.new_session()
    user_id, hours = str(viewer.user_id), site.settings.web.session_hours
    session_id = sessions.create(tx, user_id, hash_, hours=hours, address=viewer.address, agent=agent)
    users.seen(tx, user_id)
    audit.add(tx, viewer, "session.start", "user", user_id)
    return cookie, session_id


def sign_out(site: Site, viewer: Viewer, cookie: str) -> None:
    """End the session of a cookie."""
    with site.db.write() as tx:
        session = sessions.find(tx, session_cookies.session_hash(cookie))
        if session is not None:
            sessions.revoke(tx, session["user_id"], session["id"])
            audit.add(tx, viewer, "session.end", "user", session["user_id"])


def count_attempt(site: Site, account: str, address: str) -> None:
    """Count one attempt at a password, before it is checked. Raises TooManyAttempts."""
    wait = site.limiter.login_attempt(account, address)
    if wait:
        raise TooManyAttempts(wait)


def require_password(site: Site, viewer: Viewer, row: sqlite3.Row, given: str) -> None:
    """Raises Problem 409 when `given` is not the user's password, TooManyAttempts: a borrowed session guesses no more often than a stranger."""
    count_attempt(site, row["id"], viewer.address)
    if not passwords.verify(row["password"], given).ok:
        raise invalid({"old_password": ["The present password is not right"]})
    site.limiter.login_succeeded(row["id"], viewer.address)


def _second_step(site: Site, user_id: str) -> SecondStep:
    """Note that the password was right; the secret is good for one session."""
    secret, hash_, _ = tokens.new_token()
    with site.db.write() as tx:
        one_time_links.create(tx, user_id, SECOND_STEP, hash_, hours=_SECOND_STEP_HOURS)
    return SecondStep(secret)


def _begin_again() -> NoReturn:
    raise Problem(
        404, "Not Found Error", message="Signing in took too long. Start again with your user name and password."
    )
