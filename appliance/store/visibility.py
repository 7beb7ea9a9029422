"""What a viewer may see, as one SQL condition. It says in SQL what ``dataset:read`` says in `security.policy`."""

from __future__ import annotations

from typing import Any

from appliance.model.viewer import Viewer

_PUBLIC = "({d}.state = 'active' AND {d}.private = 0)"
_OWN = """(EXISTS (SELECT 1 FROM member vm WHERE vm.user_id = :viewer AND vm.community_id = {d}.circle_id)
 OR EXISTS (SELECT 1 FROM collaborator vk WHERE vk.user_id = :viewer AND vk.dataset_id = {d}.id)
 OR EXISTS (SELECT 1 FROM collection_dataset vc JOIN member vg ON vg.community_id = vc.collection_id AND vg.user_id = :viewer
            WHERE vc.dataset_id = {d}.id))"""


def condition(viewer: Viewer, alias: str = "d") -> tuple[str, dict[str, Any]]:
    """An SQL expression over the dataset row `alias` that holds for what `viewer` may read, and its named parameters."""
    if viewer.sysadmin:
        return "1", {}
    parts = [_PUBLIC.format(d=alias)] if viewer.sees_public else []
    if not viewer.anonymous:
        parts.append(_OWN.format(d=alias))
    if not parts:
        return "0", {}
    return f"({' OR '.join(parts)})", {} if viewer.anonymous else {"viewer": viewer.user_id}
