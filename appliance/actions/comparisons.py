"""Saving and sharing comparisons of measurements. Only the URL of the page is stored, no data.

A user with whom a comparison is shared sees the measurements they may read; of the others only that they are missing, and
nothing at all (not even the title) if they may read none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import parse_qsl, urlencode

from appliance.actions import callers, lookup, upload_limits
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import audit, datasets, resources, saved_pages

MOST = 200
MOST_PEOPLE = 100
MOST_FILES = 12
LONGEST_TITLE = 200
LONGEST_QUERY = 50_000
#: What an address of the page may hold beside the measurements (`r`).
KEYS = frozenset({
    "f", "g", "gate", "gate_min", "gate_max", "role", "rep", "by", "ref", "x", "y", "xlog", "ylog", "draw", "multiples",
    "lut", "medium", "temperature", "viscosity", "model",
})  # fmt: skip


def listed(conn: sqlite3.Connection, viewer: Viewer) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The caller's own comparisons, and those shared with them of which they may read something."""
    return saved_pages.own(conn, viewer.user_id or "", saved_pages.COMPARE), _shared(conn, viewer)


def count(conn: sqlite3.Connection, viewer: Viewer) -> int:
    """How many comparisons `listed` gives."""
    return len(saved_pages.titles(conn, viewer.user_id or "", saved_pages.COMPARE)) + len(_shared(conn, viewer))


def get(conn: sqlite3.Connection, viewer: Viewer, comparison_id: str | None) -> dict[str, Any]:
    """A comparison of the caller's, or one that is shared with them. Raises Problem 404."""
    found = saved_pages.get(conn, comparison_id or "", saved_pages.COMPARE)
    if found is None or not _seen(conn, viewer, found):
        raise not_found(Message("There is no such comparison, or you have no access to it"))
    return found | {"own": found["user_id"] == viewer.user_id}


def save(site: Site, viewer: Viewer, title: str, address: str) -> str:
    """Save the query of a comparison's address under a title, in place of what had the same one; returns its id. Raises Problem 404, 409.

    Each measurement must be readable by the caller at that moment.
    """
    title = title.strip()
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise invalid(
            {"title": [Message("Give the comparison a title of at most %(most)s characters", most=LONGEST_TITLE)]}
        )
    ids, query = _parts(address)
    upload_limits.require_reserve(site)
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        user_id = _owner(viewer)
        for one in ids:
            lookup.resource(tx, viewer, one)
        known = saved_pages.titles(tx, user_id, saved_pages.COMPARE)
        if len(known) >= MOST and (saved_pages.COMPARE, title) not in known:
            raise invalid(
                {"title": [Message("You have saved %(most)s comparisons already. Delete one first", most=MOST)]}
            )
        made = saved_pages.put(tx, user_id, saved_pages.COMPARE, title, query, ids)
        audit.add(tx, viewer, "comparison.save", "comparison", made)
    return made


def delete(site: Site, viewer: Viewer, comparison_id: str) -> None:
    """Delete a comparison of the caller's. Raises Problem 403 or 404."""
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        found = _owned(tx, viewer, comparison_id)
        saved_pages.remove(tx, found["id"])
        audit.add(tx, viewer, "comparison.delete", "comparison", found["id"])


def share(site: Site, viewer: Viewer, comparison_id: str, user_ref: str) -> None:
    """Share a comparison of the caller's with a user. It gives no right to read a file. Raises Problem 403, 404 or 409."""
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        found = _owned(tx, viewer, comparison_id)
        try:
            user = lookup.acquaintance(tx, viewer, user_ref)
        except Problem as problem:
            raise invalid({"username": ["No such user"]}) from problem
        if user["id"] == viewer.user_id:
            raise invalid({"username": ["This is your own comparison"]})
        if len(saved_pages.people(tx, found["id"])) >= MOST_PEOPLE:
            raise invalid(
                {"username": [Message("A comparison can be shared with at most %(most)s people", most=MOST_PEOPLE)]}
            )
        saved_pages.share(tx, found["id"], user["id"])
        audit.add(tx, viewer, "comparison.share", "comparison", found["id"], user=user["id"])


