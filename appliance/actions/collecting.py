"""Adding datasets to collections and removing them, for all callers (API, pages, dataset fields).

Adding lets the collection's members read the dataset. It needs the right to change a dataset that is not public, and the grant
ends with that right (`appliance.store.collections`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.actions import lookup
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import invalid, not_authorized, not_found
from appliance.model.values import as_text
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import audit, collections, communities, datasets

#: Most datasets in the list of a collection (``group_show``), and in one that a client sends.
_LISTED = 1000


def add(site: Site, viewer: Viewer, ref: str | None, dataset_refs: Iterable[str | None]) -> list[dict[str, Any]]:
    """Put datasets into a collection, all or none; returns the entries. Raises Problem 403, 404 or 409.

    Those who look after the collection may, with the right to share each dataset. An entry that is there can be taken over by
    whoever may change the dataset.
    """
    with site.db.write() as tx:
        row = lookup.community(tx, ref, "collection")
        return [_added(tx, viewer, row, dataset_ref) for dataset_ref in dataset_refs]


def remove(site: Site, viewer: Viewer, ref: str | None, dataset_ref: str | None) -> None:
    """Take a dataset out of a collection; it need not be in.

    Those who look after the collection may, and those who may change the dataset. Raises Problem 403 or 404.
    """
    with site.db.write() as tx:
        row = lookup.community(tx, ref, "collection")
        dataset = datasets.find(tx, dataset_ref)
        facts = None if dataset is None else datasets.facts_of(tx, dataset)
        if not policy.may(viewer, "dataset:withdraw", facts):
            policy.require(viewer, "collection:datasets", communities.facts(row))
        if facts is None or not (row["id"] in facts.collection_ids or policy.may(viewer, "dataset:read", facts)):
            raise not_found(lookup.NOT_SEEN)
        _require_not_deleted(facts)
        if take_out(tx, viewer, row["id"], facts):
            datasets.touch(tx, facts.id)


def put_in(tx: sqlite3.Connection, viewer: Viewer, collection_id: str, facts: DatasetFacts) -> str:
    """Make an entry in the caller's name, inside a transaction; returns its id. Raises Problem 403.

    The right to add to the collection is asked before; `datasets.touch` is called after.
    """
    known = collections.find(tx, collection_id, facts.id)
    if known is not None and known["granted"] and not policy.may(viewer, "dataset:collect", facts):
        return str(known["id"])  # nobody reads more than before
    policy.require(viewer, "dataset:collect", facts)
    basis = _basis(tx, viewer, facts)
    entry_id = collections.add(tx, collection_id, facts.id, basis=basis, user_id=viewer.user_id or None)
    audit.add(tx, viewer, "collection.add", "collection", collection_id, dataset=facts.id)
    return entry_id


def take_out(tx: sqlite3.Connection, viewer: Viewer, collection_id: str, facts: DatasetFacts) -> bool:
    """End an entry, inside a transaction; returns whether there was one. The right is asked before, `datasets.touch` called after."""
    if not collections.remove(tx, collection_id, facts.id):
        return False
    audit.add(tx, viewer, "collection.remove", "collection", collection_id, dataset=facts.id)
    return True


def set_listed(tx: sqlite3.Connection, viewer: Viewer, collection_id: str, listed: Any) -> None:
    """Let a collection hold what `listed` names (as ``packages`` of CKAN's groups), inside a transaction.

    Removed is only what the caller could have seen in the collection's own list: active datasets, not more than that list
    shows. The right to change the collection is asked before. Raises Problem 403, 404 or 409.
    """
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping | str) for entry in listed):
        raise invalid({"packages": ["A list of ids, names or objects with id or name is needed"]})
    if len(listed) > _LISTED:
        raise invalid({"packages": [f"At most {_LISTED} datasets at once; add others with member_create"]})
    wanted: dict[str, DatasetFacts] = {}
    for entry in listed:
        ref = (entry.get("id") or entry.get("name")) if isinstance(entry, Mapping) else entry
        _, facts = lookup.dataset(tx, viewer, as_text(ref))
        wanted[facts.id] = facts
    shown = datasets.ids(tx, datasets.of_community(tx, collection_id, "collection", viewer))
    dropped = [one for one in shown if one not in wanted]
    if dropped and len(shown) > _LISTED:
        raise invalid(
            {"packages": [f"The collection holds more datasets than its list shows ({_LISTED}); use member_delete"]}
        )
    for facts in wanted.values():
        if collection_id not in facts.collection_ids:
            _require_not_deleted(facts)
            put_in(tx, viewer, collection_id, facts)
            datasets.touch(tx, facts.id)
    for one in dropped:
        _, facts = lookup.dataset(tx, viewer, one)
        take_out(tx, viewer, collection_id, facts)
        datasets.touch(tx, one)


def _require_not_deleted(facts: DatasetFacts) -> None:
    if facts.state == "deleted":
        raise invalid({"object": [Message("The dataset is deleted")]})


def _added(tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, dataset_ref: str | None) -> dict[str, Any]:
    known = datasets.facts(tx, dataset_ref)
    if known is None or row["id"] not in known.collection_ids or not policy.may(viewer, "dataset:update", known):
        policy.require(viewer, "collection:datasets", communities.facts(row))
    _, facts = lookup.dataset(tx, viewer, dataset_ref)
    _require_not_deleted(facts)
    entry_id = put_in(tx, viewer, row["id"], facts)
    datasets.touch(tx, facts.id)
    return {
        "id": entry_id,
        "group_id": row["id"],
        "table_id": facts.id,
        "table_name": "package",
        "capacity": "public",
        "state": "active",
    }


def _basis(tx: sqlite3.Connection, viewer: Viewer, facts: DatasetFacts) -> collections.Basis:
    if not viewer.user_id:
        return "operator"
    if policy.may(viewer, "dataset:update", facts) and collections.may_change(tx, viewer.user_id, facts.id):
        return "update"
    if facts.public:
        return "public"
    # the command line acts in the name of somebody who has no such right
    raise not_authorized(
        Message(
            "User %(name)s may not change the dataset %(id)s, so it cannot be shared on their behalf. Leave out --user to share it as the operator.",
            name=viewer.name,
            id=facts.id,
        )
    )
