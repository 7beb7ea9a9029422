"""How much may be uploaded: the largest file, the free space that must stay, and the circles' quotas."""

from __future__ import annotations

import sqlite3

from appliance.actions.site import Site
from appliance.model.problem import Problem
from appliance.store import communities, uploads


def require_room(site: Site, conn: sqlite3.Connection, size: int) -> None:
    """Is a file of `size` bytes allowed, and does it fit beside all that was accepted before? Raises Problem 413 or 507.

    To accept an upload, ask in the transaction that notes it: then no two get the same room.
    """
    limit = site.settings.depot.max_upload
    if size > limit:
        raise Problem(
            413, "Request Entity Too Large", message=f"The file has {size} bytes; at most {limit} are allowed."
        )
    promised = sum(max(0, whole - site.depot.allocated(part)) for part, whole in uploads.unattached(conn))
    free = max(0, site.depot.free() - promised)
    if size + site.settings.depot.reserve > free:
        raise Problem(
            507,
            "Insufficient Storage",
            message=f"The data volume has {free} bytes left, too few for {size} bytes more. Tell the administrator.",
        )


def require_reserve(site: Site) -> None:
    """Is the free space that uploads must leave still there? Asked while bytes arrive. Raises Problem 507."""
    if site.depot.free() < site.settings.depot.reserve:
        raise Problem(
            507,
            "Insufficient Storage",
            message="The data volume has become too full for this file. It was not stored; tell the administrator.",
        )


def require_quota(site: Site, conn: sqlite3.Connection, circle_id: str, size: int, *, resource_id: str = "") -> None:
    """Does the circle's quota allow `size` bytes more, uploads under way included? Raises Problem 413.

    :param resource_id: of the upload that the bytes belong to, when it is one of those under way.
    """
    quota = quota_of(site, conn, circle_id)
    if not quota:
        return
    taken = communities.bytes_of_circle(conn, circle_id)
    if taken + uploads.bytes_of_circle(conn, circle_id, without=resource_id) + size > quota:
        raise Problem(
            413,
            "Request Entity Too Large",
            message=f"The circle may hold {quota} bytes and holds {taken}; this file would exceed that. Its admins see both on the "
            "circle's page; the administrator can allow more.",
        )


def quota_of(site: Site, conn: sqlite3.Connection, circle_id: str) -> int:
    """How much a circle may hold [bytes], 0 = no limit: its own quota, else the setting."""
    own = communities.quota(conn, circle_id)
    return site.settings.depot.quota_circle if own is None else own
