"""The action that computes statistics over measurements."""

from __future__ import annotations

from typing import Any

from appliance.actions import lookup
from appliance.web import measurement_statistics
from appliance.web.api.gates import GATES, given
from appliance.web.api.registry import Call, action, listing


@action(
    "dcor_statistics",
    listing("ids", "Ids of 1 to 12 resources", required=True),
    listing("features", "Names of scalar features; default: area_um, deform"),
    GATES,
    rule="site:read",
    asks="dataset:read",
    get=True,
)
def dcor_statistics(call: Call) -> list[dict[str, Any]]:
    """Statistics over all events of measurements, and over those in gates, as dclab computes them.

    For each measurement: `events`, `duration` [s], `missing` (features that it lacks) and `gates`; the first of these has the name
    "" and stands for all events. For each gate: `events`, `share`, `rate` [1/s] and for each feature `count`, `mean`, `median`,
    `mode`, `sd`, `cv`, `p10`, `q25`, `q75`, `p90`, `min`, `max`.
    """
    ids = measurement_statistics.require_number(call["ids"])
    question = measurement_statistics.Question.checked(call["features"] or [], given(call["gates"]))
    found = []
    with call.context.db.read() as conn:
        for resource_id in ids:
            row, _ = lookup.resource(conn, call.viewer, resource_id)
            measurement_statistics.require_measurement(row)
            found.append({"id": row["id"], "name": row["name"], "package_id": row["dataset_id"]})
    caller = call.viewer.user_id or call.client
    return [one | measurement_statistics.statistics(call.context, one["id"], question, caller) for one in found]
