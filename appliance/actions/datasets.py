"""Datasets: create, change, activate, move. (`deletion` deletes, restores and purges them.)"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.actions import (
    activation,
    callers,
    collecting,
    dataset_fields,
    deletion,
    lookup,
    notifying,
    resources,
    upload_limits,
)
from appliance.actions.site import Site
from appliance.model import licences, names, states
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid, not_authorized, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import audit, communities, datasets, documents, tags
from appliance.store import resources as rows

_FREE_WHEN_ACTIVE = frozenset({"license_id", "private", "state"})
#: Files in the list of a dataset, and new ones among them. (DCOR-Aid adds one per call.)
MOST_LISTED, MOST_ADDED = 20_000, 200
#: Audit events of state changes.
_EVENTS = {"active": "dataset.activate", "deleted": "dataset.delete"}


def show(conn: sqlite3.Connection, viewer: Viewer, ref: str | None) -> str:
    """The package dict as JSON text, if `viewer` may read it. Raises Problem 404 or 403."""
    row, _ = lookup.dataset(conn, viewer, ref)
    document = documents.package(conn, row["id"])
    if document is None:
        raise not_found()
    return document


def create(site: Site, viewer: Viewer, data: Mapping[str, Any]) -> str:
    """Make a dataset: a draft, an administrator's is active unless `data` says draft. Returns its id. Raises Problem 403, 404 or 409."""
    policy.require(viewer, "dataset:create")
    if data.get("resources"):
        raise invalid({"resources": ["Create the dataset first, then upload its files"]})
    upload_limits.require_reserve(site)
    with site.db.write() as tx:
        fields = dataset_fields.parsed(data)
        circle_id = dataset_fields.circle(tx, viewer, data.get("owner_org"), private=bool(fields.get("private")))
        collection_ids = dataset_fields.collections(tx, data, viewer) or set()
        id_ = dataset_fields.chosen_id(tx, viewer, data.get("id"))
        dataset_fields.require_complete(fields, viewer, site.settings)
        wanted_tags = dataset_fields.tag_names(data) or []
        state = dataset_fields.initial_state(viewer, data.get("state"))
        private = dataset_fields.initial_visibility(site, fields.get("private"))
        name = dataset_fields.chosen_name(tx, viewer, data.get("name")) or names.dataset_name(
            fields.get("title", ""), lambda text: datasets.name_taken(tx, text), id_
        )
        dataset_id = datasets.create(
            tx,
            dataset_fields.columns(fields)
            | {
                "name": name,
                "title": fields.get("title") or name,
                "circle_id": circle_id,
                "private": int(private),
                "state": "active" if state == "deleted" else state,
                "creator_id": viewer.user_id,
            },
            id_=id_,
        )
        tags.assign(tx, dataset_id, wanted_tags)
        audit.add(tx, viewer, "dataset.create", "dataset", dataset_id, circle=circle_id, private=private)
        if collection_ids:
            _, facts = lookup.dataset(tx, viewer, dataset_id)
            for collection_id in sorted(collection_ids):
                collecting.put_in(tx, viewer, collection_id, facts)
        if state == "deleted":
            datasets.mark_deleted(tx, dataset_id)
            audit.add(tx, viewer, "dataset.delete", "dataset", dataset_id, fields=["state"])
        datasets.refresh(tx, dataset_id)
    return dataset_id


def update(site: Site, viewer: Viewer, ref: str | None, data: Mapping[str, Any]) -> str:
    """Change what `data` names; what it leaves out stays as it is. Returns the id. Raises Problem 403, 404 or 409."""
    activation.prepare(site, viewer, ref, data)
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # checking files may have taken a minute
        row, facts = lookup.dataset(tx, viewer, ref, "dataset:update")
        apply(site, tx, viewer, row, facts, data, files)
    site.wake_jobs()
    return facts.id


