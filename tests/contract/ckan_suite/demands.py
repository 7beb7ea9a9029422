"""What DCOR demands that CKAN's tests leave out: fields of a dataset, a circle, files instead of links."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ckan.logic as logic
from werkzeug.datastructures import FileStorage

from tests.contract.ckan_suite.server import CIRCLE, SITE_USER, server

_numbers = itertools.count(1)


def _circle() -> str:
    with suppress(logic.ValidationError):
        server.ask(SITE_USER, "organization_create", {"name": CIRCLE, "title": "Suite"})
    return CIRCLE


def make_dataset(user: str, action: str, data: dict[str, Any]) -> Any:
    """Datasets have title, authors, licence and circle; files of theirs are sent one by one."""
    data = {key: value for key, value in data.items() if key != "user"}
    if not data.get("name"):
        return server.ask(user, action, data)
    full = {"title": data["name"], "authors": "A. Author", "license_id": "CC0-1.0"} | data
    if not full.get("license_id"):
        full["license_id"] = "CC0-1.0"
    links = full.get("resources") or []
    if links and all(isinstance(one, dict) and "url" in one for one in links):
        full.pop("resources")
    else:
        links = []
    if "owner_org" not in full and not full.get("private"):
        full["owner_org"] = _circle()
    made = server.ask(user, action, full)
    for link in links:
        _make_resource(SITE_USER, "resource_create", {"package_id": made["id"]} | link)
    return server.ask(SITE_USER, "package_show", {"id": made["id"]}) if links else made


def _make_resource(user: str, action: str, data: dict[str, Any]) -> Any:
    """A resource is a file: a link is sent as one, of the size and the kind that the test gives it; lists and objects, which no form has, follow."""
    sent = {key: value for key, value in data.items() if value is not None and key != "user"}
    if "upload" in sent:
        return server.ask(user, action, sent)
    sent.pop("url", None)
    name = sent.pop("name", None) or f"linked-{next(_numbers)}"
    ending = str(sent.get("format", "")).lower()
    if ending in ("csv", "json") and "." not in name and name.startswith(("linked-", "resource-")):  # no test's own
        name = f"{name}.{ending}"
    size = sent.get("size")
    content = b"x" * size if isinstance(size, int) else b"A file instead of a link.\n"
    nested = {key: sent.pop(key) for key in list(sent) if isinstance(sent[key], dict | list)}
    made = server.ask(user, action, sent | {"upload": FileStorage(io.BytesIO(content), name)})
    return server.ask(user, "resource_patch", {"id": made["id"]} | nested) if nested else made


def _make_community(user: str, action: str, data: dict[str, Any]) -> Any:
    """One that is deleted was made first."""
    sent = {key: value for key, value in data.items() if key != "user"}
    if sent.get("state") != "deleted":
        return server.ask(user, action, sent)
    made = server.ask(user, action, sent | {"state": "active"})
    server.ask(SITE_USER, action.replace("_create", "_delete"), {"id": made["id"]})
    return made | {"state": "deleted"}


def _make_user(user: str, action: str, data: dict[str, Any]) -> Any:
    sent = {key: value for key, value in data.items() if not (key == "reset_key" and value is None) and key != "user"}
    try:
        return server.ask(user, action, sent)
    except logic.ValidationError as refused:
        if "an attacker" not in str(refused.error_dict.get("password")):
            raise
        return server.ask(
            user, action, sent | {"password": sent["password"] + "-zq7Wx"}
        )  # CKAN's tests use common ones


def _update_dataset(user: str, action: str, data: dict[str, Any]) -> Any:
    """What DCOR demands and the test leaves out is what it was."""
    if not (data.get("id") or data.get("name")):
        return server.ask(user, action, data)
    known = server.ask(SITE_USER, "package_show", {"id": data.get("id") or data.get("name")})
    for key in ("title", "authors", "license_id", "owner_org"):
        data.setdefault(key, known[key])
    listed = data.get("resources") or []
    links = [one for one in listed if isinstance(one, dict) and "url" in one and not one.get("id")]
    if not links:
        return server.ask(user, action, data)
    server.ask(user, action, data | {"resources": [one for one in listed if one not in links]})
    for link in links:
        _make_resource(SITE_USER, "resource_create", {"package_id": known["id"]} | link)
    return server.ask(user, "package_show", {"id": known["id"]})


def _revise_dataset(user: str, action: str, data: dict[str, Any]) -> Any:
    """A link that is added is sent as a file."""
    key = "update__resources__extend"
    added = data.get(key)
    if isinstance(added, list) and len(added) == 1 and "url" in added[0]:
        entry = {name: value for name, value in added[0].items() if name != "url"}
        name = entry.get("name") or f"linked-{next(_numbers)}"
        file = FileStorage(io.BytesIO(b"A file instead of a link.\n"), name)
        data = data | {key: [entry], "update__resources__-1__upload": file}
    return server.ask(user, action, data)


MAKES: dict[str, Callable[[str, str, dict[str, Any]], Any]] = {
    "package_create": make_dataset,
    "resource_create": _make_resource,
    "user_create": _make_user,
    "package_update": _update_dataset,
    "package_revise": _revise_dataset,
    "group_create": _make_community,
    "organization_create": _make_community,
}
