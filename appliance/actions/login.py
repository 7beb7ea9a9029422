"""Signing in and out with a password, and how many attempts are allowed."""

from __future__ import annotations

import sqlite3

from appliance.actions import directory_login
from appliance.actions.site import Site
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import Viewer
from appliance.security import passwords, session_cookies
from appliance.store import audit, sessions, users


class TooManyAttempts(Problem):
    """429: too many passwords were tried for an account or from an address. `wait` [s] until the next may be."""

    wait: int

    def __init__(self, wait: int) -> None:
        super().__init__(429, "Too Many Requests", message=f"Too many attempts. Try again in {wait} s.")
        self.wait = wait


def sign_in(site: Site, name: str, password: str, *, address: str = "", agent: str = "") -> str | None:
    """Check a password and start a session; returns the cookie's value, None for a wrong name or password (which of both, nobody learns).

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
    site.limiter.login_succeeded(account, address)
    if verdict.rehash:
        renewed = passwords.hash_password(password)
        with site.db.write() as tx:
            users.set_password(tx, row["id"], renewed)
    return start_session(site, Viewer(user_id=row["id"], name=row["name"], address=address), agent=agent)


def start_session(site: Site, viewer: Viewer, *, agent: str = "") -> str:
    """Start a session for somebody who has just proved who they are; returns the cookie's value."""
    cookie, hash_ = session_cookies.new_session()
    user_id = str(viewer.user_id)
    hours = site.settings.web.session_hours
    with site.db.write() as tx:
        sessions.create(tx, user_id, hash_, hours=hours, address=viewer.address, agent=agent)
        users.seen(tx, user_id)
        audit.add(tx, viewer, "session.start", "user", user_id)
    return cookie


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
