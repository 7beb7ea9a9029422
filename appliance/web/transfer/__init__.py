"""Bulk data: uploads into the depot, downloads from it. No pages, no CKAN API."""

from __future__ import annotations

import re

from appliance.web.http import Request
from appliance.web.routes import Route
from appliance.web.transfer import archives, download, multipart_form, presigned_upload, resumable_upload

_FILES = re.compile(r"/upload/.+")
_ACTIONS = re.compile(rf"/api(?:/3)?/action/(?:{'|'.join(sorted(multipart_form.FILE_ACTIONS))})/?")

ROUTES: tuple[Route, ...] = (*download.ROUTES, *archives.ROUTES, *presigned_upload.ROUTES, *resumable_upload.ROUTES)


def carries_file(request: Request) -> bool:
    """Whether a request's body is a file, so that it may take as long as the client's connection needs.

    A form for an action that accepts no file does not count.
    """
    if request.method in {"PUT", "PATCH"}:
        return _FILES.fullmatch(request.path) is not None
    kind = (request.headers.get("Content-Type") or "").lower()
    return kind.startswith("multipart/form-data") and _ACTIONS.fullmatch(request.path) is not None
