"""What the explorer's script needs to know; everything else it reads from ``columns.bin`` and asks of the API."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model.viewer import DatasetFacts
from appliance.web.pages.dataset import elasticity_texts
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.allow import may
from appliance.web.pages.frame.i18n import gettext as _


def model(row: sqlite3.Row, file: sqlite3.Row, found: dict[str, Any], facts: DatasetFacts) -> dict[str, Any]:
    """The measurement's addresses, features and labels, what the viewer may do, and the texts."""
    rate = (found["config"].get("fluorescence") or {}).get("sample rate")
    names = sorted(
        {*found["scalar_features"], *found["condensed_features"]}, key=lambda name: labels.feature(name)[0].lower()
    )
    return {
        "id": file["id"],
        "dataset": row["id"],
        "url": f"/dataset/{row['id']}/resource/{file['id']}",
        "traceStep": 1e6 / rate if isinstance(rate, (int, float)) and rate > 0 else None,  # µs
        "name": file["name"].rpartition(".")[0],
        "labels": {name: list(labels.feature(name)) for name in [*names, "emodulus"]},
        "groups": labels.grouped(names),
        "may": {"annotate": may("dataset:annotate", facts), "share": may("dataset:annotate_shared", facts)},
        "young": elasticity_texts.choices({}),
        "words": _words() | {"young": elasticity_texts.words()},
    }


def _words() -> dict[str, Any]:
    return {
        "all": _("All {count} events"),
        "selected": _("{count} of {all} events selected ({share} %)"),
        "subsampled": _("{rows} of {events} events are shown, evenly spaced."),
        "failed": _("The explorer could not load the data: {reason}"),
        "noEvent": _("The image of this event cannot be shown."),
        "linkCopied": _("Link to this view copied"),
        "traceTime": _("Time [µs]"),
        "traceSamples": _("Sample"),
        "hints": {
            "pan": _(
                "Drag to pan. Hold Ctrl and scroll to zoom, or click the plot first (over an axis: that axis only). Click an event to see it; double-click to show all."
            ),
            "box": _("Drag a rectangle around the events of interest."),
            "polygon": _("Click each corner and double-click to close, or draw around the events in one stroke."),
            "ellipse": _("Drag the rectangle that encloses the ellipse."),
            "range": _("Drag horizontally for a range of the x feature, vertically for a range of the y feature."),
        },
        "exports": {
            "choose": _("Select a gate first."),
            "failed": _("The file could not be created."),
            "ready": _("({count} events, {size} MB)"),
        },
        "course": {
            "time": _("Time [s]"),
            "rate": _("Events/s"),
            "window": _("Running median over {count} events"),
        },
        "gallery": {
            "event": _("Event {number}"),
            "count": _("{shown} of {all} events ({gate})"),
        },
        "gates": {
            "fresh": _("Gate {n}"),
            "everything": _("all events"),
            "choose": _("Select {name}"),
            "colour": _("Colour of {name}"),
            "name": _("Name of {name}"),
            "invert": _("not {name}"),
            "delete": _("Delete {name}"),
            "taken": _("This name is empty or already in use."),
            "used": _("The gate “{name}” depends on this one. Delete that one first."),
            "two": _("Choose two different gates."),
            "bounds": _("Enter one or two numbers, the smaller one first."),
            "small": _("This shape has no area. Draw a larger one."),
            "missing": _("a feature is missing"),
            "polygon": _("polygon"),
            "ellipse": _("ellipse"),
            "and": _("and"),
            "or": _("or"),
            "not": _("not"),
            "saved": _("The gates were saved"),
            "forgotten": _("The saved gates were deleted"),
            "sharedMark": _("for the circle"),
        },
    }
