"""Validation of a dataset's own fields, from the client's values to stored ones, with errors by field."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from types import NoneType
from typing import Any

from appliance.actions.activation import NO_RESOURCES
from appliance.actions.site import Site
from appliance.model import extras, licences, names, references
from appliance.model.messages import Message
from appliance.model.problem import Fields, Problem, invalid, not_authorized, not_found
from appliance.model.values import as_bool, as_text, composed, text_error
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.settings import Settings
from appliance.store import communities, datasets

#: Field as clients name it → column.
COLUMNS = {
    "title": "title",
    "notes": "notes",
    "authors": "authors",
    "doi": "doi",
    "references": "reference_list",
    "license_id": "license_id",
    "private": "private",
    "owner_org": "circle_id",
    "state": "state",
    "name": "name",
    "extras": "extras",
}

#: Fields set by the server alone: sent back by clients and ignored.
DERIVED = frozenset(
    {
        "creator_user_id", "isopen", "license_title", "license_url", "metadata_created", "metadata_modified", "num_resources", "num_tags",
        "organization", "type", "relationships_as_subject", "relationships_as_object", "revision_id", "pkg_name", "tracking_summary",
        "author", "author_email", "maintainer", "maintainer_email", "url", "version", "log_message", "save", "defer_commit",
        "return_package_dict", "use_cache", "published_as",
    }
)  # fmt: skip

#: Longest text [characters].
LONGEST = {"title": 2000, "authors": 20_000, "doi": 500, "references": 20_000, "notes": 200_000}
#: Limits per dataset and per call: about ten times what clients send.
MOST_TAGS, MOST_COLLECTIONS = 200, 200
NO_PUBLIC = "public datasets have been disabled via the configuration option 'policy.public_datasets = false'!"
_PARSERS = {"authors": references.authors, "doi": references.doi, "references": references.references}


def parsed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The text fields and `private` of `data` in their stored form; only those that are there. Raises Problem 409."""
    found: dict[str, Any] = {}
    errors: Fields = {}
    for key, longest in LONGEST.items():
        if key in data:
            if not isinstance(data[key], (str, int, float, NoneType)):
                errors[key] = ["Must be a text"]
                continue
            text = as_text(data[key])
            if len(text) > longest:
                errors[key] = [f"At most {longest} characters are accepted"]
            if wrong := text_error(text):
                errors[key] = [wrong]
            found[key] = _PARSERS.get(key, str)(text)
    if data.get("extras") is not None:
        found["extras"] = _extras(data["extras"], errors)
    if data.get("license_id") is not None:
        found["license_id"] = as_text(data["license_id"])[:100]
    if "private" in data:
        try:
            found["private"] = as_bool(data["private"])
        except ValueError:
            errors["private"] = ["Must be true or false"]
    if errors:
        raise invalid(errors)
    return found


def _extras(listed: Any, errors: Fields) -> str:
    """The stored form of CKAN's extras; what is wrong with them is added to `errors`."""
    try:
        return extras.parsed(listed or [], reserved=extras.OWN_FIELDS | COLUMNS.keys())
    except Problem as problem:
        errors |= problem.fields
        return "[]"


def tag_names(data: Mapping[str, Any]) -> list[str] | None:
    """Names of the tags that `data` (``tags`` or ``tag_string``) asks for, None when it says nothing. Raises Problem 409."""
    if "tags" in data and data["tags"] is not None:
        if not isinstance(data["tags"], list):
            raise invalid({"tags": ["Not a list"]})
        wanted = [tag.get("name") if isinstance(tag, Mapping) else tag for tag in data["tags"]]
    elif data.get("tag_string"):
        wanted = [part.strip() for part in as_text(data["tag_string"]).split(",") if part.strip()]
    else:
        return None
    if len(wanted) > MOST_TAGS:
        raise invalid({"tags": [Message("At most %(most)s tags are accepted", most=MOST_TAGS)]})
    wanted = composed(wanted)
    errors = [error for name in wanted for error in names.tag_errors(name)]
    if errors:
        raise invalid({"tags": errors})
    return sorted({str(name) for name in wanted})


def circle(conn: sqlite3.Connection, viewer: Viewer, ref: Any, *, private: bool = False) -> str:
    """Id of the circle that shall own a dataset. Raises Problem: none given, unknown, or no right there."""
    if not ref:
        errors: Fields = {"owner_org": ["An organization must be provided"]}
        raise invalid(errors | ({"private": ["Datasets with no organization can't be private."]} if private else {}))
    row = communities.find(conn, as_text(ref), "circle")
    if row is None:
        raise invalid({"owner_org": ["Organization does not exist"]})
    policy.require(viewer, "circle:add_dataset", communities.facts(row))
    return str(row["id"])


