"""Comparing measurements: statistics over all their events, and their distributions beside each other. The address says everything."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from typing import Any, NamedTuple

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import comparisons
from appliance.model import dcscope_session, names, youngs_modulus
from appliance.model.csv_cells import inert
from appliance.model.problem import Problem
from appliance.model.values import decoded
from appliance.store import datasets, resources, rtdc, verdicts
from appliance.web import measurement_statistics as figures
from appliance.web.fair_slots import without_slot
from appliance.web.pages.dataset import compare_charts as charts
from appliance.web.pages.dataset import compare_groups as grouping
from appliance.web.pages.dataset import compare_overlay as overlay
from appliance.web.pages.dataset import elasticity_texts, verdict
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, release, viewer
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.problem_texts import said
from appliance.web.pages.frame.render import render, url_with

bp = Blueprint("compare", __name__)

#: name in answers → heading
COLUMNS = {
    "mean": N_("Mean"),
    "median": N_("Median"),
    "mode": N_("Mode"),
    "sd": N_("SD"),
    "cv": N_("CV"),
    "q25": N_("25th percentile"),
    "q75": N_("75th percentile"),
}
_YOUNG = ("lut", "medium", "temperature", "viscosity", "model")
_LEAST_BINS, _MOST_BINS = 12, 80
#: What an axis shows at least: narrower ones have no round numbers.
_LEAST_SPAN = 1e-290
_MOST_SHOWN = 8


@bp.get("/compare")
@allow("site:read")
def page() -> Any:
    """The table and a chart for each feature."""
    asked = request.args
    try:
        files, hidden = chosen_files(asked.getlist("r"))
        question = asked_question()
        groups = grouping.assigned(files)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _empty(said(problem)), 409
    if not files:
        text = _("None of these measurements is available to you.") if hidden else ""
        return _empty(text), 404 if hidden else 200
    features = _available(files, computed=question.young is not None)
    found = _computed(files, question)
    query: dict[str, Any] = {"r": [one["id"] for one in files], "f": list(question.features)}
    query |= {key: request.args[key] for key in _YOUNG if request.args.get(key)} if question.young else {}
    query["g"] = json.dumps(list(question.gates), separators=(",", ":")) if question.gates else ""
    return render(
        "compare/page.html",
        title=_("Compare measurements"),
        files=files,
        hidden=len(hidden),
        hidden_numbers=", ".join(map(str, hidden)),
        saved=_saved(),
        save_query=request.query_string.decode("ascii", "replace") if viewer().user_id else "",
        gates=[one["name"] for one in question.gates],
        gates_text=query["g"],
        not_in_session=dcscope_session.inexpressible([dict(one) for one in question.gates]),
        features=[{"value": one, "text": labels.title(one), "on": one in question.features} for one in features],
        young=elasticity_texts.choices(request.args),
        elasticity=_elasticity(files, question),
        groups=grouping.form(files, groups),
        grouped=bool(groups),
        differences=grouping.table(files, question, groups),
        events_url=url_with("/compare/export.csv", **query, **grouping.query(files, groups)),
        overlay=overlay.model(files, features, question),
        columns=[_(heading) for heading in COLUMNS.values()],
        rows=_rows(files, found, question),
        charts=_charts(files, found, question),
        failed=[
            {"name": one["name"], "text": answer["problem"]}
            for one, answer in zip(files, found, strict=True)
            if "problem" in answer
        ],
        csv_url=url_with("/compare.csv", **query),
        session_url=url_with("/compare.so2", **query, x=request.args.get("x"), y=request.args.get("y")),
        size=f"0 0 {charts.WIDTH} {charts.PLOT}",
    )


@bp.get("/compare.csv")
@allow("site:read")
def table() -> Response:
    """The same numbers with all their digits, one line for each measurement, gate and feature."""
    files, _hidden = chosen_files(request.args.getlist("r"))
    question = asked_question()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["measurement", "id", "gate", "events", "share", "rate", "feature", "count", *COLUMNS])
    for one, answer in zip(files, _computed(files, question), strict=True):
        for gate in answer.get("gates", []):
            for feature in question.features:
                numbers = gate["features"].get(feature, {})
                values = [numbers.get(key) for key in ("count", *COLUMNS)]
                head = [inert(one["name"]), one["id"], inert(gate["name"]), gate["events"], gate["share"], gate["rate"]]
                writer.writerow(["" if value is None else value for value in [*head, feature, *values]])
    return Response(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="compare.csv"'},
    )


def _elasticity(files: list[dict[str, Any]], question: figures.Question) -> list[dict[str, Any]]:
    """For each measurement: under which conditions Young's modulus was computed, or why it was not."""
    young = question.young
    if young is None:
        return []
    site, who = context(), viewer()
    release()

    @without_slot
    def compute() -> list[dict[str, Any]]:
        """All files, one after the other."""
        found = []
        for one in files:
            try:
                found.append(figures.elasticity(site, one["id"], young, "area_um", "deform", who))
            except Problem as problem:
                if problem.status not in (404, 409):
                    raise
                found.append({"reason": said(problem)})
        return found

    return [
        {"number": one["number"], "name": one["name"], "text": elasticity_texts.sentence(answer)}
        for one, answer in zip(files, compute(), strict=True)
    ]


