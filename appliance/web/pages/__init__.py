"""Pages for people: view models and routes, one module per family. Templates hold no logic, these modules no SQL."""

from __future__ import annotations

from flask import Blueprint

from appliance.web.pages.account import (
    access_file,
    comparisons,
    connect,
    dashboard,
    login,
    notifications,
    profile,
    provider,
    register,
    searches,
    second_factor,
    tokens,
)
from appliance.web.pages.admin import audit as admin_audit
from appliance.web.pages.admin import backups as admin_backups
from appliance.web.pages.admin import bring_back as admin_bring_back
from appliance.web.pages.admin import certificate as admin_certificate
from appliance.web.pages.admin import health as admin_health
from appliance.web.pages.admin import jobs as admin_jobs
from appliance.web.pages.admin import site as admin_site
from appliance.web.pages.admin import site_settings as admin_settings
from appliance.web.pages.admin import storage as admin_storage
from appliance.web.pages.admin import trash as admin_trash
from appliance.web.pages.admin import users as admin_users
from appliance.web.pages.community import access_requests, members
from appliance.web.pages.community import view as communities
from appliance.web.pages.dataset import (
    activate,
    compare,
    compare_session,
    dataset_list,
    elasticity,
    files,
    instruments,
    manage,
    measurements,
    publishing,
    resource,
    resource_edit,
    selection,
    sharing,
    supplement_sheet,
    upload,
    version,
)
from appliance.web.pages.dataset import view as dataset
from appliance.web.pages.frame import aliases, assets, manual, site

BLUEPRINTS: tuple[Blueprint, ...] = (
    assets.bp,
    site.bp,
    manual.bp,
    login.bp,
    provider.bp,
    tokens.bp,
    dataset_list.bp,
    dataset.bp,
    resource.bp,
    resource_edit.bp,
    supplement_sheet.bp,
    manage.bp,
    files.bp,
    version.bp,
    publishing.bp,
    activate.bp,
    sharing.bp,
    communities.bp,
    members.bp,
    dashboard.bp,
    comparisons.bp,
    searches.bp,
    notifications.bp,
    access_requests.bp,
    profile.bp,
    second_factor.bp,
    connect.bp,
    upload.bp,
    access_file.bp,
    aliases.bp,
    register.bp,
    selection.bp,
    compare.bp,
    compare_session.bp,
    elasticity.bp,
    measurements.bp,
    instruments.bp,
    admin_health.bp,
    admin_users.bp,
    admin_jobs.bp,
    admin_storage.bp,
    admin_backups.bp,
    admin_bring_back.bp,
    admin_trash.bp,
    admin_certificate.bp,
    admin_audit.bp,
    admin_site.bp,
    admin_settings.bp,
)