def activate(
    site: Site, viewer: Viewer, ref: str | None, *, confirmed: Collection[str], personal_confirmed: bool
) -> None:
    """Activate a draft after every measurement was checked, as a person does who is asked about each broken one.

    :param confirmed: ids of broken measurements that shall be in it all the same.
    :raises Problem: 403, 404, 503, or 409 with what is missing or not confirmed (see `activation`).
    """
    activation.prepare(site, viewer, ref, {"state": "active"}, every=True)
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)  # checking files may have taken a minute
        row, facts = lookup.dataset(tx, viewer, ref, "dataset:update")
        activation.require_ready(tx, facts.id)
        rows.close_ranks(tx, facts.id)
        activation.require_confirmed(tx, facts.id, confirmed, personal_confirmed=personal_confirmed)
        apply(site, tx, viewer, row, facts, {"state": "active"}, files)
    site.wake_jobs()


def revise(site: Site, viewer: Viewer, ref: str | None, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> str:
    """Change a dataset by what `change` makes of its package dict; returns the id. Raises Problem 403, 404 or 409.

    `change` is called twice, the second time in the transaction: several clients may add files to one dataset at the same
    time, and jobs write what they read out of files, without any of them undoing what another did.
    """
    with site.db.read() as conn:
        current = json.loads(show(conn, viewer, ref))
    activation.prepare(site, viewer, current["id"], change(current))
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        viewer = callers.renewed(tx, site.settings, viewer)
        row, facts = lookup.dataset(tx, viewer, current["id"], "dataset:update")
        data = change(json.loads(show(tx, viewer, facts.id)))
        apply(site, tx, viewer, row, facts, data, files, removes=True)
    site.wake_jobs()
    return facts.id


def apply(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    row: sqlite3.Row,
    facts: DatasetFacts,
    data: Mapping[str, Any],
    files: resources.DepotTransaction,
    *,
    removes: bool = False,
) -> None:
    """The body of `update`, inside a transaction: compare, check rights, validate, write.

    :param removes: files missing from the list are to be removed; otherwise the client may not know of them.
    """
    changes = _changes(tx, viewer, row, facts, data)
    fields, circle_id, state = changes.fields, changes.circle_id, changes.state
    _require_allowed(site, viewer, facts, row, changes.keys, fields, data.get("name"))
    _require_publishing(viewer, facts, changes)
    if changes.tags is not None or changes.fields.keys() - {"private", "license_id"}:
        upload_limits.require_reserve(site)
    if state == "active" and "active" not in (facts.state, row["deleted_from"]):
        activation.require_ready(tx, facts.id)
    columns = dataset_fields.columns(fields) | ({"state": state} if state else {})
    if circle_id:
        upload_limits.require_quota_to_move(site, tx, facts.id, circle_id)
        columns["circle_id"] = circle_id
    if "name" in changes.keys:
        columns["name"] = dataset_fields.chosen_name(tx, viewer, data["name"])
    if {"authors", "license_id"} & fields.keys():
        dataset_fields.require_complete(
            {"authors": row["authors"], "license_id": row["license_id"], **fields}, viewer, site.settings
        )
    if state and facts.state == "deleted":
        deletion.bring_back(tx, viewer, row, columns.get("name", row["name"]), state)
    datasets.update(tx, facts.id, **columns)
    if changes.tags is not None:
        tags.assign(tx, facts.id, changes.tags)
    if changes.collection_ids is not None:
        _set_collections(tx, viewer, facts, changes.collection_ids)
    if data.get("resources") is not None:
        _apply_resources(site, tx, viewer, facts, data["resources"], files, removes=removes)
    if changes.keys:
        _note(tx, viewer, row, facts, changes)


def move(site: Site, viewer: Viewer, ref: str | None, circle_ref: str | None) -> bool:
    """Move a dataset to another circle (administrators only); returns False when it is already there. Raises Problem."""
    with site.db.write() as tx:
        row, facts = lookup.dataset(tx, viewer, ref, "dataset:move")
        circle = lookup.community(tx, circle_ref, "circle")
        if circle["id"] == row["circle_id"]:
            return False
        upload_limits.require_quota_to_move(site, tx, facts.id, circle["id"])
        datasets.update(tx, facts.id, circle_id=circle["id"])
        datasets.touch(tx, facts.id)
        audit.add(tx, viewer, "dataset.move", "dataset", facts.id, source=row["circle_id"], target=circle["id"])
    return True


# --- the rules ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a request changes of a dataset; None = that stays as it is.

    :ivar fields: texts, licence and visibility that differ, by the names clients use.
    :ivar collection_ids: all collections that it shall be in.
    :ivar circle_id: its new circle; of an active dataset what the request names, found or not.
    :ivar keys: everything that differs, by the names clients use; also what cannot be changed.
    """

    fields: Mapping[str, Any]
    tags: list[str] | None
    collection_ids: set[str] | None
    circle_id: str | None
    state: str | None
    keys: set[str]


def _changes(
    tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, facts: DatasetFacts, data: Mapping[str, Any]
) -> _Changes:
    """Compare a request with what is stored. Raises Problem 403, 404 or 409."""
    fields = {
        key: value for key, value in dataset_fields.parsed(data).items() if value != dataset_fields.stored(row, key)
    }
    wanted_tags = dataset_fields.tag_names(data)
    if wanted_tags == tags.of_dataset(tx, facts.id):
        wanted_tags = None
    collection_ids = dataset_fields.collections(tx, data, viewer, facts.collection_ids)
    if collection_ids is not None and frozenset(collection_ids) == facts.collection_ids:
        collection_ids = None
    circle_id = _new_circle(tx, viewer, row, facts, data)
    state = _new_state(viewer, facts, data.get("state"))
    others = {"tags": wanted_tags, "groups": collection_ids, "owner_org": circle_id, "state": state}
    keys = {
        *fields,
        *(key for key, value in others.items() if value is not None),
        *dataset_fields.other_keys(row, data),
    }
    return _Changes(fields, wanted_tags, collection_ids, circle_id, state, keys)


def _note(tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, facts: DatasetFacts, changes: _Changes) -> None:
    """After a change: update document and search entry, send notifications, add an audit entry."""
    state = changes.state
    if state == "deleted":
        datasets.mark_deleted(tx, facts.id)
    else:
        datasets.touch(tx, facts.id)
    activated = state == "active" and facts.state != "active"
    notifying.changed(tx, viewer, facts.id, row["version_of"] if activated else None)
    audit.add(tx, viewer, _EVENTS.get(state or "", "dataset.update"), "dataset", facts.id, fields=sorted(changes.keys))


def _require_allowed(
    site: Site,
    viewer: Viewer,
    facts: DatasetFacts,
    row: sqlite3.Row,
    changes: set[str],
    fields: Mapping[str, Any],
    name: Any,
) -> None:
    if "id" in changes:
        raise not_authorized("Changing the id of a dataset is not possible")
    if "name" in changes and not viewer.sysadmin:
        raise not_authorized(f"Editing not allowed: {{'name': {name!r}}}")
    unknown = changes - set(dataset_fields.COLUMNS) - {"tags", "groups"}
    if facts.state != "draft" and not viewer.sysadmin:
        free = _FREE_WHEN_ACTIVE if facts.state == "active" else frozenset[str]()
        for key in sorted(changes - free):
            raise not_authorized(Message("Changing '%(key)s' not allowed for non-draft datasets!", key=key))
    if unknown:
        raise invalid({key: [f"There is no field '{key}'"] for key in sorted(unknown)})
    if "private" in fields:
        dataset_fields.require_visibility(site, viewer, private=bool(fields["private"]))
    if "license_id" in fields and not viewer.sysadmin:
        policy.require(viewer, "dataset:license", facts)
        licences.require_looser(row["license_id"], fields["license_id"])


def _require_publishing(viewer: Viewer, facts: DatasetFacts, changes: _Changes) -> None:
    """Ask for the right to publish where a draft or private dataset is made public, or a public draft active. Raises Problem 403.

    Neither can be undone, so that is not for guests with whom one dataset is shared.
    """
    private = bool(changes.fields.get("private", facts.private))
    activated = changes.state == "active" and facts.state != "active"
    if not private and (facts.private or activated):
        policy.require(viewer, "dataset:publish", facts)


def _new_state(viewer: Viewer, facts: DatasetFacts, wanted: Any) -> str | None:
    if not wanted or wanted == facts.state:
        return None
    try:
        state = states.State(str(wanted))
    except ValueError as error:
        raise invalid(
            {"state": [Message("A dataset is draft, active or deleted, not '%(wanted)s'", wanted=wanted)]}
        ) from error
    if state == "deleted" and not viewer.sysadmin:
        raise not_authorized("Use package_delete to delete a dataset")
    if not states.may_become(states.State(facts.state), state, sysadmin=viewer.sysadmin):
        raise not_authorized(f"Changing dataset state to {state} not allowed")
    return str(state)


def _new_circle(
    tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, facts: DatasetFacts, data: Mapping[str, Any]
) -> str | None:
    ref = data.get("owner_org")
    if not ref:
        return None
    found = communities.find(tx, str(ref), "circle")
    if found is not None and found["id"] == row["circle_id"]:
        return None
    # its circle loses the draft, so that is for those to decide who administer it
    if found is not None and facts.state == "draft" and not policy.may(viewer, "dataset:share", facts):
        raise not_authorized(Message("You cannot move this dataset to another organization"))
    return dataset_fields.circle(tx, viewer, ref) if facts.state == "draft" or viewer.sysadmin else str(ref)


def _apply_resources(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    facts: DatasetFacts,
    listed: Any,
    files: resources.DepotTransaction,
    *,
    removes: bool,
) -> None:
    """Update a dataset's files from the list a client sent: new ones are appended, existing ones changed."""
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise invalid({"resources": ["A list of objects is needed"]})
    if len(listed) > MOST_LISTED:
        raise invalid({"resources": [Message("At most %(most)s files are accepted in one list", most=MOST_LISTED)]})
    if not all(isinstance(entry.get("id"), str | None) for entry in listed):
        raise invalid({"resources": ["Ids are texts"]})
    old = {one: json.loads(text) for one, text in documents.resources(tx, facts.id).items()}
    kept = [entry["id"] for entry in listed if entry.get("id") in old]
    dropped = [one for one in old if one not in set(kept)]
    if dropped:
        _require_draft(viewer, facts)
        if not removes:
            policy.require(viewer, "resource:delete", facts)
    if len(listed) - len(kept) > MOST_ADDED:
        raise invalid({"resources": [Message("At most %(most)s files can be added in one call", most=MOST_ADDED)]})
    _change_and_add(site, tx, viewer, facts, listed, old, files)
    for resource_id in dropped:
        resources.remove(tx, viewer, resource_id, facts.id, files)
    if kept and kept != [one for one in old if one in set(kept)]:
        _require_draft(viewer, facts)
        others = [row["id"] for row in rows.of_dataset(tx, facts.id) if row["id"] not in set(kept)]
        rows.reorder(tx, facts.id, kept + others)


def _change_and_add(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    facts: DatasetFacts,
    listed: Sequence[Mapping[str, Any]],
    old: Mapping[str, Mapping[str, Any]],
    files: resources.DepotTransaction,
) -> None:
    """Change the files of `old` that differ and add the others. Raises Problem 403, or 409 with the errors of each entry."""
    errors: list[Fields] = [{} for _ in listed]
    taken: list[str] = []
    for position, entry in enumerate(listed):
        try:
            if entry.get("id") in old:
                if entry != old[entry["id"]]:
                    _require_draft(viewer, facts)
                    resources.change(site, tx, viewer, old[entry["id"]], entry)
            else:
                _require_draft(viewer, facts)
                new = resources.addition(site, tx, viewer, facts, entry, taken)
                resources.attach(site, tx, viewer, facts.id, new, files)
                taken.append(new.incoming.name)
        except Problem as problem:
            if problem.status != 409 or not problem.fields:
                raise
            errors[position] = problem.fields
    if any(errors):
        raise invalid({"resources": errors})


def _require_draft(viewer: Viewer, facts: DatasetFacts) -> None:
    resources.require_draft(viewer, facts, resources.FROZEN)


def _set_collections(tx: sqlite3.Connection, viewer: Viewer, facts: DatasetFacts, wanted: set[str]) -> None:
    for collection_id in sorted(wanted - facts.collection_ids):
        collecting.put_in(tx, viewer, collection_id, facts)
    for collection_id in sorted(facts.collection_ids - wanted):
        collecting.take_out(tx, viewer, collection_id, facts)