def _saved() -> dict[str, Any] | None:
    """The saved comparison that the link came from, where the viewer may see it."""
    try:
        found = comparisons.get(conn(), viewer(), request.args.get("saved"))
    except Problem:
        return None
    who = "" if found["own"] else found["fullname"] or found["user"]
    return {"id": found["id"], "title": found["title"], "own": found["own"], "who": who}


def _empty(said: str) -> str:
    return render("compare/empty.html", title=_("Compare measurements"), said=said)


def chosen_files(ids: list[str]) -> tuple[list[dict[str, Any]], list[int]]:
    """The measurements that the viewer may see, and the places in the link of those that are missing or hidden. Raises Problem 409."""
    if not any(ids):
        return [], []
    found: list[dict[str, Any]] = []
    hidden: list[int] = []
    for number, resource_id in enumerate(figures.require_number([one for one in ids if one]), 1):
        row = resources.get(conn(), resource_id)
        dataset = None if row is None else datasets.visible(conn(), row["dataset_id"], viewer())
        if row is None or dataset is None or not names.is_measurement(row["name"]):
            hidden.append(number)
            continue
        grade = verdicts.of_dataset(conn(), dataset["id"]).get(row["id"])
        found.append(
            {
                "id": row["id"],
                "number": number,
                "name": row["name"],
                "url": f"/dataset/{dataset['id']}/resource/{row['id']}",
                "dataset": dataset["title"] or dataset["name"],
                "verdict": verdict.badge(grade) if grade else None,
                "supplements": json.loads(row["supplements"]),
            }
        )
    return found, hidden


def asked_question() -> figures.Question:
    """Features and gates of the address; a range from the form's fields becomes a gate. Raises Problem 409."""
    asked = request.args
    try:
        gates = decoded(asked.get("g") or "[]")
    except ValueError:
        gates = "no JSON"
    feature, low, high = (asked.get(key, "").strip() for key in ("gate", "gate_min", "gate_max"))
    if feature and (low or high) and isinstance(gates, list):
        bounds = {"min": _bound(low), "max": _bound(high)}
        name = f"{feature} {low or '…'} – {high or '…'}"[:60]
        gates = [one for one in gates if not isinstance(one, dict) or one.get("name") != name]
        gates.append({"name": name, "conditions": [{"feature": feature, **bounds}]})
    chosen = [one for one in asked.getlist("f") if one]
    return replace(figures.Question.checked(chosen, gates), young=elasticity_texts.asked(asked))


def _bound(text: str) -> Any:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        return text


def _available(files: list[dict[str, Any]], *, computed: bool) -> list[str]:
    """Scalar features that at least one of the files has, and Young's modulus where it is computed."""
    found: set[str] = {youngs_modulus.FEATURE} if computed else set()
    for one in files:
        known = rtdc.get(conn(), one["id"])
        if known is not None:
            found |= {*known["scalar_features"], *known["condensed_features"]}
    return sorted((one for one in found if not one.startswith("basinmap")), key=lambda one: labels.title(one).lower())


def _computed(files: list[dict[str, Any]], question: figures.Question) -> list[dict[str, Any]]:
    """The readers' answer for each file; for one that cannot be read {problem}."""
    site, who = context(), viewer()
    release()  # nobody needs the database while children read

    @without_slot
    def compute() -> list[dict[str, Any]]:
        """All files, one after the other."""
        found = []
        for one in files:
            try:
                found.append(figures.statistics(site, one["id"], question, who))
            except Problem as problem:
                if problem.status not in (404, 409):
                    raise
                found.append({"problem": said(problem), "gates": []})
        return found

    return compute()


def _rows(files: list[dict[str, Any]], found: list[dict[str, Any]], question: figures.Question) -> list[dict[str, Any]]:
    rows = []
    for feature in question.features:
        for file, answer in zip(files, found, strict=True):
            for gate in answer["gates"]:
                numbers = gate["features"].get(feature, {})
                rows.append(
                    {
                        "feature": labels.title(feature),
                        "number": file["number"],
                        "file": file["name"],
                        "gate": gate["name"] or _("all events"),
                        "events": show.integer(gate["events"]),
                        "share": "–" if gate["share"] is None else f"{show.number(gate['share'] * 100, 4)} %",
                        "rate": _shown(gate["rate"]),
                        "numbers": [_shown(numbers.get(key)) for key in COLUMNS],
                    }
                )
    return rows


