"""Actions on gates: saved with datasets, and as files for other programs."""

from __future__ import annotations

from typing import Any

from appliance.actions import gate_exports as exports
from appliance.actions import gate_sets as verbs
from appliance.model import gates as rules
from appliance.model import polygon_file
from appliance.model.problem import invalid
from appliance.model.values import decoded
from appliance.web.api.registry import Call, Parameter, action, flag, text

#: What all actions with gates take.
GATES = Parameter(
    "gates",
    "any",
    'List of gates: {"name", "conditions", "combine", "colour"}. A condition is {"feature", "min", "max"}, '
    '{"x", "y", "points"}, {"x", "y", "centre", "axes"} (an ellipse by two half axes) or {"gate": name of another}, each with '
    '"inverted" if it must not hold. An event is in the gate when all conditions hold, or with "combine": "or" when one does',
    longest=verbs.LONGEST,
)


def given(value: Any, field: str) -> Any:
    """Gates, groups or conditions as they came in this field: JSON, or JSON in a text. Raises Problem 409 about the field."""
    try:
        return decoded(value) if isinstance(value, str) else value
    except ValueError as error:
        raise invalid({field: ["Not JSON"]}) from error


@action(
    "dcor_gate_list",
    text("id", "Id or name of a dataset", required=True),
    rule="site:read",
    asks="dataset:read",
    get=True,
)
def dcor_gate_list(call: Call) -> list[dict[str, Any]]:
    """The sets of gates saved with a dataset: one's own, and for members of its circle those that are shared with it.

    Each has `id`, `package_id`, `name`, `gates`, `shared`, `own`, `user` and `modified`.
    """
    with call.context.db.read() as conn:
        return verbs.listed(conn, call.viewer, call["id"])


@action(
    "dcor_gate_save",
    text("id", "Id or name of a dataset, draft or active", required=True),
    text("name", "Name of the set", required=True),
    GATES,
    flag("shared", "Let all members of the dataset's circle see it (for its editors and admins)"),
    rule="write",
    asks="dataset:annotate",
)
def dcor_gate_save(call: Call) -> dict[str, Any]:
    """Save gates with a dataset, in place of one's own set of the same name. The dataset itself does not change."""
    return verbs.save(
        call.context, call.viewer, call["id"], call["name"], given(call["gates"], "gates"), shared=bool(call["shared"])
    )


@action(
    "dcor_gate_delete",
    text("id", "Id of a set of gates", required=True),
    rule="write",
    asks="dataset:annotate dataset:share",
)
def dcor_gate_delete(call: Call) -> None:
    """Delete a set of gates: one's own, or as an admin of the circle one that is shared with it."""
    verbs.delete(call.context, call.viewer, call["id"])


@action(
    "dcor_gate_file", GATES, text("gate", "Name of one of them", required=True), rule="site:read", asks=None, get=True
)
def dcor_gate_file(call: Call) -> str:
    """A gate as the text of a polygon file (.poly), which dclab, Shape-Out and DCscope read.

    Its events are those that are in all polygons of the file. A gate that needs an "or", or more than 10,000 corners, is refused.
    """
    try:
        return polygon_file.text(rules.checked(given(call["gates"], "gates")), call["gate"])
    except ValueError as error:
        raise invalid({"gates": [str(error)]}) from error


@action(
    "dcor_gate_export",
    text("id", "Id of a resource", required=True),
    GATES,
    text("gate", "Name of one of them", required=True),
    text("format", "rtdc (all features of the events, images included), csv or tsv (scalar features)", default="rtdc"),
    rule="write",
    asks="dataset:read",
)
def dcor_gate_export(call: Call) -> dict[str, Any]:
    """Have the events of a gate written to a file by a job; ask `dcor_gate_export_show` how it stands. The file is kept for a day."""
    return exports.begin(
        call.context, call.viewer, call["id"], given(call["gates"], "gates"), call["gate"], call["format"] or "rtdc"
    )


@action(
    "dcor_gate_export_show",
    text("id", "Id of an export", required=True),
    rule="site:user",
    asks="dataset:read",
    get=True,
)
def dcor_gate_export_show(call: Call) -> dict[str, Any]:
    """How an export of one's own stands: `state`, `progress`, `error`, `events`, `size`, `sha256`, `expires`, and its `url` when it is done."""
    with call.context.db.read() as conn:
        return exports.show(conn, call.viewer, call["id"])


@action("dcor_gate_export_delete", text("id", "Id of an export", required=True), rule="write", asks="dataset:read")
def dcor_gate_export_delete(call: Call) -> None:
    """Delete an export of one's own, also one that is being made."""
    exports.delete(call.context, call.viewer, call["id"])
