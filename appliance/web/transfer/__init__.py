"""Bulk data: uploads into the depot, downloads out of it. Nothing here renders pages or speaks CKAN."""

from __future__ import annotations

from appliance.web.routes import Route
from appliance.web.transfer import browser, bundle, direct, download

ROUTES: tuple[Route, ...] = (*download.ROUTES, *bundle.ROUTES, *direct.ROUTES, *browser.ROUTES)
