"""Tags: administrators take one off every dataset."""

from __future__ import annotations

from appliance.actions.site import Site
from appliance.model.problem import not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.store import audit, datasets, tags


def remove_everywhere(site: Site, viewer: Viewer, ref: str) -> None:
    """Take the tag with this id or name off all datasets, whatever their state. Raises Problem 403 or 404."""
    policy.require(viewer, "site:administer")
    with site.db.write() as tx:
        row = tags.find(tx, ref)
        if row is None:
            raise not_found(f'Could not find tag "{ref}"')
        for dataset_id in tags.remove(tx, row["id"]):
            datasets.touch(tx, dataset_id)
        audit.add(tx, viewer, "tag.delete", "tag", row["id"], name=row["name"])
