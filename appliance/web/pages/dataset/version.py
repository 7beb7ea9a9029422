"""A new version of an active dataset: choosing its files."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.actions import versions as verbs
from appliance.model.problem import not_found
from appliance.store import resources, versions
from appliance.web.pages.dataset.dataset_card import dataset_url
from appliance.web.pages.dataset.manage import frame
from appliance.web.pages.dataset.view import load
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("dataset_version", __name__)


@bp.get("/dataset/<ref>/version")
@allow("dataset:version")
def page(ref: str) -> str:
    """What a new version is, and which files it shall begin with."""
    row, _facts = load(ref)
    if row["state"] != "active":
        raise not_found()
    return render(
        "dataset/version.html",
        **frame(row, _("New version")),
        files=[
            {"id": file["id"], "name": file["name"], "size": show.size(file["size"])}
            for file in resources.of_dataset(conn(), row["id"])
        ],
        drafts=[
            {"title": one["title"] or one["name"], "url": dataset_url(one)}
            for one in versions.drafts(conn(), row["id"], viewer())
        ],
    )


@bp.post("/dataset/<ref>/version")
@allow("dataset:version")
def create(ref: str) -> Response:
    """Make the draft."""
    row, _facts = load(ref)
    made = verbs.create(site(), viewer(), row["id"], request.form.getlist("id"))
    return back_to(f"/dataset/{made}", done="version-created")
