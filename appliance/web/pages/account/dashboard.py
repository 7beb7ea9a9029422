"""My data: own datasets, drafts, what is shared with me, what I follow; my circles and collections."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from appliance.actions import comparisons, deletion, saved_searches
from appliance.model.problem import bad_request
from appliance.store import communities, dataset_cards, following
from appliance.web.pages.community.view import PATHS, role_word
from appliance.web.pages.dataset.dataset_card import hits
from appliance.web.pages.dataset.dataset_search import MOST_SELECTED
from appliance.web.pages.dataset.selection import chosen_datasets, nothing_selected
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import conn, site, viewer
from appliance.web.pages.frame.confirm import question
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import back_to, render, url_with

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
#: list → what can be done with the datasets ticked in it
_BULK: dict[str, tuple[dict[str, Any], ...]] = {
    "drafts": ({"do": "delete", "icon": "trash", "text": N_("Delete drafts"), "danger": True},),
    "deleted": (
        {"do": "restore", "icon": "draft", "text": N_("Restore"), "danger": False},
        {"do": "purge", "icon": "trash", "text": N_("Purge"), "danger": True},
    ),
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
        tabs=_tabs({name: len(pks) for name, pks in lists.items()}, on),
        hits=hits(found[(number - 1) * _PER_PAGE : number * _PER_PAGE]),
        pages=pages(len(found), _PER_PAGE, number, lambda one: url_with("/dashboard", show=on, page=one)),
        empty={"title": _(empty_title), "text": _(empty_text)},
        heading=_(heading),
        show=on,
        bulk=[entry | {"text": _(entry["text"])} for entry in _BULK.get(on, ())],
        most_selected=MOST_SELECTED,
        circles=_communities("circle"),
        collections=_communities("collection"),
    )


def tabs(on: str) -> list[dict[str, Any]]:
    """The tabs of *My data*, with `on` the one that is shown."""
    return _tabs({name: len(_pks(name)) for name in _TABS}, on)


def _tabs(counts: dict[str, int], on: str) -> list[dict[str, Any]]:
    found = [
        {"url": url_with("/dashboard", show=name), "text": _(_TABS[name][0]), "on": name == on, "count": count}
        for name, count in counts.items()
        if count or name in ("own", "drafts", on)
    ]
    saved, searches = comparisons.count(conn(), viewer()), saved_searches.count(conn(), viewer())
    return [
        *found,
        {"url": "/comparisons", "text": _("Comparisons"), "on": on == "comparisons", "count": saved},
        {"url": "/searches", "text": _("Saved searches"), "on": on == "searches", "count": searches},
    ]


@bp.post("/dashboard/selection")
@allow("site:user")
def selection() -> Any:
    """Delete, restore or purge the ticked datasets, all or none; the verb asks the policy about each."""
    chosen, what = chosen_datasets(), request.form.get("do", "")
    if not chosen:
        return nothing_selected(), 409
    ids = [row["id"] for row in chosen]
    if what == "restore":
        deletion.restore(site(), viewer(), *ids)
        return back_to("/dashboard?show=drafts", done="all-restored" if len(ids) > 1 else "restored")
    if what not in ("delete", "purge"):
        raise bad_request("do")
    asked = _question(what, chosen)
    if asked:
        return asked
    if what == "delete":
        deletion.delete(site(), viewer(), *ids)
        return back_to("/dashboard?show=deleted", done="drafts-deleted" if len(ids) > 1 else "draft-deleted")
    deletion.purge(site(), viewer(), *ids)
    return back_to("/dashboard?show=deleted", done="all-purged" if len(ids) > 1 else "purged")


def _question(what: str, chosen: list[Any]) -> str | None:
    """Name what would be deleted or purged."""
    lines = [
        f"{row['title'] or row['name']} ({ngettext('%(num)s file', '%(num)s files', row['num_resources'])})"
        for row in chosen
    ]
    if what == "delete":
        title = ngettext("Delete %(num)s draft?", "Delete %(num)s drafts?", len(chosen))
        if len(chosen) == 1:
            button, text = (
                _("Delete draft"),
                _("It is removed from all lists. Until it is purged you can restore it under Deleted."),
            )
        else:
            button, text = (
                _("Delete drafts"),
                _("They are removed from all lists. Until they are purged you can restore them under Deleted."),
            )
        return question(title, text, button, back="/dashboard?show=drafts", items=lines)
    title = ngettext("Purge %(num)s dataset?", "Purge %(num)s datasets?", len(chosen))
    text = _("The datasets and their files are removed permanently. This cannot be undone here.")
    return question(title, text, _("Purge"), back="/dashboard?show=deleted", items=lines)


def _pks(which: str) -> list[int]:
    who = viewer()
    user_id = str(who.user_id)
    if which == "followed":
        return following.followed_datasets(conn(), user_id, who)
    return dataset_cards.own_pks(conn(), user_id, who, which, limit=_MOST)


def _communities(kind: str) -> list[dict[str, Any]]:
    held = viewer().circles if kind == "circle" else viewer().collections
    return [
        {"text": row["title"] or row["name"], "url": f"{PATHS[kind]}/{row['name']}", "role": role_word(held[row["id"]])}
        for row in communities.by_ids(conn(), held, kind)
    ]
