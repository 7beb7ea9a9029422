"""The action that computes statistics over measurements."""

from __future__ import annotations

from typing import Any

from appliance.actions import lookup, virus_gate
from appliance.model import gates as gate_rules
from appliance.model import median_differences, youngs_modulus
from appliance.model.problem import invalid
from appliance.web import differences, measurement_statistics
from appliance.web.api.gates import GATES, given
from appliance.web.api.registry import Call, Parameter, action, flag, listing, natural, text

#: Under which conditions the feature `emodulus` is computed.
YOUNG = Parameter(
    "youngs_modulus",
    "any",
    f"Compute the feature emodulus: {{lut, medium, temperature, viscosity, model}}, all optional. lut: {', '.join(youngs_modulus.TABLES)}; "
    f"medium: {', '.join(youngs_modulus.MEDIA)} (default: the measurement's); temperature [°C] (default: of each event, or of the metadata); "
    f"viscosity [mPa s] in place of both; model: {', '.join(youngs_modulus.MODELS)}",
)


@action(
    "dcor_statistics",
    listing("ids", "Ids of 1 to 12 resources", required=True),
    listing("features", "Names of scalar features; default: area_um, deform"),
    GATES,
    YOUNG,
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
    question = measurement_statistics.Question.checked(
        call["features"] or [], given(call["gates"], "gates"), given(call["youngs_modulus"], "youngs_modulus")
    )
    found = _measurements(call, ids)
    return [one | measurement_statistics.statistics(call.context, one["id"], question, call.viewer) for one in found]


def _measurements(call: Call, ids: list[str]) -> list[dict[str, Any]]:
    """The measurements with these ids that the caller may read. Raises Problem."""
    found = []
    with call.context.db.read() as conn:
        for resource_id in ids:
            row, _ = lookup.resource(conn, call.viewer, resource_id)
            virus_gate.require_scanned(conn, call.context.settings, call.viewer.user_id, row["id"])
            measurement_statistics.require_measurement(row)
            found.append({"id": row["id"], "name": row["name"], "package_id": row["dataset_id"]})
    return found


@action(
    "dcor_median_differences",
    listing("ids", "Ids of 2 to 12 resources", required=True),
    listing("features", "Names of scalar features; default: area_um, deform"),
    GATES,
    text("gate", "Name of one of them; all events without"),
    text("reference", "Id of the resource that the others are compared with; the first without"),
    Parameter("groups", "any", "List of {id, group: 'control' or 'treatment', replicate: a number}"),
    natural("seed", "Number of the bootstrap", default=0),
    YOUNG,
    rule="site:read",
    asks="dataset:read",
    get=True,
)
def dcor_median_differences(call: Call) -> dict[str, Any]:
    """Differences of medians with 95 % bootstrap intervals, over all events of measurements or of a gate.

    For each feature `measurements` has `count`, `median`, and against the reference `difference`, `low` and `high`; `groups` has the
    difference of the groups' mean medians (treatment minus control) and what was drawn: `kind` is "pairs" of replicates,
    "measurements", or "events" only, whose interval says nothing about how much replicates differ. The bootstrap of medians is exact
    (order statistics, no sample), its percentiles are of `draws` draws; the same `seed` gives the same numbers.
    """
    ids = measurement_statistics.require_number(call["ids"])
    question = measurement_statistics.Question.checked(
        call["features"] or [], given(call["gates"], "gates"), given(call["youngs_modulus"], "youngs_modulus")
    )
    gate, seed = call["gate"] or "", call["seed"]
    if gate and all(one["name"] != gate for one in question.gates):
        raise invalid({"gate": [f"There is no gate '{gate[:60]}'"]})
    if seed > differences.MOST_SEED:
        raise invalid({"seed": [f"A number of at most {differences.MOST_SEED} is accepted"]})
    known = [one["id"] for one in _measurements(call, ids)]
    reference = call["reference"] or known[0]
    if reference not in known:
        raise invalid({"reference": ["Name one of the measurements"]})
    try:
        groups = median_differences.assignments(given(call["groups"], "groups") or [], known)
    except ValueError as error:
        raise invalid({"groups": [str(error)]}) from error
    return differences.compute(
        call.context, known, question, gate, call.viewer, reference=reference, groups=groups, seed=seed
    )


@action(
    "dcor_gate_events",
    text("id", "Id of a resource", required=True),
    GATES,
    text("gate", "Name of one of them; all events without"),
    text("sort", "Name of a scalar feature by which they are sorted; a random sample without"),
    flag("descending", "Largest first"),
    natural("count", "How many, at most 100", default=48),
    natural("offset", "How many are left out at the beginning", default=0),
    natural("seed", "Number of the random sample", default=0),
    rule="site:read",
    asks="dataset:read",
    get=True,
)
def dcor_gate_events(call: Call) -> dict[str, Any]:
    """Numbers of single events of a gate (from 0), sampled at random or sorted by a feature.

    `total` events are in the gate; `events` are the numbers of those chosen, `values` their values of the feature they are sorted by.
    """
    gate, sort = call["gate"] or "", call["sort"] or ""
    try:
        gates = gate_rules.checked(given(call["gates"], "gates") or [])
        if gate and all(one["name"] != gate for one in gates):
            raise ValueError(f"There is no gate '{gate[:60]}'")
    except ValueError as error:
        raise invalid({"gates": [str(error)]}) from error
    if sort and not gate_rules.is_feature(sort):
        raise invalid({"sort": [f"'{sort[:60]}' is not the name of a scalar feature"]})
    with call.context.db.read() as conn:
        row, _ = lookup.resource(conn, call.viewer, call["id"])
        virus_gate.require_scanned(conn, call.context.settings, call.viewer.user_id, row["id"])
        measurement_statistics.require_measurement(row)
    return measurement_statistics.members(
        call.context, row["id"], gates, gate, call.viewer,
        count=call["count"], offset=call["offset"], sort=sort, descending=call["descending"], seed=call["seed"],
    )  # fmt: skip
