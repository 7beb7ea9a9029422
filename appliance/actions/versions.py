"""A new version of an active dataset: a draft with the same texts and chosen files, whose bytes stay on the disk once.

The earlier dataset does not change. The files of both share their bytes by hard links in the depot: each has a name of its
own there, so removing one of them (to quarantine, and from there) leaves the other whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from appliance.actions import dataset_fields, lookup, resource_rows, resources, upload_limits
from appliance.actions.site import Site
from appliance.model import names, references
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import artefacts, audit, communities, datasets, tags, versions
from appliance.store import resources as rows

#: Drafts of new versions that one dataset may have at a time.
MOST_DRAFTS = 10
#: Columns of a dataset that its new version begins with. Its DOI names the earlier one.
_TEXTS = ("title", "notes", "authors", "license_id", "extras")


def create(site: Site, viewer: Viewer, ref: str | None, file_ids: Collection[str] | None = None) -> str:
    """Make a draft that is a new version of the active dataset `ref`; returns its id.

    :param file_ids: the files that it begins with, all of them when None.
    :raises Problem: 403, 404 (also when one of the files is not in the dataset), 409 when the dataset is not active.
    """
    with site.db.read() as conn:
        _row, facts, chosen = _checked(site, conn, viewer, ref, file_ids)
    new_ids = {file["id"]: names.new_id() for file in chosen}
    with resources.DepotTransaction(site) as files:
        for source_id, resource_id in new_ids.items():  # outside of the transaction: each waits for the disk
            files.share(source_id, resource_id)
        with site.db.write() as tx:
            row, facts, chosen = _checked(site, tx, viewer, ref, list(new_ids))
            dataset_id = _dataset(site, tx, viewer, row, facts)
            for file in chosen:
                resource_rows.share(site, tx, viewer, file, dataset_id, new_ids[file["id"]])
            audit.add(tx, viewer, "dataset.version", "dataset", dataset_id, source=facts.id, files=len(chosen))
            datasets.refresh(tx, dataset_id)
    site.wake_jobs()
    return dataset_id


def _checked(
    site: Site, conn: sqlite3.Connection, viewer: Viewer, ref: str | None, file_ids: Collection[str] | None
) -> tuple[sqlite3.Row, DatasetFacts, list[sqlite3.Row]]:
    """The dataset and its chosen files, when `viewer` may make a new version of them and there is room for what jobs make of it."""
    row, facts = lookup.dataset(conn, viewer, ref, "dataset:version")
    if facts.state != "active":
        raise Problem(409, "Validation Error", message=Message("Only an active dataset can have a new version."))
    circle = communities.find(conn, facts.circle_id, "circle")
    if circle is None:
        raise not_found()
    policy.require(viewer, "circle:add_dataset", communities.facts(circle))
    if versions.number_of_drafts(conn, facts.id) >= MOST_DRAFTS:
        raise Problem(
            409,
            "Validation Error",
            message=Message(
                "There are already %(most)s drafts of new versions of this dataset. Activate or delete one of them first.",
                most=MOST_DRAFTS,
            ),
        )
    present = rows.of_dataset(conn, facts.id)
    wanted = {file["id"] for file in present} if file_ids is None else set(file_ids)
    if not wanted <= {file["id"] for file in present}:
        raise not_found(Message("One of the files is not in this dataset."))
    upload_limits.require_quota(site, conn, facts.circle_id, artefacts.bytes_of(conn, sorted(wanted)))
    upload_limits.require_reserve(site)
    return row, facts, [file for file in present if file["id"] in wanted]


def _dataset(site: Site, tx: sqlite3.Connection, viewer: Viewer, row: sqlite3.Row, facts: DatasetFacts) -> str:
    id_ = names.new_id()
    private = facts.private or not site.settings.policy.public_datasets
    datasets.create(
        tx,
        {key: row[key] for key in _TEXTS}
        | {
            "name": names.dataset_name(row["title"], lambda text: datasets.name_taken(tx, text), id_),
            "reference_list": _references(site, row),
            "circle_id": facts.circle_id,
            "private": int(private),
            "state": "draft",
            "creator_id": viewer.user_id,
        },
        id_=id_,
    )
    tags.assign(tx, id_, tags.of_dataset(tx, facts.id))
    versions.follow(tx, id_, facts.id)
    audit.add(tx, viewer, "dataset.create", "dataset", id_, circle=facts.circle_id, private=private)
    return id_


def _references(site: Site, row: sqlite3.Row) -> str:
    """The references of a dataset, and its own address, by which clients know that the new one builds on it."""
    own = f"{site.settings.site_url}/dataset/{row['id']}"
    text = references.references(", ".join(part for part in (row["reference_list"], own) if part))
    if len(text) > dataset_fields.LONGEST["references"]:
        raise invalid(
            {
                "references": [
                    Message(
                        "At most %(references)s characters are accepted",
                        references=dataset_fields.LONGEST["references"],
                    )
                ]
            }
        )
    return text
