"""Supplementary metadata of all measurements of a draft in one table: edited like a spreadsheet, or sent as CSV.

Every way of saving sends `changes`: resource id → field → [value that the reader saw, new value]. Only these are written,
and none if somebody else has changed one of them meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import supplement_edits as verbs
from appliance.model import supplement_table as csv_table
from appliance.model import supplements as schema
from appliance.model.problem import Problem, bad_request, not_found
from appliance.model.values import decoded
from appliance.store import resources
from appliance.web.pages.dataset import supplements
from appliance.web.pages.dataset.manage import frame
from appliance.web.pages.dataset.overwriting import is_measurement
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, release, settings, site, viewer
from appliance.web.pages.frame.forms import joined
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import language, ngettext
from appliance.web.pages.frame.problem_texts import translated
from appliance.web.pages.frame.render import render

bp = Blueprint("supplement_sheet", __name__)
_SHOWN = 200
Cells = dict[str, dict[str, list[str]]]


@bp.get("/dataset/<ref>/supplements")
@allow("dataset:update")
def page(ref: str) -> str:
    """The table."""
    row, _facts = load(ref)
    return _page(row)


@bp.get("/dataset/<ref>/supplements.csv")
@allow("dataset:update")
def download(ref: str) -> Response:
    """The table as CSV, with the separator and decimal sign that the reader's spreadsheet program expects."""
    row, _facts = load(ref)
    _require_draft(row)
    german = language() == "de"
    fields = _fields()
    lines: list[list[object]] = [[csv_table.FILE, *(field["key"].removeprefix("sp:") for field in fields)]]
    for file in _measurements(row):
        stored = _stored(file)
        lines.append([file["name"], *(_cell(stored.get(field["key"]), german=german) for field in fields)])
    return Response(
        csv_table.written(lines, ";" if german else ","),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{row["name"]}-supplements.csv"'},
    )


def _cell(value: Any, *, german: bool) -> object:
    if isinstance(value, float):
        return _Number(repr(value).replace(".", ",") if german else repr(value))
    return _Number(value) if isinstance(value, int) and not isinstance(value, bool) else supplements.form_text(value)


class _Number:
    """A number in a cell: no formula, whatever its sign."""

    def __init__(self, text: object) -> None:
        self._text = str(text)

    def __str__(self) -> str:
        return self._text


@bp.post("/dataset/<ref>/supplements")
@allow("dataset:update")
def save(ref: str) -> Any:
    """Write changed cells, or show what a table that was sent would change."""
    row, _facts = load(ref)
    _require_draft(row)
    by_script = request.accept_mimetypes.best == "application/json"
    if "changes" not in request.form:
        return _summary_of_table(row)
    changes = _sent_changes()
    try:
        count = verbs.write(
            site(),
            viewer(),
            row["id"],
            {one: {key: _typed(key, new) for key, (_old, new) in cells.items()} for one, cells in changes.items()},
            {one: {key: old for key, (old, _new) in cells.items()} for one, cells in changes.items()},
        )
    except Problem as problem:
        if problem.status != 409 or not problem.fields:
            raise
        faults = _faults(problem)
        if by_script:
            return {"faults": faults}, 409
        return _page(row, problem=_("Nothing was saved."), faults=_named(row, faults)), 409
    if by_script:
        return {"saved": count}
    release()  # what follows shows what was written
    back = {one: {key: [new, old] for key, (old, new) in cells.items()} for one, cells in changes.items()}
    return _page(
        row,
        said=ngettext("%(num)s file changed.", "%(num)s files changed.", count),
        undo="" if not count else json.dumps(back),
    )


def _sent_changes() -> Cells:
    try:
        found = decoded(request.form["changes"])
    except ValueError as error:
        raise bad_request("changes") from error
    if not isinstance(found, dict) or not all(
        isinstance(cells, dict)
        and all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
            for pair in cells.values()
        )
        for cells in found.values()
    ):
        raise bad_request("changes")
    allowed = {field["key"] for field in _fields()}
    if not {key for cells in found.values() for key in cells} <= allowed:
        raise bad_request("changes")
    return found


def _typed(key: str, text: str) -> str:
    return (
        supplements.entered(settings().policy.supplements, {key: text})[key] if key.startswith("sp:") else text.strip()
    )


def _summary_of_table(row: sqlite3.Row) -> Any:
    """What a table would change, value by value, before anything is written."""
    upload = request.files.get("file")
    text = csv_table.decoded(upload.read()) if upload else ""
    text = text or request.form.get("table", "")
    files = _measurements(row)
    try:
        given = csv_table.entered(text, {file["name"]: file["id"] for file in files}, _headings())
        changes = _differing(files, given)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page(
            row,
            problem=translated(problem.message or _("Some values are invalid; see below.")),
            faults=_named(row, _faults(problem)) if problem.fields else [],
            table=text,
        ), 409
    if not changes:
        return _page(row, said=_("The table matches what is stored. Nothing was changed."))
    names = {file["id"]: file["name"] for file in files}
    lines = [(names[one], key, old, new) for one, cells in changes.items() for key, (old, new) in cells.items()]
    lost = sum(1 for _name, _key, old, _new in lines if old)
    return render(
        "dataset/supplements-summary.html",
        **frame(row, _("Save these values?")),
        files_text=ngettext("%(num)s file", "%(num)s files", len(changes)),
        lost_text=ngettext("%(num)s value will be overwritten", "%(num)s values will be overwritten", lost),
        values_text=ngettext("%(num)s value will be written", "%(num)s values will be written", len(lines)),
        lost=lost,
        lines=[
            {"file": name, "field": _label(key), "old": old or _("(empty)"), "new": new or _("(empty)")}
            for name, key, old, new in sorted(lines, key=lambda line: not line[2])[:_SHOWN]
        ],
        more=max(0, len(lines) - _SHOWN),
        changes=json.dumps(changes),
    )


