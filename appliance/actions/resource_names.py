"""Names of files: which new ones hold, and who may give a file another."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from appliance.model import names
from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.model.viewer import Viewer
from appliance.store import resources


def name_errors(
    conn: sqlite3.Connection, dataset_id: str, name: object, viewer: Viewer, taken: Sequence[str] = ()
) -> list[str]:
    """What is wrong with the name of a new file in a dataset; empty when nothing is."""
    errors = file_name_errors(name, viewer)
    if isinstance(name, str) and (name in taken or name in resources.names_of(conn, dataset_id)):
        errors.append(Message("Resource with name '%(name)s' already exists!", name=name))
    return errors


def file_name_errors(name: object, viewer: Viewer) -> list[str]:
    """What is wrong with the name of a file, whatever dataset it is in; empty when nothing is."""
    errors = names.resource_name_errors(name)
    if viewer.sysadmin and isinstance(name, str) and name.isprintable() and "/" not in name and len(name) <= 255:
        return [] if name.strip(". ") else errors
    return errors


def new_name(tx: sqlite3.Connection, viewer: Viewer, old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """The name that an administrator gives a file, None when it stays. What kind of file it is stays, too. Raises Problem 409."""
    name = new.get("name")
    if not viewer.sysadmin or name in (None, "", old["name"]):
        return None
    errors = name_errors(tx, old["package_id"], name, viewer)
    if not errors and names.suffix(str(name)) != names.suffix(old["name"]):
        errors = [f"The ending stays as it is: '{names.suffix(old['name']) or ''}'"]
    if errors:
        raise invalid({"name": errors})
    return str(name)
