"""What the explorer in the browser asks for: columns and density maps as files, single events through the readers, exports.

=====  ===========================================  =================================================================
GET    ``…/resource/<id>/columns.bin``              all scalar features, float32, for range requests
GET    ``…/resource/<id>/density.bin``              density maps of common pairs of features
GET    ``…/resource/<id>/event/<n>.json``           one event (from 0): scalars, traces, contour, pictures (PNG, base64)
GET    ``…/resource/<id>/emodulus.bin?lut=…``       Young's modulus of the events in ``columns.bin``
GET    ``…/resource/<id>/pictures.json?events=…``   pictures and contours of some events
GET    ``…/resource/<id>/export.(csv|tsv|fcs)``     all scalar features for other programs
GET    ``/gate-export/<id>``                        the events of a gate, from a job
=====  ===========================================  =================================================================
"""

from __future__ import annotations

import json
import re
from typing import Any

from appliance.actions import gate_exports, virus_gate
from appliance.model import youngs_modulus
from appliance.model.problem import Problem, invalid, not_found
from appliance.security.headers import security_headers
from appliance.store import gate_exports as stored_exports
from appliance.web import cpu_slot
from appliance.web.context import Context
from appliance.web.dcserv import export
from appliance.web.http import Request, Response
from appliance.web.routes import UUID, Route, route
from appliance.web.transfer.download import StoredFile, stored_file
from appliance.web.transfer.file_response import content_disposition, file_response

#: Events of one answer with pictures.
_MOST_PICTURES = 48
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "fcs": "application/vnd.isac.fcs",
}


def binary(context: Context, request: Request, match: re.Match[str]) -> Response:
    """``columns.bin`` or ``density.bin``; a part of it for a range."""
    file = _file(context, request, match, match["kind"])
    return file_response(
        request,
        file.path,
        etag=file.etag,
        content_type="application/octet-stream",
        name=file.name,
        disposition="inline",
    )


def event(context: Context, request: Request, match: re.Match[str]) -> Response:
    """One event. Raises Problem 404, 409 for an event that is not there, 503 when no reader is free."""
    _file(context, request, match, "original")
    if context.readers is None:
        raise Problem(503, "Service Unavailable", message="Single events cannot be read at the moment.")
    asked = {"what": "event", "event": int(match["event"])}
    caller = request.viewer.user_id or request.client
    cpu_slot.release()  # a child reads now, others may work
    found: dict[str, Any] = context.readers.read(match["id"], asked, caller=caller)
    body = json.dumps(found, separators=(",", ":"), allow_nan=False).encode()
    return Response(200, [("Content-Type", "application/json"), *security_headers("file").items()], body)


