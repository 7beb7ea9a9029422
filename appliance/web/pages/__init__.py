"""Pages for people: view models and routes, one module per family. Templates hold no logic, these modules no SQL."""

from __future__ import annotations

from flask import Blueprint

from appliance.web.pages import (
    assets,
    communities,
    connect,
    dashboard,
    dataset,
    find,
    login,
    manage,
    members,
    profile,
    resource,
    resource_edit,
    sharing,
    site,
    tokens,
    upload,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    assets.bp,
    site.bp,
    login.bp,
    tokens.bp,
    find.bp,
    dataset.bp,
    resource.bp,
    resource_edit.bp,
    manage.bp,
    sharing.bp,
    communities.bp,
    members.bp,
    dashboard.bp,
    profile.bp,
    connect.bp,
    upload.bp,
)
