"""What is left to set up on a new appliance, until all of it is done."""

from __future__ import annotations

from typing import Any

from appliance.store import inspection, users
from appliance.web.pages.frame.base import conn, settings
from appliance.web.pages.frame.i18n import gettext as _


def remaining() -> list[dict[str, Any]]:
    """The steps, each with whether it is done; empty when all are."""
    found, totals = settings(), inspection.totals(conn())
    steps = [
        _step(
            _("Backup key"),
            _("Without it, nothing is backed up. Run this on the server, print the key sheet and keep it in a safe."),
            bool(found.backup.recipient or found.backup.gpg_key),
            command="sudo dcor backup keys",
        ),
        _step(
            _("Mail"),
            _("Set the mail server and the address for alarms, so that you are notified of problems."),
            bool(found.mail.server and found.mail.admin),
            url="/admin/settings#s-mail-server",
        ),
        _step(
            _("Certificate"),
            _(
                "Clients trust this server through its certificate, which must be issued for the name it has in your network."
            ),
            "." in found.server.hostname,
            url="/admin/certificate",
        ),
        _step(
            _("First circle"),
            _("Datasets belong to circles, for example one for each working group."),
            totals["circles"] > 0,
            url="/organization/new",
        ),
        _step(
            _("First user"),
            _("Create an account for each person who measures or analyses; your own is for administration."),
            totals["users"] > users.count_admins(conn()),
            url="/admin/users/new",
        ),
    ]
    return [] if all(step["done"] for step in steps) else steps


def _step(title: str, text: str, done: bool, *, url: str = "", command: str = "") -> dict[str, Any]:
    return {"title": title, "text": text, "done": done, "url": url, "command": command}
