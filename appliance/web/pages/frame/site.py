"""The front page, preferences, and the pages every site has: about, help, contact, imprint, privacy."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.store import dataset_cards
from appliance.store.search import SearchQuery, package_search
from appliance.web.answer_key import answer_key
from appliance.web.pages.dataset.dataset_card import hits
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import i18n
from appliance.web.pages.frame.allow import allow, may
from appliance.web.pages.frame.base import conn, context, settings, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.page_cache import cacheable
from appliance.web.pages.frame.redirects import local_path
from appliance.web.pages.frame.render import THEME_COOKIE, THEMES, back_to, render

bp = Blueprint("site", __name__)
_YEAR = 365 * 24 * 3600
#: To add up the catalogue takes 10 ms for 10,000 datasets, so the sums are not made anew with each commit [s].
_TOTALS_AGE = 60.0


@bp.get("/")
@allow("open")
@cacheable
def front() -> str:
    """What is new, what waits for the reader, how to start."""
    who = viewer()
    newest = hits(dataset_cards.newest_pks(conn(), who, 8)) if who.sees_public else []
    return render(
        "front.html",
        title=_("Home"),
        headline=_("Welcome to %(site)s", site=settings().server.title),
        description=settings().server.description
        or _(
            "All your lab's deformability cytometry data in one place: find, inspect and share measurements, and open them in DCscope or dclab without copying files."
        ),
        tags=_popular_tags() if who.sees_public else [],
        figures=_figures() if newest else [],
        waiting=_waiting(),
        newest=newest,
        starts=_starts(),
    )


def _popular_tags() -> list[dict[str, str]]:
    query = SearchQuery(rows=0, facet_fields=("tags",), facet_limit=6, include_private=True)
    found = package_search(conn(), query, viewer(), context().cache).items.get("tags", [])
    return [{"text": item.name, "url": f"/dataset?tags={quote(item.name)}"} for item in found]


def _figures() -> list[dict[str, str]]:
    """Sums over all that the reader may see. They may be a minute old, but not from before a right was given or taken."""
    who = viewer()
    total = context().cache.get_lasting(
        answer_key("totals", who, ""), lambda: dict(dataset_cards.totals(conn(), who)), max_age=_TOTALS_AGE
    )
    return [
        {"name": _("Datasets"), "text": show.integer(total["datasets"])},
        {"name": _("Files"), "text": show.integer(total["resources"])},
        {"name": _("Events"), "text": show.integer(total["events"])},
        {"name": _("Data"), "text": show.size(total["bytes"])},
    ]


def _waiting() -> list[dict[str, str]]:
    who = viewer()
    if who.user_id is None:
        return []
    drafts = dataset_cards.by_pks(conn(), dataset_cards.own_pks(conn(), who.user_id, who, "drafts", limit=4))
    return [
        {
            "icon": "draft",
            "url": f"/dataset/{row['name']}",
            "text": row["title"] or row["name"],
            "note": ngettext(
                "draft with %(num)s file, changed %(when)s",
                "draft with %(num)s files, changed %(when)s",
                row["resources"],
                when=show.ago(row["modified"]),
            ),
        }
        for row in drafts
    ]


def _starts() -> list[dict[str, str]]:
    found = []
    if settings().web.browser_upload and may("dataset:create"):
        found.append(
            {
                "icon": "upload",
                "url": "/upload",
                "title": _("Upload in the browser"),
                "text": _("Drop files here; interrupted uploads resume where they stopped."),
            }
        )
    found += [
        {
            "icon": "plug",
            "url": "/connect",
            "title": _("Connect DCOR-Aid or DCscope"),
            "text": _("Server address, certificate and setup."),
        },
        {
            "icon": "help",
            "url": "/help",
            "title": _("Learn how it works"),
            "text": _("Drafts, activation, circles, collections and sharing in five minutes."),
        },
    ]
    if not viewer().anonymous:
        found.append(
            {
                "icon": "key",
                "url": f"/user/{viewer().name}/api-tokens",
                "title": _("Create an API token"),
                "text": _("For programs that act on your behalf: dclab, ckanapi or your own script."),
            }
        )
    return found


@bp.post("/preferences")
@allow("open")
def preferences() -> Response:
    """Keep the reader's choice of language and colours in cookies."""
    response = back_to(local_path(request.form.get("next", "")))
    language, theme = request.form.get("language", ""), request.form.get("theme", "")
    if language in i18n.LANGUAGES:
        _keep(response, i18n.COOKIE, language)
    if theme in THEMES:
        _keep(response, THEME_COOKIE, theme)
    return response


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, secure=request.is_secure, httponly=True, samesite="Lax", path="/")


def _text_page(title: str, template: str, **model: Any) -> str:
    return render(
        f"site/{template}.html", title=title, contact=settings().web.contact, docs_url=settings().web.docs_url, **model
    )


@bp.get("/about")
@allow("open")
def about() -> str:
    """What this is."""
    from appliance import __version__

    return _text_page(_("About"), "about", version=__version__)


@bp.get("/help")
@allow("open")
def help_page() -> str:
    """The ideas a user needs: draft, active, circle, collection, sharing."""
    return _text_page(_("Help"), "help")


@bp.get("/contact")
@allow("open")
def contact() -> str:
    """Whom to ask."""
    return _text_page(_("Contact"), "contact")


@bp.get("/imprint")
@allow("open")
def imprint() -> str:
    """Who is responsible for this server."""
    return _text_page(_("Imprint"), "imprint", host=settings().server.hostname)


@bp.get("/privacy")
@allow("open")
def privacy() -> str:
    """What is kept about users."""
    return _text_page(_("Privacy"), "privacy", hours=settings().web.session_hours)
