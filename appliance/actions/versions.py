"""A new version of an active dataset: a draft with the same texts and chosen files, whose bytes stay on the disk once.

The earlier dataset does not change. The files of both share their bytes by hard links in the depot: each has a name of its
own there, so removing one of them (to quarantine, and from there) leaves the other whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from appliance.actions import dataset_fields, lookup, resource_rows, resources
from appliance.actions.site import Site
from appliance.model import names, references
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.security import policy
from appliance.store import audit, communities, datasets, tags, versions
from appliance.store import resources as rows

#: Columns of a dataset that its new version begins with. Its DOI names the earlier one.
_TEXTS = ("title", "notes", "authors", "license_id")


def create(site: Site, viewer: Viewer, ref: str | None, file_ids: Collection[str] | None = None) -> str:
    """Make a draft that is a new version of the active dataset `ref`; returns its id.

    :param file_ids: the files that it begins with, all of them when None.
    :raises Problem: 403, 404 (also when one of the files is not in the dataset), 409 when the dataset is not active.
    """
    with resources.DepotTransaction(site) as files, site.db.write() as tx:
        row, facts = lookup.dataset(tx, viewer, ref, "dataset:version")
        if facts.state != "active":
            raise Problem(409, "Validation Error", message="Only an active dataset can have a new version.")
        circle = communities.find(tx, facts.circle_id, "circle")
        if circle is None:
            raise not_found()
        policy.require(viewer, "circle:add_dataset", communities.facts(circle))
        dataset_id = _dataset(site, tx, viewer, row, facts)
        present = rows.of_dataset(tx, facts.id)
        wanted = {file["id"] for file in present} if file_ids is None else set(file_ids)
        if not wanted <= {file["id"] for file in present}:
            raise not_found("One of the files is not in this dataset.")
        for file in present:
            if file["id"] in wanted:
                resource_rows.share(site, tx, viewer, file, dataset_id, files)
        audit.add(tx, viewer, "dataset.version", "dataset", dataset_id, source=facts.id, files=len(wanted))
        datasets.refresh(tx, dataset_id)
    site.wake_jobs()
    return dataset_id


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
        raise invalid({"references": [f"At most {dataset_fields.LONGEST['references']} characters are accepted"]})
    return text
