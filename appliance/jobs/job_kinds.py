"""All job kinds of this release."""

from __future__ import annotations

import importlib

from appliance.jobs.registry import KINDS, JobKind

_MODULES = (
    "checksum",
    "metadata",
    "condense",
    "preview",
    "gate_export",
    "scrub",
    "prune",
    "orphans",
    "missing",
    "statistics",
    "user_tree",
    "upload_expiry",
    "backup",
    "alerts",
    "audit_log",
    "checks",
    "virus_scan",
    "audit_forwarding",
    "notifications",
    "directory",
    "provider",
    "archive",
)


def all_() -> dict[str, JobKind]:
    """Every declared kind by name."""
    for module in _MODULES:
        importlib.import_module(f"appliance.jobs.{module}")
    return dict(KINDS)
