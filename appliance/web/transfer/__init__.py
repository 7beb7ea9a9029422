"""Bulk data: uploads into the depot, downloads out of it. Nothing here renders pages or speaks CKAN."""

from __future__ import annotations

from appliance.web.routes import Route
from appliance.web.transfer import archives, download, presigned_upload, resumable_upload

ROUTES: tuple[Route, ...] = (*download.ROUTES, *archives.ROUTES, *presigned_upload.ROUTES, *resumable_upload.ROUTES)
