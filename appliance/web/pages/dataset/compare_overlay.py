"""What the script of a comparison's overlay needs to know; it reads the events from ``columns.bin`` of each measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from appliance.web.measurement_statistics import Question
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import url_with


def model(files: Sequence[Mapping[str, Any]], features: Sequence[str], question: Question) -> dict[str, Any]:
    """Axes and switches as the address has them, and the texts.

    :param features: scalar features that a measurement has, in the order of the menus.
    """
    asked = request.args
    gate = question.gates[0]["name"] if question.gates else ""
    first = question.features[0]
    other = next((name for name in (*question.features[1:], "deform", "area_um") if name != first), first)
    drawn = asked.getlist("draw") or ["points", "lines"]
    return {
        "of": gate or _("all events"),
        "axes": [
            _axis("x", first, features, _("Feature on the x axis"), _("Logarithmic x axis")),
            _axis("y", other, features, _("Feature on the y axis"), _("Logarithmic y axis")),
        ],
        "points": "points" in drawn,
        "lines": "lines" in drawn,
        "multiples": asked.get("multiples") == "1",
        "data": {
            "files": [_file(one, question) for one in files],
            "gates": list(question.gates),
            "gate": gate,
            "words": {
                "plot": _("Scatter plot of {y} against {x}; the numbers are in the table below"),
                "sampled": _("The picture shows a random sample of the events; the statistics below are over all of them."),
                "lacking": _("{count} measurements lack these features, or have no events there."),
                "densest": _("Densest at {feature}"),
                "failed": _("The events of these measurements are not prepared for plots yet. Try again in a few minutes."),
            },
        },
    }  # fmt: skip


def _file(one: Mapping[str, Any], question: Question) -> dict[str, Any]:
    young = {} if question.young is None else question.young.asked()
    modulus = url_with(f"{one['url']}/emodulus.bin", **young) if young else ""
    return {"number": one["number"], "name": one["name"], "url": one["url"], "modulus": modulus}


def _axis(name: str, default: str, features: Sequence[str], title: str, log_title: str) -> dict[str, Any]:
    chosen = request.args.get(name, "")
    chosen = chosen if chosen in features else default
    options = [{"value": one, "text": labels.title(one), "on": one == chosen} for one in features]
    log = request.args.get(f"{name}log") == "1"
    return {"name": name, "title": title, "log_title": log_title, "log": log, "options": options}
