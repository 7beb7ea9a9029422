"""The trash: what was deleted and is still there whole, and its way back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from appliance.actions import trash
from appliance.model.problem import Problem
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import settings, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import render, url_with

bp = Blueprint("admin_trash", __name__)
_PER_PAGE = 100
KINDS = {
    "dataset": N_("Dataset"),
    "file": N_("File"),
    "user": N_("User"),
    "circle": N_("Circle"),
    "collection": N_("Collection"),
}
ICONS = {"dataset": "dataset", "file": "file", "user": "user", "circle": "circle", "collection": "collection"}


@bp.get("/admin/trash")
@allow("site:administer")
def page() -> str:
    """Everything that was deleted and not purged yet, latest first."""
    return _page()


def _page(**said: Any) -> str:
    found = trash.listed(site(), viewer())
    days = settings().jobs.trash_days
    at = page_number(request.args)
    return render(
        "admin/trash.html",
        entries=[_row(one) for one in found[(at - 1) * _PER_PAGE : at * _PER_PAGE]],
        pages=pages(len(found), _PER_PAGE, at, lambda one: url_with("/admin/trash", page=one)),
        count=ngettext("%(num)s entry", "%(num)s entries", len(found)),
        keep=ngettext("Datasets are purged after %(num)s day.", "Datasets are purged after %(num)s days.", days)
        if days
        else "",
        **said,
        **frame("trash", _("Trash")),
    )


def _row(one: dict[str, Any]) -> dict[str, str]:
    return {
        "kind": one["kind"],
        "word": _(KINDS[one["kind"]]),
        "icon": ICONS[one["kind"]],
        "name": one["name"],
        "of": one["of"] or "",
        "id": one["id"],
        "since": show.ago(one["since"]),
        "since_title": show.moment(one["since"]),
    }


@bp.post("/admin/trash/restore")
@allow("site:administer")
def restore() -> Any:
    """Bring back one thing as it was, after asking."""
    kind, ref = request.form.get("kind", ""), request.form.get("id", "")
    entry = next((one for one in trash.listed(site(), viewer()) if (one["kind"], one["id"]) == (kind, ref)), None)
    if entry is None:
        return _page(error=_("This is no longer in the trash. It may be in a backup.")), 409
    asked = question(
        _("Restore “%(name)s”?", name=entry["name"]),
        _("It is restored as it was before it was deleted."),
        _("Restore"),
        back="/admin/trash",
        takes=False,
        items=[" · ".join(part for part in (_(KINDS[kind]), entry["name"], entry["of"] or "") if part)],
    )  # fmt: skip
    if asked:
        return asked
    try:
        notes = trash.restore(site(), viewer(), kind, ref)
    except Problem as problem:
        if problem.status not in (404, 409):
            raise
        return _page(error=" ".join(messages(problem).values())), 409
    return _page(restored=_("Restored: %(name)s", name=entry["name"]), notes=[translate(line) for line in notes])