def collections(
    conn: sqlite3.Connection, data: Mapping[str, Any], viewer: Viewer, held: frozenset[str] = frozenset()
) -> set[str] | None:
    """Ids of the collections that `data["groups"]` names, None when it says nothing.

    The caller must be editor or admin in each that is not in `held` yet. Raises Problem 403 or 404.
    """
    if data.get("groups") is None:
        return None
    if not isinstance(data["groups"], list):
        raise invalid({"groups": ["Not a list"]})
    if len(data["groups"]) > MOST_COLLECTIONS:
        raise invalid({"groups": [Message("At most %(most)s collections are accepted", most=MOST_COLLECTIONS)]})
    found = set()
    for group in data["groups"]:
        refs = [group.get("id"), group.get("name")] if isinstance(group, Mapping) else [group]
        rows = (communities.find(conn, ref, "collection") for ref in refs if ref and isinstance(ref, str))
        row = next((row for row in rows if row is not None), None)
        if row is None:
            raise not_found("Group was not found.")
        if row["id"] not in held and not policy.may(viewer, "collection:datasets", communities.facts(row)):
            raise policy.refused(viewer, "edit these groups")
        found.add(str(row["id"]))
    return found


def require_complete(fields: Mapping[str, Any], viewer: Viewer, settings: Settings) -> None:
    """A dataset needs authors and a licence of the list. Raises Problem 409 with all that is missing."""
    errors: Fields = {}
    if not fields.get("authors"):
        errors["authors"] = ["Missing value"]
    try:
        check = licences.require_listed if viewer.sysadmin else licences.require_choice
        check(fields.get("license_id") or "", settings.policy.licences)
    except Problem as problem:
        errors |= problem.fields
    if errors:
        raise invalid(errors)


# --- of a new dataset -----------------------------------------------------------------------------------------------


def chosen_id(conn: sqlite3.Connection, viewer: Viewer, id_: Any) -> str | None:
    """The id that an admin wants a new dataset to have. Raises Problem 403 or 409."""
    if not id_:
        return None
    if not viewer.sysadmin:
        raise not_authorized("Only sysadmins may specify a dataset ID")
    if not names.is_id(id_):
        raise invalid({"id": ["dataset ID must be a valid UUID"]})
    if datasets.find(conn, id_) is not None:
        raise invalid({"id": ["Dataset id already exists"]})
    return str(id_)


def chosen_name(conn: sqlite3.Connection, viewer: Viewer, name: Any) -> str | None:
    """An admin's own name for a dataset; other people's wishes are ignored, as in DCOR. Raises Problem 409."""
    if not name or not viewer.sysadmin:
        return None
    names.require_name(name)
    if datasets.name_taken(conn, name):
        raise invalid({"name": [Message("That URL is already in use.")]})
    return str(name)


def initial_state(viewer: Viewer, state: Any) -> str:
    """State of a new dataset. Scripts of admins (``ckanapi load``, mirrors) make active and deleted ones at once, as CKAN lets them.

    Raises Problem 409.
    """
    if state in (None, ""):
        return "active" if viewer.sysadmin else "draft"
    if state == "draft":
        return "draft"
    if viewer.sysadmin and state in ("active", "deleted"):
        return str(state)
    if state == "active":
        raise invalid({"state": [NO_RESOURCES]})
    raise invalid({"state": [Message("A new dataset is a draft, not '%(state)s'", state=state)]})


def initial_visibility(site: Site, private: bool | None) -> bool:
    """Whether a new dataset is private. Raises Problem 403."""
    public_allowed = site.settings.policy.public_datasets
    if private is None:
        return not public_allowed
    if not private and not public_allowed:
        raise not_authorized(f"Creating {NO_PUBLIC}")
    return private


def require_visibility(site: Site, viewer: Viewer, *, private: bool) -> None:
    """Do the settings let `viewer` make an existing dataset private or public? Raises Problem 403."""
    if not private and not site.settings.policy.public_datasets:
        raise not_authorized(f"{NO_PUBLIC[0].upper()}{NO_PUBLIC[1:]}")
    if private and site.settings.policy.public_datasets and not viewer.sysadmin:
        raise not_authorized(Message("Changing visibility to private not allowed"))


def stored(row: sqlite3.Row, key: str) -> Any:
    """What a dataset has in the field that clients call `key`, as `parsed` gives it."""
    value = row[COLUMNS[key]]
    return bool(value) if key == "private" else value


def columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Columns and values for fields as `parsed` gives them."""
    return {COLUMNS[key]: int(value) if isinstance(value, bool) else value for key, value in fields.items()}


def other_keys(row: sqlite3.Row, data: Mapping[str, Any]) -> set[str]:
    """`name` and `id` where they differ (the id may be given as the name), and keys with a value that are not fields of a dataset."""
    changed = set()
    for key, same in (("name", [row["name"]]), ("id", [row["id"], row["name"]])):
        if data.get(key) and data[key] not in same:
            changed.add(key)
    known = set(COLUMNS) | DERIVED | {"id", "tags", "tag_string", "groups", "resources"}
    return changed | {key for key, value in data.items() if key not in known and value not in (None, "", [], {})}
