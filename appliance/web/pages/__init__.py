"""Pages for people: view models and routes, one module per family. Templates hold no logic, these modules no SQL."""

from __future__ import annotations

from flask import Blueprint

from appliance.web.pages import assets, dataset, find, login, resource, site, tokens

BLUEPRINTS: tuple[Blueprint, ...] = (
    assets.bp,
    site.bp,
    login.bp,
    tokens.bp,
    find.bp,
    dataset.bp,
    resource.bp,
)
