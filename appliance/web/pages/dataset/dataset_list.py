"""The list of datasets: search, facets, ranges, sorting; the address is the state of the filters."""

from __future__ import annotations

from flask import Blueprint, request

from appliance.web.pages.dataset import saved_search
from appliance.web.pages.dataset.dataset_search import listing
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import render

bp = Blueprint("find", __name__)


@bp.get("/dataset")
@bp.get("/dataset/")
@allow("site:read")
def page() -> str:
    """Datasets that fit, with everything to narrow them down. Scripts ask for the changing parts alone."""
    model = listing("/dataset", request.args) | {"save_url": saved_search.save_url("dataset")}
    template = "dataset/parts.html" if request.headers.get("X-Fragment") else "dataset/list.html"
    return render(template, title=_("Datasets"), **model)
