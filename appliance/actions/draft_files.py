"""Changing the files of a draft: remove, restore, replace, rename, reorder. All or none in one call."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from appliance.actions import lookup, resource_rows, resources, upload_limits
from appliance.actions.site import Site
from appliance.model import names
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import audit, versions
from appliance.store import resources as rows


def remove(site: Site, viewer: Viewer, dataset_ref: str | None, ids: Sequence[str]) -> None:
    """Take files out of a draft. They go to quarantine with a note, from which `bring_back` knows them.

    :raises Problem: 403, 404 (also when one of them is not in the draft); then none is removed.
    """
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        facts = _draft(tx, viewer, dataset_ref)
        order = [row["id"] for row in rows.of_dataset(tx, facts.id)]
        for resource_id in dict.fromkeys(ids):
            _remove(tx, viewer, facts, resource_id, files, order)


def bring_back(site: Site, viewer: Viewer, dataset_ref: str | None, ids: Sequence[str]) -> None:
    """Put removed files back where they were, as long as the quarantine holds them. What jobs made of them is made again.

    :raises Problem: 403, 404 when the file is no longer there, 409 when its name is taken, 413 beyond the circle's quota; then none comes back.
    """
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        facts = _draft(tx, viewer, dataset_ref)
        order = [row["id"] for row in rows.of_dataset(tx, facts.id)]
        found = []
        for resource_id in dict.fromkeys(ids):
            removed = site.depot.removed(resource_id)
            if removed is None or removed.entry["dataset_id"] != facts.id or resource_id in order:
                raise not_found(Message("The file no longer exists and cannot be restored."))
            found.append(removed)
        for removed in sorted(found, key=lambda one: int(one.entry["position"])):
            _put_back(site, tx, viewer, facts, removed.entry, removed.path, files)
            order.insert(int(removed.entry["position"]), removed.entry["id"])
        rows.reorder(tx, facts.id, order)
    site.wake_jobs()


def exchange(site: Site, viewer: Viewer, dataset_ref: str | None, current_id: str, removed_id: str) -> None:
    """Undo `add` in place of a file: `removed_id` comes back in place of `current_id`, which can come back the same way.

    :raises Problem: 403, 404 when one of them is not there, 409 when its name is taken; then nothing is changed.
    """
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        facts = _draft(tx, viewer, dataset_ref)
        order = [row["id"] for row in rows.of_dataset(tx, facts.id)]
        removed = site.depot.removed(removed_id)
        if current_id not in order or removed_id in order or removed is None or removed.entry["dataset_id"] != facts.id:
            raise not_found(Message("The file no longer exists and cannot be restored."))
        _remove(tx, viewer, facts, current_id, files, order)
        _put_back(site, tx, viewer, facts, removed.entry, removed.path, files)
        rows.reorder(tx, facts.id, [removed_id if one == current_id else one for one in order])
    site.wake_jobs()


def add(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    facts: DatasetFacts,
    entry: Mapping[str, Any],
    files: resources.DepotTransaction,
    *,
    before: str = "",
    instead_of: str = "",
) -> str:
    """Make a file that has arrived a resource of a draft; returns its id.

    :param before: id of the file that it shall stand in front of; at the end without.
    :param instead_of: id of a file that it replaces: it takes its place, description and supplements unless `entry` has others.
    :raises Problem: 403, 404, or 409 when its name is taken or ends otherwise than that of the file it replaces.
    """
    order = [row["id"] for row in rows.of_dataset(tx, facts.id)]
    if instead_of:
        policy.require(viewer, "resource:arrange", facts)
        if instead_of not in order:
            raise not_found(Message("The file to be replaced no longer exists."))
        old = rows.get(tx, instead_of)
        assert old is not None  # noqa: S101 - it is in the order
        suffix = names.suffix(old["name"])
        if names.suffix(entry["upload"].name) != suffix:
            raise invalid({"name": [Message("The file name must end with '%(suffix)s'", suffix=suffix)]})
        entry = {"description": old["description"]} | json.loads(old["supplements"]) | entry
        _remove(tx, viewer, facts, instead_of, files, order)
    new = resources.addition(site, tx, viewer, facts, entry)
    resource_id = resources.attach(site, tx, viewer, facts.id, new, files)
    if instead_of:
        rows.reorder(tx, facts.id, [resource_id if one == instead_of else one for one in order])
    elif before in order:
        order.insert(order.index(before), resource_id)
        rows.reorder(tx, facts.id, order)
    return resource_id


def _remove(
    tx: sqlite3.Connection,
    viewer: Viewer,
    facts: DatasetFacts,
    resource_id: str,
    files: resources.DepotTransaction,
    order: Sequence[str],
) -> None:
    """Remove a file so that it can come back to its place in `order`, the ids of the draft's files."""
    row = rows.get(tx, resource_id)
    if row is None or row["dataset_id"] != facts.id:
        raise not_found()
    files.notes[resource_id] = dict(row) | {"position": order.index(resource_id)}
    resources.remove(tx, viewer, resource_id, facts.id, files)


