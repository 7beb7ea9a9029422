"""The files of a draft: removed, renamed, put in order, one or many, and each change undone."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request

from appliance.actions import draft_files as verbs
from appliance.model import names
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


@bp.get("/dataset/<ref>/files")
@allow("resource:arrange")
def page(ref: str) -> str:
    """The list, with a name and a place for each."""
    row, _facts = load(ref)
    new, old = request.args.get("replaced", ""), request.args.get("was", "")
    current = resources.get(conn(), new)
    removed = site().depot.removed(old)
    if current is None or removed is None or {current["dataset_id"], removed.entry["dataset_id"]} != {row["id"]}:
        return _page(row)
    done = _("%(name)s was replaced.", name=removed.entry["name"])
    return _page(row, done=done, undo=[("do", "exchange"), ("id", new), ("back", old)])


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
            return _page(row, problem=_("First select the files to remove.")), 409
        if what == "bring-back":
            verbs.bring_back(site(), viewer(), row["id"], ids)
            return _page(row, done=ngettext("%(num)s file restored.", "%(num)s files restored.", len(ids)))
        if what == "exchange" and len(ids) == 1:
            back = request.form.get("back", "")
            verbs.exchange(site(), viewer(), row["id"], ids[0], back)
            return _page(
                row, done=_("The earlier file was restored."), undo=[("do", what), ("id", back), ("back", ids[0])]
            )
        if what not in ("save", "sort"):
            raise bad_request("do")
        verbs.arrange(
            site(), viewer(), row["id"], _names(before), _sorted(before) if what == "sort" else _order(before)
        )
    except Problem as problem:
        if problem.status not in (404, 409) or what not in ("save", "sort", "remove", "bring-back", "exchange"):
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
    return [
        file["id"] for file in sorted(files, key=lambda file: names.natural_key(entered.get(file["id"], file["name"])))
    ]


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
        data=_script_data(row["id"]),
        files=[
            {
                "id": file["id"],
                "name": request.form.get(f"name:{file['id']}", file["name"]) if problem else file["name"],
                "stored": file["name"],
                "place": place,
                "suffix": names.suffix(file["name"]) or "",
                "size": show.size(file["size"]),
                "url": f"/dataset/{row['id']}/resource/{file['id']}/edit",
                "error": faults.get(file["id"], ""),
            }
            for place, file in enumerate(files, 1)
        ],
    )


def _script_data(dataset_id: str) -> dict[str, Any]:
    return {
        "dataset": dataset_id,
        "largest": settings().depot.max_upload,
        "words": {
            "sending": _("Uploading, {share}"),
            "hashing": _("Checking"),
            "finishing": _("Finishing"),
            "retrying": _("Connection lost, retrying"),
            "failed": _("Failed: {reason}"),
            "suffix": _("Choose a file ending in {suffix}."),
            "empty": _("The file is empty."),
            "large": _("The file is larger than the server accepts."),
            "leave": _("Files are still uploading."),
        },
    }
