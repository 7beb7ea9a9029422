"""Differences of medians of several measurements, for the API and for pages; the bootstrap is made in the readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.model import median_differences as rules
from appliance.model.median_differences import Assignment, Medians
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.web import measurement_statistics as figures
from appliance.web.context import Context

MOST_SEED = 2**32 - 1


def compute(
    context: Context,
    ids: Sequence[str],
    question: figures.Question,
    gate: str,
    viewer: Viewer,
    *,
    reference: str,
    groups: Mapping[str, Assignment],
    seed: int,
    skip: bool = False,
) -> dict[str, Any]:
    """Of each feature of `question`: medians, differences from `reference` and between the groups, over all events of the gate.

    :param ids: measurements that `viewer` may read; `skip`: one that lacks the gate or cannot be read is left out.
    :returns: {draws, level, seed, features: [{feature, measurements: [{id, count, median, difference, low, high}], groups}]}.
        The reference's own difference, and those of a feature that the reference lacks, are None.
    """
    known: dict[str, dict[str, Medians]] = {}
    for one in ids:
        try:
            answer = figures.medians(context, one, question, gate, viewer, draws=rules.DRAWS, seed=seed)
        except Problem as problem:
            if not skip or problem.status not in (404, 409):
                raise
            continue
        known[one] = {name: Medians.read(numbers) for name, numbers in answer["medians"].items()}
    found = []
    for feature in question.features:
        here = {one: features[feature] for one, features in known.items() if feature in features}
        rows = []
        for one, medians in here.items():
            row: dict[str, Any] = {"id": one, "count": medians.count, "median": medians.median}
            compared = one != reference and reference in here
            row |= rules.between(medians, here[reference]) if compared else dict.fromkeys(("difference", "low", "high"))
            rows.append(row)
        grouped = rules.of_groups([(here[one], where) for one, where in groups.items() if one in here], seed)
        found.append({"feature": feature, "measurements": rows, "groups": grouped})
    return {"draws": rules.DRAWS, "level": rules.LEVEL, "seed": seed, "features": found}