def _put_back(
    site: Site,
    tx: sqlite3.Connection,
    viewer: Viewer,
    facts: DatasetFacts,
    entry: Mapping[str, Any],
    path: Any,
    files: resources.DepotTransaction,
) -> None:
    if entry["name"] in rows.names_of(tx, facts.id):
        raise invalid({"name": [Message("Resource with name '%(name)s' already exists!", name=entry["name"])]})
    upload_limits.require_quota(site, tx, facts.circle_id, entry["size"])
    crc32 = entry.get("crc32")  # none in the note of an earlier release
    incoming = resources.Incoming(
        path, entry["name"], entry["size"], entry["sha256"], entry["etag"], entry["id"], crc32
    )
    files.publish(incoming)
    resource_rows.insert(site, tx, viewer, facts.id, entry["id"], entry)
    if entry.get("shared_id"):
        versions.share(tx, entry["id"], entry["shared_id"])
    audit.add(tx, viewer, "resource.restore", "resource", entry["id"], dataset=facts.id)


def arrange(
    site: Site, viewer: Viewer, dataset_ref: str | None, new_names: Mapping[str, str], order: Sequence[str]
) -> None:
    """Rename files of a draft (resource id → name; the suffix stays) and put them in this order (ids; the rest follows).

    :raises Problem: 403, 404, 409 with the faults by resource id; nothing is changed then.
    """
    with site.db.write() as tx:
        facts = _draft(tx, viewer, dataset_ref)
        known = {row["id"]: row["name"] for row in rows.of_dataset(tx, facts.id)}
        if not new_names.keys() | set(order) <= known.keys():
            raise not_found()
        changed = {one: name for one, name in new_names.items() if name != known[one]}
        _require_names(known | changed, changed, known)
        if changed:
            rows.set_names(tx, facts.id, changed)
            for resource_id in changed:
                audit.add(tx, viewer, "resource.rename", "resource", resource_id, dataset=facts.id)
        wanted = list(dict.fromkeys(order))
        wanted += [one for one in known if one not in set(wanted)]
        if wanted != list(known):
            rows.reorder(tx, facts.id, wanted)
            audit.add(tx, viewer, "resource.reorder", "dataset", facts.id)


def _require_names(final: Mapping[str, str], changed: Mapping[str, str], known: Mapping[str, str]) -> None:
    errors = Fields()
    taken = list(final.values())
    for resource_id, name in changed.items():
        faults = names.resource_name_errors(name)
        if not faults and names.suffix(name) != names.suffix(known[resource_id]):
            faults = [f"The file name must end with '{names.suffix(known[resource_id])}'"]
        if not faults and taken.count(name) > 1:
            faults = [Message("Resource with name '%(name)s' already exists!", name=name)]
        if faults:
            errors[resource_id] = faults
    if errors:
        raise invalid(errors)


def _draft(tx: sqlite3.Connection, viewer: Viewer, dataset_ref: str | None) -> DatasetFacts:
    _, facts = lookup.dataset(tx, viewer, dataset_ref, "resource:arrange")
    if facts.state != "draft":
        raise Problem(
            409, "Validation Error", message=Message("Only the files of a draft can be renamed or reordered.")
        )
    return facts