def _differing(files: list[sqlite3.Row], given: Mapping[str, Mapping[str, str]]) -> Cells:
    """The cells of a table that say something else than what is stored. Raises Problem 409 with the faults by file and field."""
    which, found = settings().policy.supplements, Cells()
    faults: dict[str, dict[str, Any]] = {}
    for file in files:
        stored = _stored(file)
        for key, text in given.get(file["id"], {}).items():
            value: Any = text
            if key.startswith("sp:"):
                try:
                    value = schema.parse(which, key, _typed(key, text))
                except Problem as problem:
                    faults.setdefault(file["id"], {}).update(problem.fields)
                    continue
            if (value if value is not None else "") != stored.get(key, ""):
                old = supplements.form_text(stored.get(key))
                found.setdefault(file["id"], {})[key] = [old, supplements.form_text(value)]
    if faults:
        raise Problem(409, "Validation Error", faults)
    return found


def _headings() -> dict[str, str]:
    """Field by heading: its key with or without ``sp:``, or its name in the reader's language with its section."""
    found = {}
    for field in _fields():
        key = field["key"]
        for heading in (key, key.removeprefix("sp:"), f"{field['section']}: {field['label']}"):
            found[heading.casefold()] = key
    return found


def _label(key: str) -> str:
    return next((f"{field['section']}: {field['label']}" for field in _fields() if field["key"] == key), key)


def _faults(problem: Problem) -> dict[str, dict[str, str]]:
    """What is wrong, by file and field, in the reader's language."""
    return {one: {key: joined(value) for key, value in fields.items()} for one, fields in problem.fields.items()}


def _named(row: sqlite3.Row, faults: Mapping[str, Mapping[str, str]]) -> list[str]:
    names = {file["id"]: file["name"] for file in _measurements(row)}
    lines = [
        f"{names.get(one, one)}, {_label(key)}: {text}" for one, cells in faults.items() for key, text in cells.items()
    ]
    return lines[:_SHOWN] + ([_("and %(count)s more", count=len(lines) - _SHOWN)] if len(lines) > _SHOWN else [])


def _measurements(row: sqlite3.Row) -> list[sqlite3.Row]:
    return [file for file in resources.of_dataset(conn(), row["id"]) if is_measurement(file)]


def _stored(file: sqlite3.Row) -> dict[str, Any]:
    found: dict[str, Any] = {"description": file["description"] or ""}
    found.update(json.loads(file["supplements"]))
    return found


def _fields() -> list[dict[str, Any]]:
    """The columns: the description, then the schema's fields."""
    found: list[dict[str, Any]] = [
        {"key": "description", "label": _("Description"), "section": _("File"), "kind": "text"}
    ]
    for section in supplements.form(settings().policy.supplements):
        found += [field | {"section": section["title"]} for field in section["fields"]]
    return found


def _require_draft(row: sqlite3.Row) -> None:
    if row["state"] != "draft":
        raise not_found()


def _page(
    row: sqlite3.Row,
    *,
    said: str = "",
    undo: str = "",
    problem: str = "",
    faults: list[str] | None = None,
    table: str = "",
) -> str:
    _require_draft(row)
    fields, files = _fields(), _measurements(row)
    sections: list[dict[str, Any]] = []
    for field in fields:
        if not sections or sections[-1]["title"] != field["section"]:
            sections.append({"title": field["section"], "count": 0})
        sections[-1]["count"] += 1
        field["place"] = len(sections) - 1
    which = settings().policy.supplements
    lines = []
    for file in files:
        stored, cells = _stored(file), []
        for field in fields:
            raw = supplements.form_text(stored.get(field["key"]))
            shown = (
                supplements.choice(stored[field["key"]], supplements.item_of(which, field["key"]))
                if raw and field.get("choices")
                else raw
            )
            cells.append({"text": shown, "raw": raw if shown != raw else ""})
        lines.append({"id": file["id"], "name": file["name"], "cells": cells})
    return render(
        "dataset/supplements.html",
        **frame(row, _("Supplementary metadata")),
        fields=fields,
        sections=sections,
        lines=lines,
        said=said,
        undo=undo,
        problem=problem,
        faults=faults or [],
        table=table,
        data={"columns": [_column(field) for field in fields], "words": _words()},
    )


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    choices = [[one["value"], one["text"]] for one in field.get("choices", ())]
    kind = field.get("number") or ("date" if field.get("type") == "date" else field["kind"])
    if kind == "boolean":
        choices = [["true", _("yes")], ["false", _("no")]]
    return {
        "key": field["key"],
        "label": field["label"],
        "section": field["place"],
        "kind": kind,
        "rule": field.get("rule", ""),
        "wrong": _wrong(kind, field),
        "choices": choices,
    }


def _wrong(kind: str, field: Mapping[str, Any]) -> str:
    if kind == "date":
        return _("Enter a date as year-month-day, such as 2026-11-24.")
    if kind in ("boolean", "select"):
        return _("Choose a value from the list.")
    return str(field.get("wrong", ""))


def _words() -> dict[str, str]:
    return {
        "unsaved": _("{n} unsaved changes"),
        "oneUnsaved": _("1 unsaved change"),
        "none": _("No unsaved changes"),
        "saved": _("Saved."),
        "saving": _("Saving …"),
        "invalid": _("{n} values are invalid. Correct them first."),
        "oneInvalid": _("1 value is invalid. Correct it first."),
        "tooLarge": _("The copied cells do not fit to the right of and below this cell. Nothing was pasted."),
        "failed": _("Saving failed. Your changes are still here; try again."),
        "leave": _("Some changes are not saved."),
        "selected": _("{n} cells selected"),
    }
