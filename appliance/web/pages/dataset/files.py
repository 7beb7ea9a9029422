"""The files of a draft: removed, renamed, put in order, one or many, and each change undone."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from flask import Blueprint, request

from appliance.actions import draft_files as verbs
from appliance.model.problem import Problem, bad_request, not_found
from appliance.store import resources
from appliance.web.pages.dataset.manage import frame
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.forms import joined
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.problem_texts import translated
from appliance.web.pages.frame.render import render

bp = Blueprint("draft_files", __name__)
_DIGITS = re.compile(r"(\d+)")


@bp.get("/dataset/<ref>/files")
@allow("resource:arrange")
def page(ref: str) -> str:
    """The list, with a name and a place for each."""
    row, _facts = load(ref)
    return _page(row)


@bp.post("/dataset/<ref>/files")
@allow("resource:arrange")
def change(ref: str) -> Any:
    """Do what the pressed button says, and offer to undo it."""
    row, _facts = load(ref)
    before = resources.of_dataset(conn(), row["id"])
    what, ids = request.form.get("do", ""), request.form.getlist("id")
    try:
        if what == "remove" and ids:
            verbs.remove(site(), viewer(), row["id"], ids)
            done = ngettext("%(num)s file removed.", "%(num)s files removed.", len(ids))
            return _page(row, done=done, undo=[("do", "bring-back"), *(("id", one) for one in ids)])
        if what == "remove":
            return _page(row, problem=_("Tick the files to remove first.")), 409
        if what == "bring-back":
            verbs.bring_back(site(), viewer(), row["id"], ids)
            return _page(row, done=ngettext("%(num)s file restored.", "%(num)s files restored.", len(ids)))
        if what not in ("save", "sort"):
            raise bad_request("do")
        verbs.arrange(
            site(), viewer(), row["id"], _names(before), _sorted(before) if what == "sort" else _order(before)
        )
    except Problem as problem:
        if problem.status not in (404, 409) or what not in ("save", "sort", "remove", "bring-back"):
            raise
        text = translated(problem.message) if problem.message else _("Some values are invalid; see below.")
        faults = {key: joined(value) for key, value in problem.fields.items()}
        if "name" in faults:
            text = faults.pop("name")
        return _page(row, problem=text, faults=faults), problem.status
    undo = [("do", "save")]
    for place, file in enumerate(before, 1):
        undo += [(f"name:{file['id']}", file["name"]), (f"place:{file['id']}", str(place))]
    return _page(row, done=_("Saved."), undo=undo)


def _names(files: list[sqlite3.Row]) -> dict[str, str]:
    return {
        file["id"]: request.form[f"name:{file['id']}"].strip() for file in files if f"name:{file['id']}" in request.form
    }


def _order(files: list[sqlite3.Row]) -> list[str]:
    """By the numbers entered: a file that was moved takes exactly the place that it was given."""

    def place(pair: tuple[int, sqlite3.Row]) -> tuple[int, int, int]:
        """Sort key: the wanted position, then the direction of the move, then the present position."""
        at, file = pair
        entered = request.form.get(f"place:{file['id']}", "").strip()
        wanted = int(entered) if entered.isdecimal() and len(entered) < 7 else at
        return wanted, (wanted > at) - (wanted < at), at

    return [file["id"] for _at, file in sorted(enumerate(files, 1), key=place)]


def _sorted(files: list[sqlite3.Row]) -> list[str]:
    """By name, with numbers in it by their value: 1, 2, 10."""
    entered = _names(files)

    def key(file: sqlite3.Row) -> list[tuple[int, int, str]]:
        """Sort key: the name's runs of digits as numbers, the rest as text."""
        parts = _DIGITS.split(entered.get(file["id"], file["name"]).casefold())
        return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part]

    return [file["id"] for file in sorted(files, key=key)]


def _page(
    row: sqlite3.Row,
    *,
    done: str = "",
    undo: list[tuple[str, str]] | None = None,
    problem: str = "",
    faults: dict[str, str] | None = None,
) -> str:
    if row["state"] != "draft":
        raise not_found()
    files, faults = resources.of_dataset(conn(), row["id"]), faults or {}
    return render(
        "dataset/files.html",
        **frame(row, _("Manage files")),
        said=done,
        undo=undo or [],
        problem=problem,
        upload=settings().web.browser_upload,
        files=[
            {
                "id": file["id"],
                "name": request.form.get(f"name:{file['id']}", file["name"]) if problem else file["name"],
                "stored": file["name"],
                "place": place,
                "size": show.size(file["size"]),
                "url": f"/dataset/{row['id']}/resource/{file['id']}/edit",
                "error": faults.get(file["id"], ""),
            }
            for place, file in enumerate(files, 1)
        ],
    )
