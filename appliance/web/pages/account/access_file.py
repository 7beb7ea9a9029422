"""Access files for DCOR-Aid: the passphrase is shown first, then the file that it opens is made and downloaded."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, make_response, request
from werkzeug.wrappers import Response

from appliance.actions import access_files
from appliance.model.problem import Problem, not_authorized
from appliance.security import access_file
from appliance.web.pages.account.tokens import owner
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import render

bp = Blueprint("access_file", __name__)


def _allowed(name: str) -> sqlite3.Row:
    row = owner(name)
    if not settings().policy.own_access_files and not viewer().sysadmin:
        raise not_authorized(_("Only administrators can create access files."))
    return row


@bp.get("/user/<name>/access-file")
@allow("token:manage")
def page(name: str) -> Response:
    """A fresh passphrase, and the button that makes the file."""
    return _page(_allowed(name), access_file.new_passphrase(), {})


def _page(row: sqlite3.Row, passphrase: str, errors: dict[str, str]) -> Response:
    own = row["id"] == viewer().user_id
    response = make_response(
        render(
            "account/access-file.html",
            title=_("Access file for DCOR-Aid"),
            shown=row["fullname"] or row["name"],
            passphrase=passphrase,
            action=f"/user/{row['name']}/access-file",
            back=f"/user/{row['name']}/api-tokens" if own else f"/admin/users/{row['name']}",
            errors=errors,
            days=access_files.EXPIRES.days,
            first_use=access_files.FIRST_USE.days,
        )
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/user/<name>/access-file")
@allow("token:manage")
def make(name: str) -> Any:
    """Make the file with a new token in it, encrypted with the passphrase that was shown."""
    row = _allowed(name)
    passphrase = request.form.get("passphrase", "")
    try:
        made = access_files.make(site(), viewer(), row["name"], passphrase=passphrase)
    except Problem as problem:
        if problem.status != 409:
            raise
        response = _page(row, access_file.new_passphrase(), messages(problem))
        response.status_code = 409
        return response
    headers = {"Content-Disposition": f'attachment; filename="{made.file_name}"', "Cache-Control": "no-store"}
    return Response(made.data, content_type="application/octet-stream", headers=headers)
