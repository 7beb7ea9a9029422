"""The table of all routes of the gateway; the last one leads to the pages."""

from __future__ import annotations

from appliance.web import api, compare_events, monitoring_routes, transfer
from appliance.web.api import dispatch, openapi
from appliance.web.dcserv import explorer
from appliance.web.routes import Route


def routes() -> tuple[Route, ...]:
    """All routes of the gateway, in the order in which they are tried."""
    assert api  # noqa: S101 - importing it has declared the actions
    return (
        *openapi.ROUTES,
        *dispatch.ROUTES,
        *transfer.ROUTES,
        *explorer.ROUTES,
        *compare_events.ROUTES,
        *monitoring_routes.ROUTES,
    )
