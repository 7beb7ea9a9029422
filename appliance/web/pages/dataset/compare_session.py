"""A comparison as a session of DCscope and Shape-Out 2: measurements, gates and axes of the address."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.model import dcscope_session, gates
from appliance.model.dcscope_session import Slot
from appliance.model.problem import invalid, not_found
from appliance.web.pages.dataset import compare
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.i18n import gettext as _

bp = Blueprint("compare_session", __name__)


@bp.get("/compare.so2")
@allow("site:read")
def session() -> Response:
    """The measurements that the viewer may see, as a file. Raises Problem 404 when there are none, 409."""
    files, _hidden = compare.chosen_files(request.args.getlist("r"))
    question = compare.asked_question()
    if not files:
        raise not_found(_("None of these measurements is available to you."))
    base = f"https://{request.host}/api/3/action/dcserv?id="
    slots = [Slot(one["id"], one["name"], base + one["id"], one["number"]) for one in files]
    chosen = [request.args.get(axis, "") for axis in ("x", "y")]
    known = [
        one if gates.is_feature(one) else default for one, default in zip(chosen, ("area_um", "deform"), strict=True)
    ]
    chosen_gates = [dict(one) for one in question.gates]
    try:
        found = dcscope_session.archive(slots, chosen_gates, (known[0], known[1]), question.young)
    except ValueError as error:
        raise invalid({"gates": [str(error)]}) from error
    return Response(
        found,
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="comparison.so2"'},
    )
