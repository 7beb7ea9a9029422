"""Conditions of Young's modulus for a measurement, and isoelasticity lines for the axes of its plot, as JSON for the explorer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request

from appliance.actions import virus_gate
from appliance.model import gates
from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.web import measurement_statistics as figures
from appliance.web.fair_slots import without_slot
from appliance.web.pages.dataset import resource
from appliance.web.pages.dataset.elasticity_texts import asked
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, context, release, settings, viewer
from appliance.web.pages.frame.message_translation import translate

bp = Blueprint("elasticity", __name__)


@bp.get("/dataset/<ref>/resource/<resource_id>/elasticity.json")
@allow("dataset:read")
def conditions(ref: str, resource_id: str) -> Any:
    """Conditions and isoelasticity lines, or the reason why there are none. Raises Problem 404, 409, 503."""
    resource.load(ref, resource_id)
    virus_gate.require_scanned(conn(), settings(), viewer().user_id, resource_id)
    young = asked(request.args)
    x, y = (request.args.get(axis, "") for axis in ("x", "y"))
    if young is None or not (gates.is_feature(x) and gates.is_feature(y)):
        raise invalid(message=Message("Specify a look-up table (lut) and the features of both axes (x, y)."))
    site, who = context(), viewer()
    release()  # nobody needs the database while a child reads
    found = without_slot(figures.elasticity)(site, resource_id, young, x, y, who)
    if "reason" in found:
        return jsonify({"reason": translate(str(found["reason"]))})
    return jsonify({"conditions": found["conditions"], "lines": found["lines"]})
