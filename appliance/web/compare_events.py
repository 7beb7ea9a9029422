"""``/compare/export.csv``: the events of several measurements as one table with groups and replicates, for linear mixed models.

One line for each event, as R and other programs take it ("tidy"): `group` and `repetition` are those of `dclab.lme4.Rlme4.add_dataset`,
so that ``lmer(deform ~ group + (1 + group | repetition), data)`` is dclab's model. Made in pieces by the readers while it is sent.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from appliance.actions import virus_gate
from appliance.model import median_differences as rules
from appliance.model import names, youngs_modulus
from appliance.model.csv_cells import inert
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.values import decoded
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.security.headers import security_headers
from appliance.store import datasets, resources, rtdc
from appliance.web import cpu_slot
from appliance.web import measurement_statistics as figures
from appliance.web.context import Context
from appliance.web.http import Request, Response
from appliance.web.routes import Route, route
from appliance.web.transfer.file_response import content_disposition

#: Events that are read at once.
_PIECE = 5000


def table(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The events in the first gate (or all) of the measurements that the caller may read. Raises Problem 404 when there are none, 409."""
    asked: dict[str, list[str]] = {}
    for key, value in request.parameters():
        asked.setdefault(key, []).append(value)
    question = figures.Question.checked([one for one in asked.get("f", []) if one], _gates(asked.get("g", [""])[0]))
    try:
        young = youngs_modulus.from_address({key: values[0] for key, values in asked.items()})
    except ValueError as error:
        raise invalid({"lut": [str(error)]}) from error
    question = replace(question, young=young)
    files = _files(context, request, asked)
    if not files:
        raise not_found(Message("There are no such measurements, or you have no access to them."))
    headers = [
        ("Content-Type", "text/csv; charset=utf-8"),
        ("Content-Disposition", content_disposition("attachment", "events.csv")),
        ("Cache-Control", "private, no-store"),
        *security_headers("file").items(),
    ]
    cpu_slot.release()  # children read now, others may work
    lines = _lines(context, files, question, request.viewer)
    first = next(lines)  # a problem with the first file is answered as one
    return Response(200, headers, _all(first, lines))


def _all(first: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from lines


def _gates(text: str) -> Any:
    try:
        return decoded(text or "[]")
    except ValueError as error:
        raise invalid({"gates": [Message("Not JSON")]}) from error


def _files(context: Context, request: Request, asked: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Id, name, region, group and repetition of each measurement that the caller may read. Raises Problem 409."""
    ids = asked.get("r", [])
    roles, replicates = (dict(reversed(list(zip(ids, asked.get(key, []), strict=False)))) for key in ("role", "rep"))
    found = []
    with context.db.read() as conn:
        for one in figures.require_number([value for value in ids if value]):
            row = resources.get(conn, one)
            facts = None if row is None else datasets.facts(conn, row["dataset_id"])
            if row is None or facts is None or not policy.may(request.viewer, "dataset:read", facts):
                continue
            if not names.is_measurement(row["name"]):
                continue
            virus_gate.require_scanned(conn, context.settings, request.viewer.user_id, one)
            where = _where(roles.get(one, ""), replicates.get(one, ""))
            known = rtdc.get(conn, one)
            setup = known["config"].get("setup") or {} if known is not None else {}
            region = setup.get("chip region")
            found.append({"id": one, "name": row["name"], "region": region if isinstance(region, str) else "", **where})
    return found


def _where(role: str, replicate: str) -> dict[str, Any]:
    if not role:
        return {"group": "", "repetition": ""}
    try:
        where = rules.assignment(role, replicate.strip())
    except ValueError as error:
        raise invalid({"role": [str(error)]}) from error
    return {"group": where.role, "repetition": "" if where.replicate is None else where.replicate}


def _lines(
    context: Context, files: Sequence[dict[str, Any]], question: figures.Question, viewer: Viewer
) -> Iterator[bytes]:
    gate = question.gates[0]["name"] if question.gates else ""
    head = ["measurement", "id", "region", "group", "repetition", "event", *question.features]
    before = _written([head])
    for one in files:
        start: int | None = 0
        label = [inert(one["name"]), one["id"], inert(one["region"]), one["group"], one["repetition"]]
        while start is not None:
            try:
                piece = figures.rows(context, one["id"], question, gate, viewer, start=start, count=_PIECE)
            except Problem as problem:
                if problem.status not in (404, 409) or start:
                    raise
                break  # it lacks the gate's features, or cannot be read: the page says so
            values = zip(piece["events"], *piece["values"], strict=True)
            yield before + _written([[*label, int(row[0]) + 1, *map(_number, row[1:])] for row in values])
            before = b""
            start = int(piece["next"]) if piece["next"] is not None else None
    if before:
        yield before


def _number(value: Any) -> float | int | str:
    """What a reader says is a number or nothing. Raises ValueError for anything else."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    raise ValueError("not a number")


def _written(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


ROUTES: tuple[Route, ...] = (route("GET", r"/compare/export\.csv", "dataset:read", table, hidden=True),)