def pictures(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The pictures of some events (``?events=3,17``). Raises Problem 404, 409 for events that are not there, 503 when no reader is free."""
    _file(context, request, match, "original")
    if context.readers is None:
        raise Problem(503, "Service Unavailable", message="Single events cannot be read at the moment.")
    numbers = dict(request.parameters()).get("events", "").split(",")[: _MOST_PICTURES + 1]
    if len(numbers) > _MOST_PICTURES or not all(one.isascii() and one.isdigit() and len(one) < 10 for one in numbers):
        raise invalid({"events": [f"Name between 1 and {_MOST_PICTURES} events by their numbers, with commas between"]})
    asked = {"what": "pictures", "events": [int(one) for one in numbers]}
    caller = request.viewer.user_id or request.client
    cpu_slot.release()  # a child reads now, others may work
    found: dict[str, Any] = context.readers.read(match["id"], asked, caller=caller, timeout=20.0)
    body = json.dumps(found, separators=(",", ":"), allow_nan=False).encode()
    return Response(200, [("Content-Type", "application/json"), *security_headers("file").items()], body)


def modulus(context: Context, request: Request, match: re.Match[str]) -> Response:
    """Young's modulus of the events in ``columns.bin`` under the conditions of the query, float32. Raises Problem 404, 409, 503."""
    _file(context, request, match, "columns")
    if context.readers is None:
        raise Problem(503, "Service Unavailable", message="Young's modulus cannot be computed at the moment.")
    try:
        young = youngs_modulus.from_address(dict(request.parameters()))
    except ValueError as error:
        raise invalid({"youngs_modulus": [str(error)]}) from error
    if young is None:
        raise invalid({"lut": ["Name a look-up table"]})
    asked = {"what": "modulus", "young": young.asked()}
    caller = request.viewer.user_id or request.client
    cpu_slot.release()  # a child reads now, others may work
    found = context.readers.read(match["id"], asked, caller=caller, timeout=30.0, long=True)
    if not isinstance(found, bytes):
        raise Problem(500, "Internal Server Error", message="The file could not be read.")
    headers = [("Content-Type", "application/octet-stream"), *security_headers("file").items()]
    return Response(200, headers, found)


def exported(context: Context, request: Request, match: re.Match[str]) -> Response:
    """All scalar features in another format, made while it is sent."""
    file = _file(context, request, match, "columns")
    original = _file(context, request, match, "original")
    form = match["form"]
    name = f"{original.name.rpartition('.')[0] or original.name}.{form}"
    headers = [
        ("Content-Type", _TYPES[form]),
        ("Content-Disposition", content_disposition("attachment", name)),
        *security_headers("file").items(),
    ]
    try:
        columns = export.Columns(file.path)
    except ValueError as error:
        raise Problem(
            409,
            "Validation Error",
            message="The table of this file is damaged. An administrator can have it made anew: dcor jobs run-missing --force",
        ) from error
    if form == "fcs":
        return Response(
            200, headers, export.fcs(columns, original.name), length=export.fcs_size(columns, original.name)
        )
    return Response(200, headers, export.text(columns, "," if form == "csv" else "\t"))


def gate_export(context: Context, request: Request, match: re.Match[str]) -> Response:
    """The file of an export of the caller's. Raises Problem 404."""
    with context.db.read() as conn:
        row = gate_exports.find(conn, request.viewer, match["id"])
        virus_gate.require_scanned(conn, context.settings, request.viewer.user_id, row["resource_id"])
    if row["sha256"] is None:
        raise not_found("The export is not made yet.")
    return file_response(
        request,
        stored_exports.path(context.settings.tmp, row["id"]),
        etag=row["sha256"],
        content_type=_TYPES.get(row["format"], "application/octet-stream"),
        name=row["name"],
    )


def _file(context: Context, request: Request, match: re.Match[str], kind: str) -> StoredFile:
    """Raises Problem 404 alike for what is missing and what is hidden."""
    file = stored_file(context, request.viewer, match["id"], kind)
    if match["dataset"] not in {file.dataset_id, file.dataset}:
        raise not_found("There is no such file, or you have no access to it.")
    return file


_RESOURCE = rf"/dataset/(?P<dataset>[a-z0-9_-]+)/resource/(?P<id>{UUID})"

ROUTES: tuple[Route, ...] = (
    route("GET", rf"{_RESOURCE}/(?P<kind>columns|density)\.bin", "dataset:read", binary, hidden=True),
    route("GET", rf"{_RESOURCE}/event/(?P<event>[0-9]{{1,9}})\.json", "dataset:read", event, hidden=True),
    route("GET", rf"/gate-export/(?P<id>{UUID})", "dataset:read", gate_export, hidden=True),
    route("GET", rf"{_RESOURCE}/pictures\.json", "dataset:read", pictures, hidden=True),
    route("GET", rf"{_RESOURCE}/emodulus\.bin", "dataset:read", modulus, hidden=True),
    route("GET", rf"{_RESOURCE}/export\.(?P<form>csv|tsv|fcs)", "dataset:read", exported, hidden=True),
)
