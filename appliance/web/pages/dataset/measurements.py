"""All measurements that one may read as a table: filtered, sorted, with chosen columns; the address is its state."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import virus_gate
from appliance.model.csv_cells import inert
from appliance.model.problem import invalid
from appliance.store import measurements
from appliance.web import fair_slots
from appliance.web.measurement_statistics import MOST_FILES
from appliance.web.pages.dataset import instruments, saved_search, verdict
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, viewer
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.page_cache import cacheable
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import render, url_with

bp = Blueprint("measurements", __name__)

PER_PAGE = 50
#: Rows of the whole table that are written before others have their turn.
SLICE = 1000
#: column → (heading, unit)
COLUMNS = {
    "sample": (N_("Sample name"), ""),
    "date": (N_("Date"), ""),
    "events": (N_("Events"), ""),
    "flow": (N_("Flow rate"), "µL/s"),
    "width": (N_("Channel width"), "µm"),
    "region": (N_("Chip region"), ""),
    "medium": (N_("Medium"), ""),
    "device": (N_("Device"), ""),
    "verdict": (N_("Verdict"), ""),
    "area": (N_("Median area"), "µm²"),
    "deform": (N_("Median deformation"), ""),
    "emodulus": (N_("Median Young's modulus"), "kPa"),
    "supplements": (N_("Supplements"), ""),
    "dataset": (N_("Dataset"), ""),
}
#: What is shown of a file that waits for the virus scanner, and columns with nothing in them.
_NAMED = ("resource_id", "name", "dataset_id", "dataset_name", "dataset_title")
_NAMES_ONLY = {one: None if one in measurements.NUMBERS else "" for one in COLUMNS}
_FIRST = ("sample", "date", "events", "flow", "width", "region", "medium", "verdict", "area", "deform", "dataset")
#: numbers that have a range among the filters
_RANGES = ("events", "flow", "width", "area", "deform", "emodulus")
_CHOICES = {"region": ("channel", "reservoir"), "verdict": ("good", "look", "bad")}


@bp.get("/measurements")
@allow("site:read")
@cacheable
def page() -> str:
    """One page of the table with its filters."""
    number = page_number(request.args)
    query = _query(PER_PAGE, (number - 1) * PER_PAGE)
    total, rows = measurements.find(conn(), viewer(), query)
    columns = [one for one in COLUMNS if one in request.args.getlist("c")] or list(_FIRST)
    return render(
        "measurements/page.html",
        title=_("Measurements"),
        count_text=ngettext("%(count)s measurement", "%(count)s measurements", total, count=show.integer(total)),
        q=request.args.get("q", ""),
        choices=[_choice(name) for name in _CHOICES],
        ranges=[_range(name) for name in _RANGES],
        medium=request.args.get("medium", ""),
        device=request.args.get("device", ""),
        dates={"low": request.args.get("date_min", ""), "high": request.args.get("date_max", "")},
        columns=[{"value": one, "text": _heading(one), "on": one in columns} for one in COLUMNS],
        headings=[_sortable(one, query) for one in ("name", *columns)],
        rows=[_row(row, columns) for row in _shown(rows)],
        pages=pages(total, PER_PAGE, number, lambda other: _address(page=other)),
        sort=query.sort,
        way="desc" if query.descending else "",
        filters=len(query.equal) + len(query.contains) + len(query.ranges),
        csv_url=_address("/measurements.csv", page=None),
        most=MOST_FILES,
        save_url=saved_search.save_url("measurements"),
    )


@bp.get("/measurements.csv")
@allow("site:read")
def table() -> Response:
    """All that fit, with every column, made in slices, between which others have their turn. Raises Problem 409 for more than `measurements.MOST_ROWS`."""
    total, ids = measurements.find_ids(conn(), viewer(), _query(measurements.MOST_ROWS, 0))
    if total > measurements.MOST_ROWS:
        raise invalid(
            message=_(
                "There are %(count)s measurements; a table can hold at most %(most)s. Filter them first.",
                count=show.integer(total),
                most=show.integer(measurements.MOST_ROWS),
            )
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = ("name", *(one for one in COLUMNS if one != "dataset"))
    writer.writerow(["id", *names, "dataset", "dataset_id"])
    for start in range(0, len(ids), SLICE):
        for row in _shown(measurements.rows(conn(), ids[start : start + SLICE])):
            values = [row["resource_id"], *(row[one] for one in names), row["dataset_title"] or row["dataset_name"]]
            writer.writerow(
                [inert(value) if isinstance(value, str) else value for value in values] + [row["dataset_id"]]
            )
        fair_slots.let_others()
    return Response(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="measurements.csv"'},
    )


def _shown(rows: Iterable[Any]) -> list[Any]:
    """The rows without what was read from files that wait for the virus scanner."""
    found = list(rows)
    hidden = virus_gate.withheld(conn(), settings(), viewer().user_id, [row["resource_id"] for row in found])
    return [_NAMES_ONLY | {key: row[key] for key in _NAMED} if row["resource_id"] in hidden else row for row in found]


def _query(rows: int, start: int) -> measurements.Query:
    """What the address asks for; what is no number or choice is ignored, as in the list of datasets."""
    asked = request.args
    equal = {name: asked[name] for name, values in _CHOICES.items() if asked.get(name) in values}
    contains = {name: asked[name].strip() for name in ("medium", "device") if asked.get(name, "").strip()}
    ranges: dict[str, tuple[Any, Any]] = {}
    for name in _RANGES:
        low, high = (_number(asked.get(f"{name}_{end}", "")) for end in ("min", "max"))
        if low is not None or high is not None:
            ranges[name] = (low, high)
    if asked.get("date_min") or asked.get("date_max"):
        ranges["date"] = (asked.get("date_min") or None, asked.get("date_max") or None)
    sort = asked.get("sort", "")
    return measurements.Query(
        words=tuple(asked.get("q", "").split()[:10]),
        equal=equal,
        contains=contains,
        ranges=ranges,
        sort=sort if sort in measurements.SORTS else "",
        descending=asked.get("way") == "desc",
        rows=rows,
        start=start,
    )


def _number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None  # also refuses NaN and infinities


def _address(path: str = "/measurements", **changes: Any) -> str:
    query: dict[str, Any] = {key: values for key, values in request.args.lists() if key != "done"}
    return url_with(path, **(query | changes))


def _heading(name: str) -> str:
    if name == "name":
        return _("File")
    text, unit = COLUMNS[name]
    return f"{_(text)} [{unit}]" if unit else _(text)


def _sortable(name: str, query: measurements.Query) -> dict[str, str]:
    """A column's heading, and the address that sorts by it (again: the other way round)."""
    found = {"text": _heading(name), "url": "", "sorted": "", "kind": "num" if name in measurements.NUMBERS else ""}
    if name not in measurements.SORTS:
        return found
    on = query.sort == name
    found["url"] = _address(sort=name, way="desc" if on and not query.descending else None, page=None)
    found["sorted"] = ("descending" if query.descending else "ascending") if on else ""
    return found


