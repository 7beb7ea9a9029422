"""Instruments: which devices measured here, and for each its medians over time with the control limits of its reference samples.

Only what the viewer may read is shown, and only from that the limits are made. The address is the page's state.
"""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import instruments as verbs
from appliance.actions import virus_gate
from appliance.model import control_chart as control
from appliance.model.problem import not_found
from appliance.store import instruments
from appliance.web.pages.dataset import control_charts as charts
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.page_cache import cacheable
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import back_to, render, url_with

bp = Blueprint("instruments", __name__)

#: Features whose medians can be followed, in the order of the choices.
FEATURES = (
    "deform", "area_um", "bright_avg", "bright_sd", "area_ratio", "aspect", "inert_ratio_cvx", "volume", "emodulus", "temp",
    "fl1_max", "fl2_max", "fl3_max",
)  # fmt: skip
_FIRST = ("deform", "area_um", "bright_avg")
#: Measurements that are looked at, the newest.
MOST = 2000
PER_PAGE = 50
_MOST_FINDINGS = 20
_RULES = {
    "1-3s": N_("more than 3 SD from the mean (rule 1-3s)"),
    "2-2s": N_("the second in a row beyond 2 SD on the same side (rule 2-2s)"),
}


def address(device: str) -> str:
    """The page of a device."""
    return url_with("/instrument", device=device)


@bp.get("/instruments")
@allow("site:read")
@cacheable
def listing() -> str:
    """The devices of the measurements that one may read."""
    hidden: frozenset[str] = frozenset()
    if virus_gate.holds(settings()):
        hidden = virus_gate.withheld(conn(), settings(), viewer().user_id, instruments.resource_ids(conn(), viewer()))
    rows = instruments.listed(conn(), viewer(), without=hidden)
    return render(
        "measurements/instruments.html",
        title=_("Instruments"),
        rows=[
            {
                "name": row["device"],
                "url": address(row["device"]),
                "measurements": show.integer(row["measurements"]),
                "references": show.integer(row["references"]),
                "first": _day(row["first"]),
                "last": _day(row["last"]),
            }
            for row in rows
        ],
    )


@bp.get("/instrument")
@allow("site:read")
@cacheable
def page() -> str:
    """A device's medians over time. Raises Problem 404 for a device without measurements that the viewer may read."""
    device = request.args.get("device", "")
    known = _measurements(device)
    if not known:
        raise not_found()
    conditions = _conditions(known)
    chosen = next(one for one in conditions if one["on"])
    sample, since = request.args.get("sample", "").strip(), request.args.get("since", "").strip()
    shown = [
        one
        for one in known
        if _condition(one) == chosen["key"]
        and sample.lower() in one["sample"].lower()
        and (not since or one["date"] >= since)
    ]
    references = [one for one in shown if one["reference"]]
    all_shown = request.args.get("show") == "all" or len(references) < control.LEAST
    available = [name for name in FEATURES if any(one["medians"][name] is not None for one in shown)]
    wanted = [name for name in available if name in request.args.getlist("f")]
    features = wanted or [name for name in available if name in _FIRST]
    followed = {name: _followed(name, references) for name in features}
    listed = (shown if all_shown else references)[::-1]
    number = page_number(request.args)
    return render(
        "measurements/instrument.html",
        title=device,
        count_text=ngettext(
            "%(count)s measurement", "%(count)s measurements", len(known), count=show.integer(len(known))
        )
        + (" " + _("(the newest)") if len(known) == MOST else ""),
        device=device,
        conditions=conditions,
        sample=sample,
        since=since,
        all_shown=all_shown,
        features=[{"value": one, "text": labels.title(one), "on": one in features} for one in available],
        state=_state(references, followed),
        findings=_findings(references, followed),
        charts=[_chart(name, shown if all_shown else references, followed[name]) for name in features],
        size=f"0 0 {charts.WIDTH} {charts.HEIGHT}",
        headings=[labels.title(name) for name in features],
        rows=[_row(one, features, followed) for one in listed[(number - 1) * PER_PAGE : number * PER_PAGE]],
        pages=pages(len(listed), PER_PAGE, number, lambda other: url_with("/instrument", **_query(page=other))),
        table_url=url_with("/measurements", device=device, sort="date", way="desc"),
    )


@bp.post("/dataset/<ref>/reference")
@allow("dataset:annotate_shared")
def switch(ref: str) -> Response:
    """Let the measurements of a dataset count as references, or no longer."""
    row, _facts = load(ref)
    on = request.form.get("on") == "yes"
    verbs.set_reference(site(), viewer(), row["id"], on=on)
    return back_to(f"/dataset/{row['id']}", done="reference-on" if on else "reference-off")


def _measurements(device: str) -> list[dict[str, Any]]:
    """What may be shown of the device's measurements, the oldest first, each with its moment as `when`."""
    if not device:
        return []
    found = instruments.measurements(conn(), viewer(), device, FEATURES, most=MOST)
    hidden = virus_gate.withheld(conn(), settings(), viewer().user_id, [one["id"] for one in found])
    known = []
    for one in found:
        with contextlib.suppress(ValueError):  # what no clock shows has no place on the axis
            when = datetime.fromisoformat(f"{one['date']} {one['time'] or '00:00'}").replace(tzinfo=None)
            if one["id"] not in hidden:
                known.append(one | {"when": when})
    return sorted(known, key=lambda one: one["when"])


def _condition(one: dict[str, Any]) -> str:
    """What must be equal for medians to be compared: width, flow rate and region."""
    return "_".join("" if one[key] is None else str(one[key]) for key in ("width", "flow", "region"))


