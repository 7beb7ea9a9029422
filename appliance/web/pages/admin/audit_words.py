"""What the objects and details of audit entries are called on the page; exports keep the names that are stored."""

from __future__ import annotations

import json
from typing import Any

from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _

OBJECTS = {
    "user": N_("user"),
    "dataset": N_("dataset"),
    "resource": N_("file"),
    "backup": N_("backup"),
    "site": N_("server"),
    "comparison": N_("comparison"),
    "search": N_("saved search"),
    "token": N_("token"),
    "circle": N_("circle"),
    "collection": N_("collection"),
    "job": N_("job"),
    "alarm": N_("alarm"),
    "tag": N_("tag"),
    "certificate": N_("certificate"),
}
#: Names of details, besides those that are also kinds of objects.
DETAILS = {
    "accounts": N_("accounts"),
    "bytes": N_("bytes"),
    "capacity": N_("role"),
    "datasets": N_("datasets"),
    "directory": N_("directory"),
    "fields": N_("fields"),
    "file": N_("as in the file"),
    "files": N_("files"),
    "found": N_("found"),
    "further": N_("further"),
    "key": N_("key"),
    "kind": N_("kind"),
    "left": N_("left"),
    "login": N_("user name"),
    "name": N_("name"),
    "new_files": N_("new files"),
    "on": N_("on"),
    "opened": N_("decrypted"),
    "paused": N_("paused"),
    "private": N_("private"),
    "problems": N_("problems"),
    "provider": N_("provider"),
    "reason": N_("reason"),
    "removed": N_("removed"),
    "repaired": N_("repaired"),
    "resources": N_("files"),
    "role": N_("role"),
    "scope": N_("scope"),
    "session": N_("session"),
    "sessions": N_("sessions"),
    "sessions_ended": N_("sessions ended"),
    "sha256": "SHA-256",
    "shared": N_("shared"),
    "size": N_("size"),
    "source": N_("source"),
    "state": N_("state"),
    "sysadmin": N_("administrator"),
    "target": N_("target"),
    "text": N_("text"),
    "tokens": N_("tokens"),
    "value": N_("value"),
}
_LABELS = DETAILS | OBJECTS
#: Details whose values are words of ours; those of others, such as names, may look like one of these words.
_CHOSEN = frozenset({"capacity", "role", "scope", "state"})
VALUES = {
    "read": N_("read"),
    "write": N_("write"),
    "admin": N_("admin"),
    "member": N_("member"),
    "editor": N_("editor"),
    "full": N_("full"),
    "draft": N_("draft"),
    "active": N_("active"),
    "deleted": N_("deleted"),
}


def object_type(name: str) -> str:
    """What kind of object an entry is about."""
    return _(OBJECTS[name]) if name in OBJECTS else name


def detail(name: str, value: Any) -> str:
    """One detail of an entry: what it is called, and its value."""
    label = _(_LABELS[name]) if name in _LABELS else name
    if isinstance(value, bool):
        said = _("yes") if value else _("no")
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        said = ", ".join(value) or "–"
    elif isinstance(value, str):
        said = _(VALUES[value]) if name in _CHOSEN and value in VALUES else value
    else:
        said = json.dumps(value, ensure_ascii=False)
    return f"{label}: {said}"
