"""Statistics of several measurements over all of their events, made in the sandboxed readers; for the API and for pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.actions import virus_gate
from appliance.model import gates as gate_rules
from appliance.model import names, youngs_modulus
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid
from appliance.model.viewer import Viewer
from appliance.model.youngs_modulus import Conditions
from appliance.web import cpu_slot
from appliance.web.context import Context
from appliance.web.fair_slots import without_slot

MOST_FILES = 12
MOST_FEATURES = 20
#: Longest time for one file [s]: opening, and reading the columns of some million events.
_TIMEOUT = 30.0
DEFAULT_FEATURES = ("area_um", "deform")


@dataclass(frozen=True)
class Question:
    """What is asked of the files: checked features and gates (`model.gates`), and under which conditions Young's modulus is computed."""

    features: tuple[str, ...]
    gates: tuple[Mapping[str, Any], ...]
    young: Conditions | None = None

    def asked(self) -> dict[str, Any]:
        """What all questions about events hold."""
        return {"gates": list(self.gates), "young": None if self.young is None else self.young.asked()}

    @classmethod
    def checked(cls, features: Sequence[str], gates: Any, young: Any = None) -> Question:
        """From what a caller sent. Raises Problem 409 with the reasons."""
        errors: Fields = {}
        wanted = tuple(dict.fromkeys(features)) or DEFAULT_FEATURES
        odd = [name for name in wanted if not gate_rules.is_feature(name)]
        if odd:
            errors["features"] = [f"'{odd[0][:60]}' is not the name of a scalar feature"]
        elif len(wanted) > MOST_FEATURES:
            errors["features"] = [f"At most {MOST_FEATURES} features are accepted"]
        found: list[dict[str, Any]] = []
        try:
            found = gate_rules.checked(gates or [])
        except ValueError as error:
            errors["gates"] = [str(error)]
        conditions = None
        try:
            conditions = youngs_modulus.checked(young) if young else None
        except ValueError as error:
            errors["youngs_modulus"] = [str(error)]
        if errors:
            raise invalid(errors)
        return cls(wanted, tuple(found), conditions)


def require_measurement(row: sqlite3.Row) -> None:
    """Raises Problem 409 for a file of another kind."""
    if not names.is_measurement(row["name"]):
        raise invalid(message=f"Resource ID {row['id']} must be an .rtdc dataset!")


def require_number(ids: Sequence[str]) -> list[str]:
    """The ids, each once. Raises Problem 409 for none or too many."""
    unique = list(dict.fromkeys(ids))
    if not 0 < len(unique) <= MOST_FILES:
        raise invalid(
            {"ids": [Message("Between 1 and %(most)s measurements can be compared at once", most=MOST_FILES)]}
        )
    return unique


def statistics(context: Context, resource_id: str, question: Question, viewer: Viewer) -> dict[str, Any]:
    """The answer of `jobs.rtdc.population.describe` for one file that `viewer` may read. Raises Problem."""
    asked = {"what": "statistics", "features": list(question.features), **question.asked()}
    return _read(context, resource_id, asked, viewer)


def histograms(
    context: Context,
    resource_id: str,
    question: Question,
    ranges: Mapping[str, tuple[float, float, int]],
    viewer: Viewer,
) -> dict[str, Any]:
    """The answer of `jobs.rtdc.population.histograms` for one file that `viewer` may read, for all features in one pass. Raises Problem.

    :param ranges: feature → lowest and highest value, number of bins.
    """
    asked = {"what": "histograms", "ranges": dict(ranges), **question.asked()}
    return _read(context, resource_id, asked, viewer)


def members(
    context: Context,
    resource_id: str,
    gates: Sequence[Mapping[str, Any]],
    gate: str,
    viewer: Viewer,
    *,
    count: int,
    offset: int,
    sort: str,
    descending: bool,
    seed: int,
) -> dict[str, Any]:
    """The answer of `jobs.rtdc.members.choose` for one file that `viewer` may read. Raises Problem."""
    asked = {
        "what": "members",
        "gates": list(gates),
        "gate": gate,
        "count": count,
        "offset": offset,
        "sort": sort,
        "descending": descending,
        "seed": seed,
    }
    return _read(context, resource_id, asked, viewer)


def medians(
    context: Context, resource_id: str, question: Question, gate: str, viewer: Viewer, *, draws: int, seed: int
) -> dict[str, Any]:
    """The answer of `jobs.rtdc.resampling.medians` for one file that `viewer` may read. Raises Problem."""
    asked = {
        "what": "medians",
        "features": list(question.features),
        **question.asked(),
        "gate": gate,
        "draws": draws,
        "seed": seed,
        "stream": resource_id.replace("-", ""),
    }
    return _read(context, resource_id, asked, viewer)


def rows(
    context: Context, resource_id: str, question: Question, gate: str, viewer: Viewer, *, start: int, count: int
) -> dict[str, Any]:
    """The answer of `jobs.rtdc.resampling.Selected.rows` for one file that `viewer` may read. Raises Problem."""
    asked = {
        "what": "rows",
        "features": list(question.features),
        **question.asked(),
        "gate": gate,
        "start": start,
        "count": count,
    }
    return _read(context, resource_id, asked, viewer)


def elasticity(context: Context, resource_id: str, young: Conditions, x: str, y: str, viewer: Viewer) -> dict[str, Any]:
    """The answer of `jobs.rtdc.elasticity.elasticity` for one file that `viewer` may read. Raises Problem."""
    return _read(context, resource_id, {"what": "elasticity", "young": young.asked(), "x": x, "y": y}, viewer)


def _read(context: Context, resource_id: str, asked: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    if context.readers is None:
        raise Problem(503, "Service Unavailable", message=Message("Statistics cannot be made at the moment."))
    with context.db.read() as conn:
        virus_gate.require_scanned(conn, context.settings, viewer.user_id, resource_id)
    cpu_slot.release()  # a child reads now, others may work
    read = without_slot(context.readers.read)
    found: dict[str, Any] = read(
        resource_id, asked, caller=viewer.user_id or viewer.address, timeout=_TIMEOUT, long=True
    )
    return found
