"""Groups of a comparison (control and treatment, replicates), as the address has them, and the differences of medians."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from appliance.model import median_differences as rules
from appliance.model import supplements
from appliance.model.median_differences import Assignment
from appliance.model.problem import invalid
from appliance.web import differences
from appliance.web.fair_slots import without_slot
from appliance.web.measurement_statistics import Question
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.base import context, release, settings, viewer
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _

File = Mapping[str, Any]
_ROLES = {"control": N_("Control"), "treatment": N_("Treatment")}
_KINDS = {
    "pairs": N_("pairs of replicates, and events within them"),
    "measurements": N_("measurements, and events within them"),
    "events": N_("events only; how much replicates differ is not in it"),
}
_MOST_VALUES = 6


def assigned(files: Sequence[File]) -> dict[str, Assignment]:
    """Where each measurement belongs: by hand (`role`, `rep`, in the order of `r`), otherwise by a supplement (`by`). Raises Problem 409."""
    hand, replicates = _by_hand("role"), _by_hand("rep")
    key, _sign, control = request.args.get("by", "").partition("=")
    found = {}
    for one in files:
        role = hand.get(one["id"], "")
        value = one["supplements"].get(key) if key else None
        if not role and value is not None:
            role = "control" if str(value) == control else "treatment"
        if role:
            try:
                found[one["id"]] = rules.assignment(role, replicates.get(one["id"], "").strip())
            except ValueError as error:
                raise invalid({"role": [str(error)]}) from error
    return found


def _by_hand(name: str) -> dict[str, str]:
    """The first value of the parameter `name` for each `r` that has one."""
    asked = request.args
    return dict(reversed(list(zip(asked.getlist("r"), asked.getlist(name), strict=False))))


def form(files: Sequence[File], groups: Mapping[str, Assignment]) -> dict[str, Any]:
    """What the fields show: for each measurement its group and replicate, and the supplements that could tell groups apart.

    Groups by a supplement are not chosen in the fields: sent back they would be groups by hand, which no other supplement changes.
    """
    rows, hand = [], _by_hand("role")
    for one in files:
        where = groups.get(one["id"])
        options = [{"value": role, "text": _(text), "on": hand.get(one["id"]) == role} for role, text in _ROLES.items()]
        replicate = "" if where is None or where.replicate is None else str(where.replicate)
        rows.append({"number": one["number"], "name": one["name"], "roles": options, "replicate": replicate})
    reference = chosen_reference(files)
    return {
        "rows": rows,
        "by": _supplements(files),
        "references": [
            {"value": one["id"], "text": f"{one['number']} {one['name']}", "on": one["id"] == reference}
            for one in files
        ],
    }


def chosen_reference(files: Sequence[File]) -> str:
    """The measurement that the others are compared with: `ref`, otherwise the first."""
    wanted = request.args.get("ref", "")
    return wanted if any(one["id"] == wanted for one in files) else str(files[0]["id"])


def query(files: Sequence[File], groups: Mapping[str, Assignment]) -> dict[str, Any]:
    """The parameters of an address that mean the same groups."""
    if not groups:
        return {}
    where = [groups.get(one["id"]) for one in files]
    return {
        "role": ["" if one is None else one.role for one in where],
        "rep": ["" if one is None or one.replicate is None else str(one.replicate) for one in where],
    }


def table(files: Sequence[File], question: Question, groups: Mapping[str, Assignment]) -> dict[str, Any] | None:
    """Differences of medians of the first gate (or of all events) as texts; None for a single measurement."""
    if len(files) < 2:
        return None
    gate = question.gates[0]["name"] if question.gates else ""
    site, who = context(), viewer()
    reference = chosen_reference(files)
    release()  # nobody needs the database while children read

    @without_slot
    def compute() -> dict[str, Any]:
        """All files, one after the other."""
        ids = [one["id"] for one in files]
        return differences.compute(
            site, ids, question, gate, who, reference=reference, groups=groups, seed=0, skip=True
        )  # fmt: skip

    found = compute()
    names = {one["id"]: one for one in files}
    rows, grouped = [], []
    for entry in found["features"]:
        title = labels.title(entry["feature"])
        for one in entry["measurements"]:
            file, where = names[one["id"]], groups.get(one["id"])
            rows.append(
                {
                    "feature": title,
                    "number": file["number"],
                    "file": file["name"],
                    "group": _group(where),
                    "median": show.number(one["median"], 6),
                    **_shown(one, reference=one["id"] == reference),
                }
            )
        if entry["groups"]:
            group = entry["groups"]
            grouped.append(
                {
                    "feature": title,
                    "control": show.integer(group["control"]),
                    "treatment": show.integer(group["treatment"]),
                    "kind": _(_KINDS[group["kind"]]),
                    **_shown(group, reference=False),
                }
            )
    return {
        "of": gate or _("all events"),
        "rows": rows,
        "groups": grouped,
        "reference": f"{names[reference]['number']} {names[reference]['name']}",
        "method": _(
            "95 %% intervals of the bootstrap over all events (exact distribution of bootstrap medians, percentiles of %(draws)s draws, always the same for the same files).",
            draws=show.integer(found["draws"]),
        ),
    }


def _shown(one: Mapping[str, Any], *, reference: bool) -> dict[str, str]:
    if one["difference"] is None:
        return {"difference": _("reference") if reference else "–", "interval": ""}
    low, high = (show.number(one[end], 4) for end in ("low", "high"))
    return {"difference": show.number(one["difference"], 4), "interval": _("%(low)s to %(high)s", low=low, high=high)}


def _group(where: Assignment | None) -> str:
    if where is None:
        return "–"
    return _(_ROLES[where.role]) + (f" {where.replicate}" if where.replicate is not None else "")


def _supplements(files: Sequence[File]) -> list[dict[str, Any]]:
    """Supplements with at least two values among the measurements, each value once as the control."""
    found = []
    which = settings().policy.supplements
    for key in sorted({key for one in files for key in one["supplements"]}):
        values = sorted({str(one["supplements"][key]) for one in files if one["supplements"].get(key) is not None})
        if not 2 <= len(values) <= _MOST_VALUES:
            continue
        entry = supplements.item(which, key)
        name = _(entry["name"]) if entry else key
        chosen = request.args.get("by", "")
        for value in values:
            text = _("%(name)s: %(value)s is control, others treatment", name=name, value=value)
            found.append({"value": f"{key}={value}", "text": text, "on": chosen == f"{key}={value}"})
    return found