def _shown(value: float | None) -> str:
    return "–" if value is None else show.number(value, 6)


class _Plan(NamedTuple):
    """What a feature's chart is made of: files with numbers of their own, and the axis that all share."""

    known: list[tuple[dict[str, Any], dict[str, Any]]]
    low: float
    high: float
    bins: int


def _charts(
    files: list[dict[str, Any]], found: list[dict[str, Any]], question: figures.Question
) -> list[dict[str, Any]]:
    """Histograms, violins and boxes of each feature: of all events, or of the first gate where there is one."""
    place = 1 if question.gates else 0
    plans = {
        feature: plan
        for feature in question.features[:_MOST_SHOWN]
        if (plan := _plan(feature, files, found, place)) is not None
    }
    counts = _counts(plans, question, place)
    of = question.gates[0]["name"] if question.gates else _("all events")
    return [chart for feature, plan in plans.items() if (chart := _chart(feature, plan, of, counts)) is not None]


def _plan(feature: str, files: list[dict[str, Any]], found: list[dict[str, Any]], place: int) -> _Plan | None:
    known = [
        (file, answer["gates"][place]["features"][feature])
        for file, answer in zip(files, found, strict=True)
        if answer["gates"] and feature in answer["gates"][place]["features"]
    ]
    known = [(file, numbers) for file, numbers in known if numbers["count"]]
    if not known:
        return None
    low, high = _limits([numbers for _file, numbers in known])
    if not _LEAST_SPAN < high - low < math.inf:
        return None  # no picture can show that; the numbers stand in the table
    largest = max(numbers["count"] for _file, numbers in known)
    bins = min(max(round(2 * largest ** (1 / 3)), _LEAST_BINS), _MOST_BINS)  # Rice's rule
    return _Plan(known, low, high, bins)


def _chart(feature: str, plan: _Plan, of: str, counts: dict[str, dict[str, list[int]]]) -> dict[str, Any] | None:
    known = [(file, numbers, counts[file["id"]].get(feature)) for file, numbers in plan.known]
    shown = [(file, numbers, counted) for file, numbers, counted in known if counted is not None]
    if not shown:
        return None
    axis = charts.Axis(plan.low, plan.high)
    drawn = charts.lines(axis, [counted for _file, _numbers, counted in shown])
    return {
        "title": labels.title(feature),
        "of": of,
        "ticks": [(x, show.number(value, 4)) for x, value in axis.marks()],
        "lines": [
            {"number": file["number"], "points": points} for (file, *_rest), points in zip(shown, drawn, strict=True)
        ],
        "rows": [
            {
                "number": file["number"],
                "name": file["name"],
                "violin": charts.violin(axis, counted, row),
                "box": charts.box(axis, numbers, row),
            }
            for row, (file, numbers, counted) in enumerate(shown)
        ],
        "rows_size": f"0 0 {charts.WIDTH} {charts.ROW * len(shown)}",
    }


def _limits(numbers: list[dict[str, Any]]) -> tuple[float, float]:
    """From where to where the distributions reach, without far outliers; never empty."""
    low, high = min(one["min"] for one in numbers), max(one["max"] for one in numbers)
    inner = max(max(one["p90"] for one in numbers) - min(one["p10"] for one in numbers), 0.0)
    low, high = (
        max(low, min(one["p10"] for one in numbers) - inner),
        min(high, max(one["p90"] for one in numbers) + inner),
    )
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _counts(plans: dict[str, _Plan], question: figures.Question, place: int) -> dict[str, dict[str, list[int]]]:
    """Id of a file → feature → counts: all features of a file in one pass over its events."""
    ranges: dict[str, dict[str, tuple[float, float, int]]] = {}
    for feature, plan in plans.items():
        for file, _numbers in plan.known:
            ranges.setdefault(file["id"], {})[feature] = (plan.low, plan.high, plan.bins)
    site, who = context(), viewer()

    @without_slot
    def compute() -> dict[str, dict[str, list[int]]]:
        """One file after the other; one that cannot be read any more has none."""
        found: dict[str, dict[str, list[int]]] = {}
        for one, wanted in ranges.items():
            try:
                found[one] = figures.histograms(site, one, question, wanted, who)["gates"][place]["counts"]
            except Problem as problem:
                if problem.status not in (404, 409):
                    raise
                found[one] = {}
        return found

    return compute()