def _choice(name: str) -> dict[str, Any]:
    chosen = request.args.get(name, "")
    text = {"region": lambda value: labels.value("setup:chip region", value), "verdict": verdict.name_of}[name]
    options = [{"value": value, "text": text(value), "on": value == chosen} for value in _CHOICES[name]]
    return {"name": name, "title": _heading(name), "options": options}


def _range(name: str) -> dict[str, str]:
    low, high = (request.args.get(f"{name}_{end}", "") for end in ("min", "max"))
    return {"name": name, "title": _heading(name), "low": low, "high": high}


def _row(row: Any, columns: list[str]) -> dict[str, Any]:
    return {
        "id": row["resource_id"],
        "name": row["name"],
        "url": f"/dataset/{row['dataset_id']}/resource/{row['resource_id']}",
        "cells": [_cell(row, one) for one in columns],
    }


def _cell(row: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"text": "", "url": "", "badge": None, "kind": ""}
    if name == "dataset":
        return found | {
            "text": row["dataset_title"] or row["dataset_name"],
            "url": f"/dataset/{row['dataset_id']}",
        }
    value = row[name]
    if name == "device" and value:
        return found | {"text": value, "url": instruments.address(value)}
    if name == "verdict":
        return found | {"badge": verdict.badge(value) if value else None}
    if name in measurements.NUMBERS:
        text = "–" if value is None else show.integer(value) if name == "events" else show.number(value)
        return found | {"text": text, "kind": "num"}
    return found | {"text": labels.value("setup:chip region", value) if name == "region" else value}
