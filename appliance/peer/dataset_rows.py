"""A dataset of another DCOR as rows here: one transaction, after its files have arrived."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from appliance.actions import dataset_fields, upload_limits
from appliance.actions import resources as resource_actions
from appliance.actions.site import Site
from appliance.model import media, names, supplements, times
from appliance.model.problem import Problem
from appliance.model.viewer import Viewer
from appliance.peer import plan
from appliance.peer.client import printable
from appliance.peer.entries import PeerDataset, PeerFile
from appliance.store import audit, collections, communities, datasets, jobs, mirroring, origins, resources, users
from appliance.store.origins import Received


def write_dataset(
    site: Site,
    viewer: Viewer,
    source: str,
    dataset: PeerDataset,
    received: Mapping[str, Received],
    shared: Sequence[tuple[str, str, str | None]],
    fingerprint: str,
    condensed: Mapping[str, str],
) -> tuple[str, list[str]]:
    """Make the dataset, or bring it up to date. → (its name here, what is different here).

    :param received: the files that are new here, by id; :param shared: (user id, capacity, moment) of its collaborators;
    :param fingerprint: of what the server's list tells of it; :param condensed: parts with condensed files of its measurements, by id.
    :raises Problem: 507 without the reserve; FileExistsError when something else lies where a file belongs.
    """
    notes: list[str] = []
    with resource_actions.DepotTransaction(site) as files:
        if received:
            upload_limits.require_reserve(site)
        for file in dataset.files:  # before the transaction: flushing takes time, and everybody else would wait
            if file.id in received:
                files.publish(_incoming(site, file, received[file.id]))
        with site.db.write() as tx:
            row = datasets.find(tx, dataset.id)
            name = _name(tx, dataset, row)
            mirroring.put_dataset(tx, dataset.id, _columns(dataset, name, _creator(tx, source, dataset)))
            mirroring.set_tags(tx, dataset.id, dataset.tags)
            for position, file in enumerate(dataset.files):
                _write_file(site, tx, dataset, file, position, received.get(file.id), notes, condensed)
            for resource_id in received:
                origins.forget_received(tx, resource_id, source)
            _collect(tx, source, dataset, notes)
            whole = share(tx, source, dataset, shared, notes)
            told = plan.fingerprint(fingerprint, people_lacking=not whole) if fingerprint else ""
            origins.put(tx, "dataset", dataset.id, source, told)
            action = "dataset.pull" if row is None else "dataset.pull_again"
            audit.add(tx, viewer, action, "dataset", dataset.id, source=source, files=len(received))
            mirroring.finish_dataset(tx, dataset.id, dataset.modified)
    if name != dataset.name:
        notes.append(f"The dataset {dataset.name} is called {name} here because its name was taken.")
    return name, notes


def _creator(tx: sqlite3.Connection, source: str, dataset: PeerDataset) -> str:
    """Who made it there; nobody, where an account of this server that did not come from there has the same id."""
    foreign = users.find(tx, dataset.creator_id) is not None if dataset.creator_id else False
    return "" if foreign and dataset.creator_id not in origins.of_source(tx, "user", source) else dataset.creator_id


def _incoming(site: Site, file: PeerFile, received: Received) -> resource_actions.Incoming:
    path = site.depot.part(received.part)
    return resource_actions.Incoming(
        path, file.name, received.size, received.sha256, received.etag, file.id, received.crc32
    )


def _name(tx: sqlite3.Connection, dataset: PeerDataset, row: sqlite3.Row | None) -> str:
    """The name there, unless another dataset has it here; one that is here keeps the name it was given then."""
    other = datasets.find(tx, dataset.name)
    if other is None or other["id"] == dataset.id or other["state"] == "deleted":
        return dataset.name
    if row is not None:
        return str(row["name"])
    return names.dataset_name(dataset.title, lambda text: datasets.name_taken(tx, text), dataset.id)


def _columns(dataset: PeerDataset, name: str, creator_id: str) -> dict[str, Any]:
    texts = {
        "title": dataset.title, "notes": dataset.notes, "authors": dataset.authors, "doi": dataset.doi,
        "references": dataset.references, "license_id": dataset.license_id,
    }  # fmt: skip
    parsed = dataset_fields.parsed(texts)
    return {dataset_fields.COLUMNS[key]: value for key, value in parsed.items()} | {
        "name": name,
        "title": dataset.title or name,
        "extras": dataset.extras,
        "private": int(dataset.private),
        "state": dataset.state,
        "circle_id": dataset.circle_id,
        "creator_id": creator_id,
        "created": dataset.created,
    }


def _write_file(
    site: Site,
    tx: sqlite3.Connection,
    dataset: PeerDataset,
    file: PeerFile,
    position: int,
    received: Received | None,
    notes: list[str],
    condensed: Mapping[str, str],
) -> None:
    """The row of a file: a new one, or one whose texts may have changed. A file that did not come has none."""
    known = resources.get(tx, file.id)
    if received is None and known is None:
        return
    values: dict[str, Any] = {
        "position": position,
        "url_type": file.url_type,
        "description": file.description,
        "supplements": json.dumps(_supplements(site, dataset, file, notes), ensure_ascii=False),
        "extras": file.extras,
        "last_modified": file.last_modified or dataset.modified,
        "metadata_modified": file.metadata_modified or dataset.modified,
    }
    if received is not None and known is None:
        dc = json.loads(file.dc) if names.is_measurement(file.name) else {}
        events = dc.get("dc:experiment:event count")
        values |= {
            "dataset_id": dataset.id,
            "name": file.name,
            "size": received.size,
            "sha256": received.sha256,
            "etag": received.etag,
            "crc32": received.crc32,
            "mimetype": media.kind(file.name)[0],
            "format": file.format,
            "created": file.created or dataset.created,
            "dc": json.dumps(dc, ensure_ascii=False),  # until a job has read the file itself
            "event_count": events if isinstance(events, int) and not isinstance(events, bool) else None,
        }
    mirroring.put_resource(tx, file.id, values)
    if received is not None and known is None:
        row = resources.get(tx, file.id)
        assert row is not None  # noqa: S101 - just written
        jobs.enqueue_pipeline(
            tx, row, condense=site.settings.jobs.condense, bulk=True, taken=condensed.get(file.id, "")
        )


def _supplements(site: Site, dataset: PeerDataset, file: PeerFile, notes: list[str]) -> dict[str, Any]:
    """The supplementary metadata that the schema of this server knows."""
    found = {}
    for key, value in json.loads(file.supplements).items():
        try:
            parsed = supplements.parse(site.settings.policy.supplements, key, value)
        except Problem as problem:
            notes.append(f"{dataset.name}/{file.name}: {printable(problem)}; left out.")
            continue
        if parsed is not None:
            found[key] = parsed
    return found


def _collect(tx: sqlite3.Connection, source: str, dataset: PeerDataset, notes: list[str]) -> None:
    """Put it into the collections that came from there. It is taken out of none."""
    known = origins.of_source(tx, "collection", source)
    held = {row["id"]: row["name"] for row in collections.of_dataset(tx, dataset.id)}
    for collection_id, name in dataset.collections:
        if collection_id in held:
            continue
        if collection_id in known and communities.find(tx, collection_id, "collection") is not None:
            collections.add(tx, collection_id, dataset.id, basis="operator")
        else:
            notes.append(f"{dataset.name} is in the collection {name} there, which is not here.")
    for collection_id in held.keys() & known.keys() - {one for one, _ in dataset.collections}:
        notes.append(f"{dataset.name} is no longer in the collection {held[collection_id]} there, but is here.")


def share(
    tx: sqlite3.Connection,
    source: str,
    dataset: PeerDataset,
    shared: Sequence[tuple[str, str, str | None]],
    notes: list[str],
) -> bool:
    """Share it with accounts that came from there; False when somebody has none."""
    known = origins.of_source(tx, "user", source)
    lacking = 0
    for user_id, capacity, modified in shared:
        row = users.find(tx, user_id) if user_id in known else None
        if row is None or row["state"] in ("deleted", "disabled"):
            lacking += 1
        else:
            mirroring.set_collaborator(tx, dataset.id, user_id, capacity, modified or times.now())
    if lacking:
        notes.append(
            f"{dataset.name} is shared there with {lacking} people who have no account here; --users brings accounts."
        )
    return not lacking
