"""One's own profile, password and sessions."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Blueprint, g, request
from werkzeug.wrappers import Response

from appliance.actions import accounts, callers, login, managed_accounts
from appliance.model.problem import Problem
from appliance.security import policy, session_cookies
from appliance.store import audit, datasets, pseudonyms, sessions
from appliance.web.pages.account import frame as account
from appliance.web.pages.account.tokens import owner
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, settings, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("profile", __name__)


@bp.get("/user/<name>")
@bp.get("/user/edit/<name>")
@allow("user:read")
def page(name: str) -> str:
    """The profile and the password form."""
    return _page(owner(name))


def _page(row: sqlite3.Row, values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    return render(
        "account/profile.html",
        title=_("Profile"),
        **account.frame(row, "profile"),
        values=values or {"fullname": row["fullname"], "email": row["email"], "about": row["about"]},
        errors=errors or {},
        own=row["id"] == viewer().user_id,
        managed=_("Name, e-mail address and password of this account come from your institution and are changed there.")
        if managed_accounts.manager(conn(), settings(), row["id"]) is not None
        else "",
        facts=[
            {"name": _("User name"), "text": row["name"]},
            {"name": "ID", "text": row["id"]},
            {"name": _("Created"), "text": show.date(row["created"])},
            {"name": _("Last active"), "text": show.ago(row["last_active"])},
        ],
    )


@bp.post("/user/<name>")
@allow("user:update")
def save(name: str) -> Any:
    """Change name, address, text."""
    row = owner(name)
    values = {key: request.form.get(key, "").strip() for key in ("fullname", "email", "about")}
    try:
        accounts.update(site(), viewer(), row["id"], values)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(row, values, messages(problem)), 409
    return back_to(f"/user/{row['name']}", done="saved")


@bp.post("/user/<name>/password")
@allow("user:update")
def password(name: str) -> Any:
    """Change the password; all sessions end, this browser gets a new one."""
    row = owner(name)
    new = request.form.get("password", "")
    if new != request.form.get("again", ""):
        return _page(row, errors={"again": _("The two passwords do not match.")}), 409
    try:
        accounts.change_password(
            site(),
            viewer(),
            row["id"],
            new,
            old=request.form.get("old", ""),
            revoke_tokens="revoke_tokens" in request.form,
        )
    except login.TooManyAttempts as problem:
        wait = _("Too many attempts. Try again in %(time)s.", time=show.duration(problem.wait))
        return _page(row, errors={"old_password": wait}), 429
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(row, errors=messages(problem)), 409
    if row["id"] == viewer().user_id:
        cookie = login.start_session(site(), viewer(), agent=request.headers.get("User-Agent", ""))
        g.cookie = session_cookies.set_cookie(cookie)
    return back_to(f"/user/{row['name']}", done="password")


@bp.get("/user/<name>/sessions")
@allow("user:read")
def session_list(name: str) -> str:
    """Where one is signed in."""
    row = owner(name)
    present = _present()
    return render(
        "account/sessions.html",
        title=_("Sessions"),
        **account.frame(row, "sessions"),
        sessions=[
            {
                "id": one.id,
                "agent": agent_words(one.agent),
                "address": one.address,
                "created": show.local(one.created),
                "seen": show.ago(one.last_seen),
                "present": one.id == present,
                "end": f"/user/{row['name']}/sessions/{one.id}/end",
            }
            for one in sessions.of_user(conn(), row["id"])
        ],
    )


def _present() -> str:
    cookie = request.cookies.get(session_cookies.COOKIE)
    found = sessions.find(conn(), session_cookies.session_hash(cookie)) if cookie else None
    return found.id if found is not None else ""


def agent_words(agent: str) -> str:
    """Browser and system out of a user agent, as far as they can be told."""
    browser = next(
        (
            name
            for mark, name in (
                ("Edg/", "Edge"),
                ("OPR/", "Opera"),
                ("Firefox/", "Firefox"),
                ("Chrome/", "Chrome"),
                ("Safari/", "Safari"),
            )
            if mark in agent
        ),
        "",
    )
    system = next(
        (
            name
            for mark, name in (
                ("Windows", "Windows"),
                ("Android", "Android"),
                ("iPhone", "iOS"),
                ("iPad", "iPadOS"),
                ("Mac OS", "macOS"),
                ("Linux", "Linux"),
            )
            if mark in agent
        ),
        "",
    )
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or agent[:60] or _("unknown program")


@bp.post("/user/<name>/sessions/<session_id>/end")
@allow("user:update")
def end_session(name: str, session_id: str) -> Any:
    """Sign out elsewhere."""
    row = owner(name)
    asked = question(
        _("End this session?"),
        _(
            "The browser of this session is signed out immediately; uploads running in it stop and can be resumed after signing in."
        ),
        _("End session"),
        back=f"/user/{row['name']}/sessions",
    )
    if asked:
        return asked
    with context().db.write() as tx:
        sessions.revoke(tx, row["id"], session_id)
        audit.add(tx, viewer(), "session.revoke", "user", row["id"], session=session_id)
    return back_to(f"/user/{row['name']}/sessions", done="session-ended")


@bp.get("/user/<name>/everything.json")
@allow("user:read")
def everything(name: str) -> Response:
    """All that is stored about a person, for that person (Art. 15 GDPR)."""
    row = owner(name)
    person = callers.of_user(conn(), settings(), row, scope="write")

    def sees(dataset_id: str) -> bool:
        """May the person (not the administrator who asks for them) see this dataset?"""
        return policy.may(person, "dataset:read", datasets.facts(conn(), dataset_id))

    text = json.dumps(pseudonyms.everything(conn(), row, sees), ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": f'attachment; filename="{row["name"]}.json"', "Cache-Control": "no-store"}
    return Response(text, content_type="application/json", headers=headers)
