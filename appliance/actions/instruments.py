"""Which datasets hold reference samples, by which instruments are checked.

An annotation, not a tag: the tags of an active dataset can no longer change, and references are chosen long after. It concerns
everybody who looks at the instrument, so it is for those who may edit the circle's datasets.
"""

from __future__ import annotations

from appliance.actions import lookup
from appliance.actions.site import Site
from appliance.model.viewer import Viewer
from appliance.store import audit, instruments


def set_reference(site: Site, viewer: Viewer, ref: str | None, *, on: bool) -> None:
    """Let the measurements of a dataset count as references, or not. Raises Problem 403 or 404."""
    with site.db.write() as tx:
        _row, facts = lookup.dataset(tx, viewer, ref, "dataset:annotate_shared")
        if instruments.set_reference(tx, facts.id, on=on):
            audit.add(tx, viewer, "dataset.reference", "dataset", facts.id, on=on)
