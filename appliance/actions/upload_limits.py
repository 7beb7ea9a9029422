"""How much may be uploaded: the largest file, the free space that must stay, and the circles' quotas."""

from __future__ import annotations

import sqlite3

from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.store import communities, uploads

#: Of the room for uploads, the share that several uploads of one user may be promised, and the one that is kept for those who
#: ask for little; who does not take more than the last share asks for little.
_OF_ONE, _KEPT, _LITTLE = 2, 4, 16


def require_room(site: Site, conn: sqlite3.Connection, size: int, user_id: str | None = None) -> None:
    """Is a file of `size` bytes allowed, and does it fit beside all that was accepted before? Raises Problem 413 or 507.

    To accept an upload, ask in the transaction that notes it: then no two get the same room.

    :param user_id: who uploads, so that nobody alone is promised what all need; None: the operator.
    """
    limit = site.settings.depot.max_upload
    if size > limit:
        raise Problem(
            413,
            "Request Entity Too Large",
            message=Message("The file has %(size)s bytes; at most %(limit)s are allowed.", size=size, limit=limit),
        )
    promises = uploads.promises(conn, site.depot)
    left = site.depot.free() - sum(one.missing for one in promises)
    free = max(0, left)
    if user_id is not None and size:
        _require_share(left - site.settings.depot.reserve, promises, size, user_id)
    if size + site.settings.depot.reserve > free:
        raise Problem(
            507,
            "Insufficient Storage",
            message=Message(
                "The data volume has %(free)s bytes left, too few for %(size)s bytes more. Tell the administrator.",
                free=free,
                size=size,
            ),
        )


def _require_share(left: int, promises: list[uploads.Promise], size: int, user_id: str) -> None:
    """:param left: what is neither taken nor promised nor kept free [bytes]."""
    own = [one.size for one in promises if one.user_id == user_id]
    room = left + sum(one.size for one in promises)
    taken = sum(own) + size
    if own and taken * _OF_ONE > room:
        raise Problem(
            507,
            "Insufficient Storage",
            message=Message(
                "Your unfinished uploads need %(total)s bytes, and %(size)s more would exceed half of the space for uploads. Finish or cancel some of them first.",
                total=sum(own),
                size=size,
            ),
        )
    if taken * _LITTLE > room and size > left - room // _KEPT:
        raise Problem(
            507,
            "Insufficient Storage",
            message=Message(
                "%(left)s bytes are left for uploads; a quarter of the space is reserved for small files. This file has %(size)s bytes. "
                "Wait for other uploads to finish, or tell the administrator.",
                left=max(0, left),
                size=size,
            ),
        )


def require_reserve(site: Site) -> None:
    """Is the free space that must be left still there? Asked while bytes arrive, when they become a resource, and by whatever stores texts. Raises Problem 507."""
    if site.depot.free() < site.settings.depot.reserve:
        raise Problem(
            507,
            "Insufficient Storage",
            message=Message("The data volume has become too full. Nothing was stored; tell the administrator."),
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
            message=Message(
                "The circle may use %(quota)s bytes and uses %(taken)s; this file would exceed the quota. The circle's admins see both figures on its page; the administrator can raise the quota.",
                quota=quota,
                taken=taken,
            ),
        )


def require_quota_to_move(site: Site, conn: sqlite3.Connection, dataset_id: str, circle_id: str) -> None:
    """Does the quota of a circle allow it to take over a dataset, with what jobs made of its files? Raises Problem 413."""
    if quota_of(site, conn, circle_id):
        require_quota(site, conn, circle_id, communities.bytes_of_dataset(conn, dataset_id))


def quota_of(site: Site, conn: sqlite3.Connection, circle_id: str) -> int:
    """How much a circle may hold [bytes], 0 = no limit: its own quota, else the setting."""
    own = communities.quota(conn, circle_id)
    return site.settings.depot.quota_circle if own is None else own
