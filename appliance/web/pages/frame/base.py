"""What the views of one request share: the site, the connection, the caller."""

from __future__ import annotations

import sqlite3

from flask import current_app, g

from appliance.actions.site import Site
from appliance.model.viewer import Viewer
from appliance.settings import Settings
from appliance.store import write_guard
from appliance.web.context import Context


def context() -> Context:
    """The web context that the service composed."""
    found: Context = current_app.config["CONTEXT"]
    return found


def site() -> Site:
    """The site, as the actions take it."""
    return context()


def settings() -> Settings:
    """The settings of this appliance."""
    return context().settings


def viewer() -> Viewer:
    """Who asks."""
    found: Viewer = g.viewer
    return found


def conn() -> sqlite3.Connection:
    """The request's read-only connection, taken from the pool on first use and given back at the end."""
    if "conn" not in g:
        g.conn_holder = context().db.read()
        g.conn = g.conn_holder.__enter__()
    found: sqlite3.Connection = g.conn
    return found


def release(error: BaseException | None = None) -> None:
    """Give the request's connection back; what this thread writes next is no part of the request."""
    write_guard.use(None)
    holder = g.pop("conn_holder", None)
    g.pop("conn", None)
    if holder is not None:
        holder.__exit__(None, None, None)
