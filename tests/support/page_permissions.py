"""Who gets which page: the golden table, used by several tests."""

from __future__ import annotations

from typing import Any

from tests.support.furnished import House

EVERYBODY = ("", "eve", "kim", "max", "ada", "root")

#: path → status for stranger, outsider, member of the collection, editor, admin of the circle, sysadmin.
#: 303 = to the log-in page.
GOLDEN: dict[str, tuple[int, int, int, int, int, int]] = {
    "/": (200, 200, 200, 200, 200, 200),
    "/about": (200, 200, 200, 200, 200, 200),
    "/help": (200, 200, 200, 200, 200, 200),
    "/help/user-guide": (200, 200, 200, 200, 200, 200),
    "/help/commands": (200, 200, 200, 200, 200, 200),
    "/connect": (200, 200, 200, 200, 200, 200),
    "/connect/server.cert": (200, 200, 200, 200, 200, 200),
    "/robots.txt": (200, 200, 200, 200, 200, 200),
    "/user/login": (200, 303, 303, 303, 303, 303),
    "/dataset": (303, 200, 200, 200, 200, 200),
    "/organization": (303, 200, 200, 200, 200, 200),
    "/group": (303, 200, 200, 200, 200, 200),
    "/organization/lab": (303, 200, 200, 200, 200, 200),
    "/organization/lab/members": (303, 404, 404, 200, 200, 200),
    "/organization/lab/edit": (303, 403, 403, 403, 200, 200),
    "/organization/new": (303, 200, 200, 200, 200, 200),
    "/group/study": (303, 200, 200, 200, 200, 200),
    "/group/study/edit": (303, 403, 403, 403, 200, 200),
    "/measurements": (303, 200, 200, 200, 200, 200),
    "/measurements.csv": (303, 200, 200, 200, 200, 200),
    "/instruments": (303, 200, 200, 200, 200, 200),
    "/compare": (303, 200, 200, 200, 200, 200),
    "/comparisons": (303, 200, 200, 200, 200, 200),
    "/searches": (303, 200, 200, 200, 200, 200),
    "/dashboard": (303, 200, 200, 200, 200, 200),
    "/upload": (303, 200, 200, 200, 200, 200),
    "/notifications": (303, 200, 200, 200, 200, 200),
    "/requests": (303, 200, 200, 200, 200, 200),
    "/dataset/{public}": (303, 200, 200, 200, 200, 200),
    "/dataset/{public}/edit": (303, 403, 403, 200, 200, 200),
    "/dataset/{public}/share": (303, 403, 403, 403, 200, 200),
    "/dataset/{public}/collections": (303, 200, 200, 200, 200, 200),
    "/dataset/{public}/citation.bib": (303, 200, 200, 200, 200, 200),
    "/dataset/{public}/version": (303, 403, 403, 200, 200, 200),
    "/dataset/{private}/version": (303, 404, 404, 200, 200, 200),
    "/dataset/{public}/publish": (303, 403, 403, 403, 403, 200),
    "/dataset/{public}/purge": (303, 403, 403, 200, 200, 200),
    "/dataset/{private}": (303, 404, 404, 200, 200, 200),
    "/dataset/{private}/resource/{private_file}": (303, 404, 404, 200, 200, 200),
    "/dataset/{private}/share": (303, 404, 404, 403, 200, 200),
    "/dataset/{draft}": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/edit": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/activate": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/files": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/supplements": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/supplements.csv": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/delete": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/upload": (303, 404, 404, 200, 200, 200),
    "/dataset/{draft}/resource/{draft_file}/edit": (303, 404, 404, 200, 200, 200),
    "/user/ada": (303, 403, 403, 403, 200, 200),
    "/user/ada/two-step": (303, 403, 403, 403, 200, 200),
    "/user/ada/api-tokens": (303, 403, 403, 403, 200, 200),
    "/user/ada/sessions": (303, 403, 403, 403, 200, 200),
    "/user/ada/access-file": (303, 403, 403, 403, 200, 200),
    "/admin": (303, 403, 403, 403, 403, 200),
    "/admin/users": (303, 403, 403, 403, 403, 200),
    "/admin/users/ada": (303, 403, 403, 403, 403, 200),
    "/admin/jobs": (303, 403, 403, 403, 403, 200),
    "/admin/storage": (303, 403, 403, 403, 403, 200),
    "/admin/backups": (303, 403, 403, 403, 403, 200),
    "/admin/backups/2026-01-01_000000": (303, 403, 403, 403, 403, 404),
    "/admin/backups/2026-01-01_000000/restore/dataset/beads": (303, 403, 403, 403, 403, 404),
    "/admin/trash": (303, 403, 403, 403, 403, 200),
    "/admin/certificate": (303, 403, 403, 403, 403, 200),
    "/admin/audit": (303, 403, 403, 403, 403, 200),
    "/admin/notices": (303, 403, 403, 403, 403, 200),
    "/admin/settings": (303, 403, 403, 403, 403, 200),
    "/admin/incidents": (303, 403, 403, 403, 403, 200),
    "/admin/checks": (303, 403, 403, 403, 403, 200),
}


def filled(path: str, house: House, **more: Any) -> str:
    """The path with the ids of the house's datasets, and `more`."""
    return path.format(
        **more,
        public=house.public["name"],
        private=house.private["id"],
        private_file=house.private_file["id"],
        draft=house.draft["name"],
        draft_file=house.draft_file["id"],
    )
