"""Supplementary metadata and descriptions of several files of a draft, changed in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from appliance.actions import lookup, resources
from appliance.actions.site import Site
from appliance.model.problem import Fields, Problem, invalid, not_found
from appliance.model.viewer import Viewer
from appliance.store import documents


def write(site: Site, viewer: Viewer, dataset_ref: str | None, changes: Mapping[str, Mapping[str, Any]]) -> int:
    """Write fields of files; what `changes` does not name stays as it is. Returns how many files changed.

    :param changes: resource id → {``description`` or ``sp:section:key``: new value, "" to remove it}.
    :raises Problem: 403, 404, or 409 with the faults by resource id and field; nothing is written then.
    """
    changed = 0
    errors: dict[str, Any] = {}
    with site.db.write() as tx:
        _, facts = lookup.dataset(tx, viewer, dataset_ref, "dataset:update")
        resources.require_draft(viewer, facts)
        stored = documents.resources(tx, facts.id)
        for resource_id, new in changes.items():
            if resource_id not in stored:
                raise not_found()
            try:
                changed += resources.change(site, tx, viewer, json.loads(stored[resource_id]), new)
            except Problem as problem:
                if problem.status != 409:
                    raise
                errors[resource_id] = problem.fields
        if errors:
            raise invalid(Fields(errors))
    return changed