def unshare(site: Site, viewer: Viewer, comparison_id: str, user_ref: str) -> None:
    """Stop sharing: by its owner with anybody, by others with themselves. Raises Problem 403 or 404."""
    with site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        found = get(tx, viewer, comparison_id)
        policy.require(viewer, "user:update", viewer.user_id or "")
        known = [one for one in saved_pages.people(tx, found["id"]) if found["own"] or one["id"] == viewer.user_id]
        user = next((one for one in known if user_ref in (one["id"], one["name"])), None)
        if user is None:  # whether there is such a user is not said
            raise not_found(Message("This comparison is not shared with that person"))
        saved_pages.unshare(tx, found["id"], user["id"])
        audit.add(tx, viewer, "comparison.unshare", "comparison", found["id"], user=user["id"])


def _owner(viewer: Viewer) -> str:
    policy.require(viewer, "user:update", viewer.user_id or "")
    return viewer.user_id or ""


def _owned(tx: sqlite3.Connection, viewer: Viewer, comparison_id: str) -> dict[str, Any]:
    found = get(tx, viewer, comparison_id)
    if not found["own"]:
        raise not_found(Message("There is no such comparison, or you have no access to it"))
    policy.require(viewer, "user:update", found["user_id"])
    return found


def _seen(conn: sqlite3.Connection, viewer: Viewer, found: dict[str, Any]) -> bool:
    if viewer.user_id is None:
        return False
    if found["user_id"] == viewer.user_id:
        return True
    return saved_pages.is_shared_with(conn, found["id"], viewer.user_id) and _reads_some(
        conn, viewer, found["resources"]
    )


def _shared(conn: sqlite3.Connection, viewer: Viewer) -> list[dict[str, Any]]:
    known = saved_pages.shared_with(conn, viewer.user_id or "")
    return [one for one in known if _reads_some(conn, viewer, one["resources"])]


def _reads_some(conn: sqlite3.Connection, viewer: Viewer, ids: Sequence[str]) -> bool:
    for one in ids:
        row = resources.get(conn, one)
        facts = None if row is None else datasets.facts(conn, row["dataset_id"])
        if facts is not None and policy.may(viewer, "dataset:read", facts):
            return True
    return False


def _parts(address: str) -> tuple[list[str], str]:
    """The measurements, and the rest of the query in a fixed order, with nothing else in it. Raises Problem 409."""
    text = address.removeprefix("?")
    _require_length(text)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=300)
    except ValueError as error:
        raise invalid(message=Message("The address has too many parameters.")) from error
    values = {name: [value for key, value in pairs if key == name] for name in ("r", "role", "rep")}
    places: dict[str, tuple[str, str]] = {}  # the first place counts, as on the page
    for one, role, replicate in zip_longest(values["r"], values["role"], values["rep"], fillvalue=""):
        if one:
            places.setdefault(one, (role, replicate))
    ids = list(places)
    if not 0 < len(ids) <= MOST_FILES:
        raise invalid(message=Message("Between 1 and %(most)s measurements can be compared at once.", most=MOST_FILES))
    rest = [(key, value) for key, value in pairs if key in KEYS and key not in values]
    for number, key in enumerate(("role", "rep")):
        if any(place[number] for place in places.values()):
            rest += [(key, place[number]) for place in places.values()]
    query = urlencode(rest)
    _require_length(query)  # encoded anew it may be three times as long
    return ids, query


def _require_length(text: str) -> None:
    if len(text) > LONGEST_QUERY:
        raise invalid(
            message=Message(
                "The address is longer than %(most)s characters. Use gates with fewer corners.", most=LONGEST_QUERY
            )
        )


def owned_people(conn: sqlite3.Connection, viewer: Viewer, comparison_id: str) -> dict[str, Any]:
    """A comparison of the caller's with the people it is shared with. Raises Problem 404."""
    found = get(conn, viewer, comparison_id)
    if not found["own"]:
        raise not_found(Message("There is no such comparison, or you have no access to it"))
    return found | {"people": saved_pages.people(conn, found["id"])}
