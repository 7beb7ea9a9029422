"""The action `dcserv`: what dclab asks for when it opens a resource by its address."""

from __future__ import annotations

from typing import Any

from appliance.actions import lookup, virus_gate
from appliance.model import names
from appliance.model.problem import invalid
from appliance.web.api.registry import Call, action, natural, text
from appliance.web.dcserv import version1, version2
from appliance.web.dcserv.measurement import Measurement


@action(
    "dcserv",
    text("id", "Id of the resource"),
    text(
        "query", "valid, metadata, size, feature_list, logs, tables, basins, trace_list; version 1 also feature, trace"
    ),
    text("version", "1 (clients of before 2023) or 2; default: 1", default="1"),
    text("feature", "Version 1: name of a feature"),
    text("trace", "Version 1: name of a trace"),
    natural("event", "Version 1: index of an event"),
    rule="site:read",
    asks="dataset:read",
    get=True,
    cacheable=True,
)
def dcserv(call: Call) -> Any:
    """Parts of a measurement: metadata, logs, tables, and where to read the rest (basins)."""
    for name in ("query", "id"):
        if not call[name]:
            raise invalid(message=f"Please specify '{name}' parameter!")
    if call["version"] not in {"1", "2"}:
        raise invalid(
            message=f"Version '{call['version']}' of the DCOR API is not supported. Please use version '2' instead!"
        )
    with call.context.db.read() as conn:
        row, facts = lookup.resource(conn, call.viewer, call["id"])
        virus_gate.require_scanned(conn, call.context.settings, call.viewer.user_id, row["id"])
        if not names.is_measurement(row["name"]):
            raise invalid(message=f"Resource ID {row['id']} must be an .rtdc dataset!")
        subject = Measurement(call.context, conn, row, facts, call.viewer, call.client)
        call.cacheable = version2.cacheable(subject, call["query"])
        answer = version2.answer(subject, call["query"])
        if call["version"] == "2":
            if answer is None:
                raise invalid(message=f"Invalid query parameter '{call['query']}'!")
            return answer
    return version1.answer(subject, call["query"], call.data, answer)
