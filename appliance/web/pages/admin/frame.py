"""The frame of the administrators' pages."""

from __future__ import annotations

from typing import Any

from appliance.web.pages.frame.i18n import gettext as _


def frame(on: str, title: str) -> dict[str, Any]:
    """Title and side navigation; `on` is the entry's key."""
    entries = [
        ("health", "/admin", _("Health"), "gauge"),
        ("users", "/admin/users", _("Users"), "user"),
        ("jobs", "/admin/jobs", _("Jobs"), "jobs"),
        ("storage", "/admin/storage", _("Storage"), "server"),
        ("backups", "/admin/backups", _("Backups"), "archive"),
        ("trash", "/admin/trash", _("Trash"), "trash"),
        ("certificate", "/admin/certificate", _("Certificate"), "certificate"),
        ("audit", "/admin/audit", _("Audit log"), "log"),
        ("incidents", "/admin/incidents", _("Incidents"), "warning"),
        ("notices", "/admin/notices", _("Announcements"), "megaphone"),
        ("settings", "/admin/settings", _("Settings"), "settings"),
    ]
    return {
        "title": title,
        "admin_entries": [
            {"url": url, "text": text, "icon": icon, "on": key == on} for key, url, text, icon in entries
        ],
    }
