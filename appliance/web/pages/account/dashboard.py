"""My data: own datasets, drafts, what is shared with me, what I follow; my circles and collections."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from appliance.store import communities, dataset_cards, sharing
from appliance.web.pages.community.view import PATHS, role_word
from appliance.web.pages.dataset.dataset_card import hits
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, viewer
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import render, url_with

bp = Blueprint("dashboard", __name__)
_PER_PAGE = 20
_MOST = 2000

_TABS = {
    "own": (
        N_("My datasets"),
        N_("You have no active datasets yet"),
        N_("Drafts become active datasets when they are complete."),
    ),
    "drafts": (N_("Drafts"), N_("No drafts"), N_("A new dataset starts as a draft, in the browser or in DCOR-Aid.")),
    "circles": (
        N_("From my circles"),
        N_("Nothing from your circles"),
        N_("Datasets uploaded by other members of your circles appear here."),
    ),
    "shared": (
        N_("Shared with me"),
        N_("Nothing shared with you yet"),
        N_("Datasets shared with you individually appear here."),
    ),
    "followed": (
        N_("Following"),
        N_("Not following anything yet"),
        N_("Follow a dataset on its page and it appears here."),
    ),
    "deleted": (N_("Deleted"), N_("Nothing deleted"), N_("Deleted drafts stay here until they are purged.")),
}


@bp.get("/dashboard")
@bp.get("/dashboard/datasets")
@allow("site:user")
def page() -> str:
    """One of the lists, chosen by ``?show=``."""
    on = request.args.get("show", "own")
    on = on if on in _TABS else "own"
    number = page_number(request.args)
    lists = {name: _pks(name) for name in _TABS}
    found = lists[on]
    heading, empty_title, empty_text = _TABS[on]
    return render(
        "account/dashboard.html",
        title=_("My data"),
        tabs=[
            {"url": url_with("/dashboard", show=name), "text": _(_TABS[name][0]), "on": name == on, "count": len(pks)}
            for name, pks in lists.items()
            if pks or name in ("own", "drafts", on)
        ],
        hits=hits(found[(number - 1) * _PER_PAGE : number * _PER_PAGE]),
        pages=pages(len(found), _PER_PAGE, number, lambda one: url_with("/dashboard", show=on, page=one)),
        empty={"title": _(empty_title), "text": _(empty_text)},
        heading=_(heading),
        circles=_communities("circle"),
        collections=_communities("collection"),
    )


def _pks(which: str) -> list[int]:
    who = viewer()
    user_id = str(who.user_id)
    if which == "followed":
        return sharing.followed_pks(conn(), user_id, who)
    return dataset_cards.own_pks(conn(), user_id, who, which, limit=_MOST)


def _communities(kind: str) -> list[dict[str, Any]]:
    held = viewer().circles if kind == "circle" else viewer().collections
    return [
        {"text": row["title"] or row["name"], "url": f"{PATHS[kind]}/{row['name']}", "role": role_word(held[row["id"]])}
        for row in communities.by_ids(conn(), held, kind)
    ]
