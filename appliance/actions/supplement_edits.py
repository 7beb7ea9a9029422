"""Supplementary metadata and descriptions of several files of a draft, changed in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from appliance.actions import lookup, resources
from appliance.actions.site import Site
from appliance.model import supplements
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid, not_found
from appliance.model.viewer import Viewer
from appliance.store import documents


def write(
    site: Site,
    viewer: Viewer,
    dataset_ref: str | None,
    changes: Mapping[str, Mapping[str, Any]],
    shown: Mapping[str, Mapping[str, Any]] | None = None,
) -> int:
    """Write fields of files; what `changes` does not name stays as it is. Returns how many files changed.

    :param changes: resource id → {``description`` or ``sp:section:key``: new value, "" to remove it}.
    :param shown: in the same form, the values that the reader saw; a field that somebody changed since is a fault.
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
            now = json.loads(stored[resource_id])
            try:
                _require_unchanged(site, now, (shown or {}).get(resource_id, {}))
                changed += resources.change(site, tx, viewer, now, new)
            except Problem as problem:
                if problem.status != 409:
                    raise
                errors[resource_id] = problem.fields
        if errors:
            raise invalid(Fields(errors))
    return changed


def _require_unchanged(site: Site, now: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    """Does a file still have the values that its reader saw? Raises Problem 409 naming each that it has not."""
    faults = Fields()
    for key, text in shown.items():
        seen = supplements.parse(site.settings.policy.supplements, key, text) if key.startswith("sp:") else text
        if (seen or "") != (now.get(key) or ""):
            faults[key] = [
                Message("Somebody has changed this value meanwhile. It is now '%(value)s'", value=now.get(key) or "")
            ]
    if faults:
        raise invalid(faults)
