"""The datasets that a viewer may read, as one SQL condition; it expresses the rule ``dataset:read`` of `security.policy`."""

from __future__ import annotations

from typing import Any

from appliance.model.viewer import Viewer

_PUBLIC = "({d}.state = 'active' AND {d}.private = 0)"
_OWN = """(EXISTS (SELECT 1 FROM member vm WHERE vm.user_id = :viewer AND vm.community_id = {d}.circle_id)
 OR EXISTS (SELECT 1 FROM collaborator vk WHERE vk.user_id = :viewer AND vk.dataset_id = {d}.id)
 OR EXISTS (SELECT 1 FROM collection_dataset vc JOIN member vg ON vg.community_id = vc.collection_id AND vg.user_id = :viewer
            WHERE vc.dataset_id = {d}.id AND vc.granted = 1))"""

#: The same with lists computed once per statement: slower for one row, much faster for thousands.
_OWN_OF_MANY = """({d}.circle_id IN (SELECT vm.community_id FROM member vm WHERE vm.user_id = :viewer)
 OR {d}.id IN (SELECT vk.dataset_id FROM collaborator vk WHERE vk.user_id = :viewer)
 OR {d}.id IN (SELECT vc.dataset_id FROM member vg CROSS JOIN collection_dataset vc ON vc.collection_id = vg.community_id
               WHERE vg.user_id = :viewer AND vc.granted = 1))"""


def condition(viewer: Viewer, alias: str = "d", *, many: bool = False) -> tuple[str, dict[str, Any]]:
    """An SQL expression over the dataset row `alias` that is true if `viewer` may read it, and its named parameters.

    :param many: for statements that look at very many rows, such as counts.
    """
    if viewer.sysadmin:
        return "1", {}
    parts = [_PUBLIC.format(d=alias)] if viewer.sees_public else []
    if not viewer.anonymous:
        parts.append((_OWN_OF_MANY if many else _OWN).format(d=alias))
    if not parts:
        return "0", {}
    return f"({' OR '.join(parts)})", {} if viewer.anonymous else {"viewer": viewer.user_id}
