"""The settings in force, where each comes from, and changing those that need no restart."""

from __future__ import annotations

import shlex
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance import settings as all_settings
from appliance.actions import page_settings as verbs
from appliance.model.problem import Problem
from appliance.web.pages.admin.frame import frame
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import settings, site, viewer
from appliance.web.pages.frame.forms import messages
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.render import back_to, render

bp = Blueprint("admin_settings", __name__)
_GROUPS = {
    "server": N_("Server"),
    "policy": N_("Permissions"),
    "depot": N_("Files"),
    "web": N_("Web pages"),
    "jobs": N_("Background jobs"),
    "verdict": N_("Quality"),
    "backup": N_("Backups"),
    "reserve": N_("Standby machine"),
    "publish": N_("Publishing to other servers"),
    "archive": N_("Archive (object storage)"),
    "syslog": N_("Audit log forwarding"),
    "clamav": N_("Virus scanner"),
    "mail": N_("Mail"),
    "ldap": N_("Directory (LDAP)"),
    "oidc": N_("Sign-in through a provider (OpenID Connect)"),
}


@bp.get("/admin/settings")
@allow("site:administer")
def page() -> str:
    """Every setting with its value and where it comes from; those that need no restart with a form."""
    return _page()


@bp.post("/admin/settings")
@allow("site:administer")
def change() -> Any:
    """Give one setting another value, or let it be as in the file."""
    key, value = request.form.get("key", ""), request.form.get("value", "").strip()
    try:
        verbs.change(site(), viewer(), key, None if request.form.get("do") == "file" else value)
    except Problem as problem:
        if problem.status != 409:
            raise
        return _page({key: (value, " ".join(messages(problem).values()))}), 409
    return _changed(key)


def _changed(key: str) -> Response:
    return back_to("/admin/settings", done="setting", fragment=_anchor(key))


def _page(refused: dict[str, tuple[str, str]] | None = None) -> str:
    groups: dict[str, list[dict[str, Any]]] = {}
    for key, option in all_settings.options().items():
        groups.setdefault(key.partition(".")[0], []).append(_row(key, option, (refused or {}).get(key)))
    return render(
        "admin/settings.html",
        groups=[{"name": _(_GROUPS.get(name, name)), "rows": rows} for name, rows in groups.items()],
        file=str(settings().data / all_settings.FILE),
        **frame("settings", _("Settings")),
    )


def _row(key: str, option: Any, refused: tuple[str, str] | None) -> dict[str, Any]:
    declared = option.metadata
    group, name = key.split(".")
    value = getattr(getattr(settings(), group), name)
    origin, unit = settings().origins.get(key, ""), declared["unit"]
    live = declared["live"] and not verbs.is_fixed(settings(), key)
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    choices = (
        [("true", _("yes")), ("false", _("no"))]
        if isinstance(value, bool)
        else [(one, one) for one in declared["choices"]]
    )
    return {
        "key": key,
        "anchor": _anchor(key),
        "value": _value(key, value),
        "unit": unit,
        "size": show.size(value) if unit == "bytes" and isinstance(value, int) and value >= 1000 else "",
        "doc": translate(declared["doc"]),
        "origin": _origin(origin),
        "changed": bool(origin),
        "live": live,
        "entered": refused[0] if refused else text,
        "error": refused[1] if refused else "",
        "choices": [{"value": one, "text": said, "on": one == text} for one, said in choices],
        "number": isinstance(value, int) and not isinstance(value, bool),
        "on_page": origin == all_settings.PAGE,
        "command": "" if declared["live"] else f"dcor config set {key} {shlex.quote(text)}",
    }


def _origin(origin: str) -> str:
    if origin == all_settings.PAGE:
        return _("this page")
    return origin or _("default")


def _anchor(key: str) -> str:
    return "s-" + key.replace(".", "-").replace("_", "-")


def _value(key: str, value: Any) -> str:
    if value == "":
        return "–"
    return str(value) if key.endswith("port") else show.value(value)
