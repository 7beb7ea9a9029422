"""Gates saved with a dataset: annotations of one's own, or shared with its circle; they change neither the dataset nor its files."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from appliance.actions import lookup, upload_limits
from appliance.actions.site import Site
from appliance.model import gates as rules
from appliance.model.messages import Message
from appliance.model.problem import Fields, invalid, missing, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import audit, datasets, gate_sets

#: Sets that one user may keep at one dataset, and characters of the gates in each.
MOST_SETS = 50
LONGEST = 200_000


def listed(conn: sqlite3.Connection, viewer: Viewer, ref: str | None) -> list[dict[str, Any]]:
    """The sets at a dataset that the caller may see: own ones, and for members of its circle those shared with it.

    Raises Problem 404.
    """
    _row, facts = lookup.dataset(conn, viewer, ref)
    return gate_sets.listed(conn, facts.id, viewer.user_id, shared=_in_circle(viewer, facts))


def save(site: Site, viewer: Viewer, ref: str | None, name: str, gates: Any, *, shared: bool) -> dict[str, Any]:
    """Save gates under a name, in place of what the caller has saved under it before. Raises Problem 403, 404 or 409."""
    found = _checked(name, gates)
    upload_limits.require_reserve(site)
    with site.db.write() as tx:
        _row, facts = lookup.dataset(tx, viewer, ref, "dataset:annotate")
        if shared:
            policy.require(viewer, "dataset:annotate_shared", facts)
        user_id = viewer.user_id or ""
        known = {one["name"] for one in gate_sets.listed(tx, facts.id, user_id, shared=False)}
        if name.strip() not in known and len(known) >= MOST_SETS:
            raise invalid(
                {"name": [Message("You already have %(most)s gate sets here. Delete one first", most=MOST_SETS)]}
            )
        made = gate_sets.put(tx, facts.id, user_id, name.strip(), found, shared=shared)
        audit.add(tx, viewer, "gates.save", "dataset", facts.id, shared=shared)
    return made


def delete(site: Site, viewer: Viewer, set_id: str | None) -> None:
    """Delete a set of one's own, or one shared with a circle that one administers. Raises Problem 403 or 404."""
    if not set_id:
        raise missing("id")
    with site.db.write() as tx:
        row = gate_sets.get(tx, set_id)
        facts = None if row is None else datasets.facts(tx, row["dataset_id"])
        if (
            row is None
            or facts is None
            or not policy.may(viewer, "dataset:read", facts)
            or not _seen(viewer, row, facts)
        ):
            raise not_found(Message("There is no such gate set, or you have no access to it"))
        policy.require(viewer, "dataset:annotate" if row["user_id"] == viewer.user_id else "dataset:share", facts)
        gate_sets.remove(tx, set_id)
        audit.add(tx, viewer, "gates.delete", "dataset", facts.id, shared=bool(row["shared"]))


def _seen(viewer: Viewer, row: sqlite3.Row, facts: DatasetFacts) -> bool:
    return row["user_id"] == viewer.user_id or (bool(row["shared"]) and _in_circle(viewer, facts))


def _in_circle(viewer: Viewer, facts: DatasetFacts) -> bool:
    return viewer.sysadmin or facts.circle_id in viewer.circles


def _checked(name: str, gates: Any) -> list[dict[str, Any]]:
    errors: Fields = {}
    if not name.strip() or len(name) > rules.LONGEST_NAME or not name.isprintable():
        errors["name"] = [f"Give the gate set a name of at most {rules.LONGEST_NAME} characters"]
    found: list[dict[str, Any]] = []
    try:
        found = rules.checked(gates)
        if not found:
            raise ValueError("There are no gates to save")
        if len(json.dumps(found)) > LONGEST:
            raise ValueError(f"The gates are longer than {LONGEST} characters. Draw them with fewer corners")
    except ValueError as error:
        errors["gates"] = [str(error)]
    if errors:
        raise invalid(errors)
    return found
