"""What can be done with several datasets at once: download as one archive, a script for many, into a collection."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from appliance.actions import collecting
from appliance.model import names
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.store import datasets, resources
from appliance.web.measurement_statistics import MOST_FILES
from appliance.web.pages.dataset.dataset_card import dataset_url
from appliance.web.pages.dataset.dataset_search import MOST_SELECTED
from appliance.web.pages.dataset.sharing import own_collections
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, settings, site, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render, url_with

bp = Blueprint("selection", __name__)


def chosen_datasets() -> list[Any]:
    """The datasets of the form that the viewer may see. Raises Problem 409 when there are too many."""
    refs = dict.fromkeys(request.form.getlist("id"))
    if len(refs) > MOST_SELECTED:
        raise Problem(
            409,
            "Validation Error",
            message=_(
                "Select at most %(most)s datasets at once; you have selected %(count)s.",
                most=MOST_SELECTED,
                count=len(refs),
            ),
        )
    rows = (datasets.visible(conn(), ref, viewer()) for ref in refs)
    return [row for row in rows if row is not None]


def nothing_selected() -> str:
    """The page that says so."""
    return render(
        "dataset/selection.html",
        title=_("Selection"),
        datasets=[],
        refused=[],
        collections=[],
        ids=[],
        may_create=False,
    )


@bp.post("/dataset/selection")
@allow("site:read")
def act() -> Any:
    """Do what the pressed button says; without a selection, say that there is none."""
    chosen, what = chosen_datasets(), request.form.get("do", "")
    if not chosen:
        return nothing_selected(), 409
    if what == "zip":
        return redirect(url_with("/datasets.zip", dataset=[row["id"] for row in chosen]), 303)
    if what == "compare":
        return redirect(url_with("/compare", r=_measurements(chosen)), 303)
    if what == "script":
        return _script(chosen)
    return render(
        "dataset/selection.html",
        title=_("Add to a collection"),
        datasets=[_line(row) for row in chosen if _shareable(row)],
        refused=[_line(row) for row in chosen if not _shareable(row)],
        ids=[row["id"] for row in chosen if _shareable(row)],
        collections=[
            {"value": one["name"], "text": one["title"] or one["name"], "on": False} for one in own_collections()
        ],
        may_create=may("collection:create"),
    )


def _measurements(chosen: list[Any]) -> list[str]:
    """Ids of the measurements of the chosen datasets. Raises Problem 409 for more than can be compared."""
    found = [
        file["id"]
        for row in chosen
        for file in resources.of_dataset(conn(), row["id"])
        if names.is_measurement(file["name"])
    ]
    if len(found) > MOST_FILES:
        raise Problem(
            409,
            "Validation Error",
            message=_(
                "At most %(most)s measurements can be compared at once; there are %(count)s. Select some of them on a dataset's page.",
                most=MOST_FILES,
                count=len(found),
            ),
        )
    return found


def _line(row: Any) -> dict[str, str]:
    return {"title": row["title"] or row["name"], "url": dataset_url(row)}


def _shareable(row: Any) -> bool:
    return may("dataset:collect", datasets.facts_of(conn(), row))


def _script(chosen: list[Any]) -> Response:
    """One script that runs the download script of each dataset, so that it stays small."""
    lines = [
        "#!/bin/sh",
        "# Downloads the chosen datasets and checks them. Run it again to go on after an interruption.",
        "# DCOR_TOKEN=…  API token, for what is not public",
        "set -eu",
    ]
    for row in chosen:
        address = f"{settings().site_url}/dataset/{row['id']}/download.sh"
        lines.append(
            f'curl --fail --silent --show-error ${{DCOR_TOKEN:+--header "Authorization: $DCOR_TOKEN"}} "{address}" | sh'
        )
    return Response(
        "\n".join(lines) + "\n",
        content_type="text/x-shellscript; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="download-datasets.sh"'},
    )


@bp.post("/dataset/selection/collect")
@allow("site:user")
def collect() -> Response:
    """Add the chosen datasets to a collection, all or none; the rules are asked by the verb."""
    name, chosen = request.form.get("collection", ""), list(dict.fromkeys(request.form.getlist("id")))
    if not 0 < len(chosen) <= MOST_SELECTED:
        raise invalid({"id": [Message("Between 1 and %(most)s datasets can be added at once", most=MOST_SELECTED)]})
    collecting.add(site(), viewer(), name, chosen)
    return back_to(f"/group/{name}", done="added")