def _conditions(known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conditions {key, text, on} that were measured under: most references first, then most measurements."""
    counts: dict[str, list[Any]] = {}
    for one in known:
        entry = counts.setdefault(_condition(one), [0, 0, one])
        entry[0] += one["reference"]
        entry[1] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    asked = request.args.get("at", "")
    on = asked if asked in counts else ordered[0][0]
    return [{"key": key, "text": _condition_text(one, counted), "on": key == on} for key, (_r, counted, one) in ordered]


def _condition_text(one: dict[str, Any], count: int) -> str:
    parts = [
        _("no channel width") if one["width"] is None else f"{show.number(one['width'])} µm",
        _("no flow rate") if one["flow"] is None else f"{show.number(one['flow'])} µL/s",
        labels.value("setup:chip region", one["region"]) or _("no region"),
    ]
    return f"{', '.join(parts)} ({show.integer(count)})"


def _followed(feature: str, references: list[dict[str, Any]]) -> dict[str, Any]:
    """The reference medians of a feature: {limits, rules {id: rules that its median breaks}, deviations {id: z}}."""
    known = [(one["id"], one["medians"][feature]) for one in references if one["medians"][feature] is not None]
    values = [value for _id, value in known]
    limits = control.limits(values)
    if limits is None:
        return {"limits": None, "rules": {}, "deviations": {}}
    rules = control.broken(values, limits)
    return {
        "limits": limits,
        "rules": {id_: found for (id_, _value), found in zip(known, rules, strict=True) if found},
        "deviations": {id_: limits.deviations(value) for id_, value in known},
    }


def _state(references: list[dict[str, Any]], followed: dict[str, dict[str, Any]]) -> dict[str, str]:
    """One line on the newest reference."""
    if not references:
        text = _(
            "No measurement under these conditions is marked as a reference. On the page of a dataset with beads or a control sample, choose “Use as reference”."
        )
        return {"kind": "info", "text": text}
    made = next((one["limits"] for one in followed.values() if one["limits"] is not None), None)
    if made is None:
        text = _(
            "There are too few reference medians for control limits; at least %(least)s are needed.",
            least=control.LEAST,
        )
        return {"kind": "info", "text": text}
    newest = references[-1]
    broken = [labels.feature(name)[0] for name, one in followed.items() if newest["id"] in one["rules"]]
    day = _day(newest["date"])
    if broken:
        return {
            "kind": "bad",
            "text": _(
                "The newest reference (%(date)s) is out of control: %(features)s.", date=day, features=", ".join(broken)
            ),
        }
    text = _("The newest reference (%(date)s) is in control.", date=day)
    if made.preliminary:
        text += " " + _(
            "The limits are preliminary: they should be made of %(wanted)s reference medians.", wanted=control.BASELINE
        )
    return {"kind": "good", "text": text}


def _findings(references: list[dict[str, Any]], followed: dict[str, dict[str, Any]]) -> list[dict[str, str]]:
    """The medians that break a rule in words, the newest first."""
    found = [
        {
            "url": _file_url(one),
            "name": one["name"],
            "text": f"{_day(one['date'])}, {labels.feature(name)[0]}: {_words(followed[name]['rules'][one['id']])}",
        }
        for one in reversed(references)
        for name in followed
        if one["id"] in followed[name]["rules"]
    ]
    return found[:_MOST_FINDINGS]


def _words(rules: tuple[str, ...]) -> str:
    return "; ".join(_(_RULES[rule]) for rule in rules)


def _chart(feature: str, shown: list[dict[str, Any]], followed: dict[str, Any]) -> dict[str, Any]:
    points = [
        charts.Point(one["when"], one["medians"][feature], one["reference"], one["id"] in followed["rules"])
        for one in shown
        if one["medians"][feature] is not None
    ]
    limits = followed["limits"]
    found: dict[str, Any] = {"title": labels.title(feature), "limits": "", "drawn": None}
    if limits is not None:
        found["limits"] = _(
            "Mean %(mean)s, SD %(sd)s, from the first %(count)s reference medians",
            mean=show.number(limits.mean, 5), sd=show.number(limits.sd, 3), count=limits.count,
        )  # fmt: skip
    if points:
        chart = charts.Chart(points, limits)
        found["drawn"] = {
            "values": [(y, show.number(value, 4)) for y, value in chart.value_ticks()],
            "dates": [(x, _day(when.date().isoformat())) for x, when in chart.date_ticks()],
            "lines": [one | {"text": _line_text(one["deviations"])} for one in chart.lines()],
            "trail": chart.trail(),
            "marks": chart.marks(),
        }
    return found


def _line_text(deviations: int) -> str:
    return f"{deviations:+d} SD".replace("-", "−") if deviations else _("Mean")


def _row(one: dict[str, Any], features: list[str], followed: dict[str, dict[str, Any]]) -> dict[str, Any]:
    cells = []
    for name in features:
        value, z = one["medians"][name], followed[name]["deviations"].get(one["id"])
        cells.append(
            {
                "text": "–" if value is None else show.number(value, 6),
                "deviations": "" if z is None else f"{show.number(z, 3)} SD".replace("-", "−"),
                "words": _words(followed[name]["rules"].get(one["id"], ())),
            }
        )
    return {
        "date": _day(one["date"]),
        "time": one["time"][:5],
        "url": _file_url(one),
        "name": one["name"],
        "sample": one["sample"],
        "reference": one["reference"],
        "cells": cells,
    }


def _file_url(one: dict[str, Any]) -> str:
    return f"/dataset/{one['dataset_id']}/resource/{one['id']}"


def _day(text: str) -> str:
    """A date as the language writes it; what is none stands for itself."""
    try:
        return show.date(f"{date.fromisoformat(text)}T00:00:00")
    except ValueError:
        return text or "–"


def _query(**changes: Any) -> dict[str, Any]:
    return {key: values for key, values in request.args.lists() if key != "done"} | changes
