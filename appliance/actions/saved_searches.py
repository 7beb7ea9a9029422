"""Saving searches of measurements and datasets for oneself. What is saved is the page's address, never its results; nobody else sees it."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import parse_qsl, urlencode

from appliance.actions import callers, upload_limits
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import invalid, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import audit, saved_pages

MOST = 200
LONGEST_TITLE = 200
LONGEST_QUERY = 8000
_NUMBERS = frozenset(
    f"{name}_{end}" for name in ("events", "flow", "width", "area", "deform", "emodulus") for end in ("min", "max")
)
#: Page → what its address may hold that belongs to the search.
PAGES = {
    "measurements": _NUMBERS | {"q", "region", "verdict", "medium", "device", "date_min", "date_max", "sort", "way", "c"},
    "dataset": frozenset({
        "q", "sort", "organization", "groups", "tags", "verdict", "res_format", "license_id", "year", "region", "sample",
        "flow_min", "flow_max", "width_min", "width_max", "events_min", "events_max",
    }),
}  # fmt: skip


def listed(conn: sqlite3.Connection, viewer: Viewer) -> list[dict[str, Any]]:
    """The caller's own searches, the newest first."""
    return saved_pages.own(conn, viewer.user_id or "", *PAGES)


def count(conn: sqlite3.Connection, viewer: Viewer) -> int:
    """How many searches `listed` gives."""
    return len(saved_pages.titles(conn, viewer.user_id or "", *PAGES))


def get(conn: sqlite3.Connection, viewer: Viewer, search_id: str) -> dict[str, Any]:
    """A search of the caller's. Raises Problem 404."""
    found = saved_pages.get(conn, search_id, *PAGES)
    if found is None or viewer.user_id is None or found["user_id"] != viewer.user_id:
        raise not_found(Message("There is no such search, or you may not see it"))
    return found


def save(site: Site, viewer: Viewer, page: str, title: str, address: str) -> str:
    """Save the query of a page's address under a title, in place of what had the same one; returns its id. Raises Problem 403 or 409."""
    title, query = _title(title), _query(page, address)
    upload_limits.require_reserve(site)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        policy.require(viewer, "user:update", viewer.user_id or "")
        known = saved_pages.titles(tx, viewer.user_id or "", *PAGES)
        if len(known) >= MOST and (page, title) not in known:
            raise invalid({"title": [Message("You have saved %(most)s searches already. Delete one first", most=MOST)]})
        made = saved_pages.put(tx, viewer.user_id or "", page, title, query)
        audit.add(tx, viewer, "search.save", "search", made)
    return made


def retitle(site: Site, viewer: Viewer, search_id: str, title: str) -> None:
    """Give a search of the caller's another title. Raises Problem 403, 404 or 409."""
    title = _title(title)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        found = _owned(tx, viewer, search_id)
        known = saved_pages.titles(tx, found["user_id"], found["page"])
        if title != found["title"] and (found["page"], title) in known:
            raise invalid({"title": [Message("You have another search with this title. Choose a different one")]})
        saved_pages.retitle(tx, found["id"], title)
        audit.add(tx, viewer, "search.rename", "search", found["id"])


def delete(site: Site, viewer: Viewer, search_id: str) -> None:
    """Delete a search of the caller's. Raises Problem 403 or 404."""
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        found = _owned(tx, viewer, search_id)
        saved_pages.remove(tx, found["id"])
        audit.add(tx, viewer, "search.delete", "search", found["id"])


def _owned(tx: sqlite3.Connection, viewer: Viewer, search_id: str) -> dict[str, Any]:
    found = get(tx, viewer, search_id)
    policy.require(viewer, "user:update", found["user_id"])
    return found


def _title(text: str) -> str:
    title = text.strip()
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise invalid(
            {"title": [Message("Give the search a title of at most %(most)s characters", most=LONGEST_TITLE)]}
        )
    return title


def _query(page: str, address: str) -> str:
    """What belongs to the search, without empty fields. Raises Problem 409."""
    if page not in PAGES:
        raise invalid({"page": [Message("Only searches of datasets and of measurements can be saved")]})
    text = address.removeprefix("?")
    try:
        pairs = parse_qsl(text[: LONGEST_QUERY + 1], max_num_fields=300)
    except ValueError as error:
        raise invalid(message=Message("The address has too many parameters.")) from error
    query = urlencode([(key, value) for key, value in pairs if key in PAGES[page]])
    if max(len(text), len(query)) > LONGEST_QUERY:  # encoded anew it may be three times as long
        raise invalid(
            message=Message("The address is longer than %(most)s characters. Use fewer filters.", most=LONGEST_QUERY)
        )
    return query
