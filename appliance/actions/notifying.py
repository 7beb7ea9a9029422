"""Notifications: shown on the page immediately, mailed by the job `notify` according to the user's choice."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby

from appliance.actions import callers, mailing
from appliance.actions.site import Site
from appliance.model import notices, times
from appliance.model.problem import Problem, bad_request
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.settings import Settings
from appliance.store import following, notifications, users
from appliance.store.database import Database

_KEPT = timedelta(days=90)
#: Refused mails after which the others wait for the next call.
_PATIENCE = 5


def changed(tx: sqlite3.Connection, viewer: Viewer, dataset_id: str, earlier_id: str | None = None) -> None:
    """Notify the followers of a dataset, and of its previous version (`earlier_id`), of a change by another user."""
    followers = {
        row["id"] for one in (dataset_id, earlier_id) if one for row in following.followers(tx, "dataset", one)
    }
    for user_id in sorted(followers - {viewer.user_id}):
        notifications.add(tx, user_id, "changed", dataset_id, viewer.user_id)


def look(site: Site, viewer: Viewer, until: int) -> None:
    """Mark the caller's notifications up to this one as read."""
    policy.require(viewer, "notification:change")
    with site.db.write() as tx:
        notifications.look(tx, viewer.user_id or "", until)


def choose(site: Site, viewer: Viewer, chosen: Mapping[str, tuple[bool, str]], language: str) -> None:
    """Set the caller's preferences: kind → (on the page?, "off", "soon" or "daily" by mail). Raises Problem 400."""
    policy.require(viewer, "notification:change")
    if not chosen.keys() <= set(notices.KINDS) or not {mail for _page, mail in chosen.values()} <= set(notices.MAIL):
        raise bad_request("kind, mail")
    with site.db.write() as tx:
        for kind, (page, mail) in chosen.items():
            notifications.choose(tx, viewer.user_id or "", kind, page=page, mail=mail, language=language)


def tell_of_uploads(db: Database) -> int:
    """Notify uploaders whose jobs have all ended. → notifications"""
    with db.read() as conn:
        last, ended = notifications.checked_uploads(conn)
    with db.write() as tx:
        if last is not None:
            notifications.note_checked(tx, last)
        for row in ended:
            if row["failed"]:
                notifications.add(tx, row["user_id"], "failed", row["dataset_id"], None, row["failed"])
            else:
                notifications.add(tx, row["user_id"], "checked", row["dataset_id"], None, row["files"])
        notifications.forget(tx, times.ahead(-_KEPT))
    return len(ended)


def _permitted(db: Database, settings: Settings, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """Those of one person's notifications whose dataset they may still see; the others are settled without a mail."""
    with db.read() as conn:
        user = users.find(conn, rows[0]["user_id"])
        reader = callers.of_user(conn, settings, user, scope="read") if user is not None else Viewer()
        hidden = notifications.without_right(conn, reader, [row["id"] for row in rows])
    if hidden:
        with db.write() as tx:
            notifications.mailed(tx, sorted(hidden))
    return [row for row in rows if row["id"] not in hidden]


def send_mails(db: Database, settings: Settings) -> int:
    """Send due mails, one per person; what the mail server refuses waits for the next call. → mails sent"""
    if not settings.mail.server:
        return 0
    with db.read() as conn:
        due = notifications.unmailed(conn, times.ahead(-timedelta(days=1)))
    sent = refused = 0
    for (_user_id, email, language), group in groupby(
        due, key=lambda row: (row["user_id"], row["email"], row["language"])
    ):
        rows = _permitted(db, settings, list(group))
        if not rows:
            continue
        entries = [(row["kind"], row["dataset_id"]) for row in rows]
        subject, text = notices.mail(language, settings.server.hostname, settings.site_url, entries)
        try:
            mailing.send(
                settings.mail, email, subject, text, password=mailing.login_password(settings.secrets, settings.mail)
            )
        except Problem:  # the address is refused, or the server is unavailable; the digest of alarms reports that
            refused += 1
            if refused == _PATIENCE:
                return sent
            continue
        with db.write() as tx:
            notifications.mailed(tx, [row["id"] for row in rows])
        sent += 1
    return sent
