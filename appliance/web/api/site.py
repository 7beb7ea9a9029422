"""Actions on the site: status, help, licences, tags."""

from __future__ import annotations

from typing import Any

from appliance.actions import tags as verbs
from appliance.model import licences
from appliance.model.problem import invalid, not_found
from appliance.store import documents, tags
from appliance.web.api import shapes
from appliance.web.api.registry import ACTIONS, Call, action, flag, natural, text

#: The release of CKAN whose action API this is; clients choose their ways by it.
CKAN_VERSION = "2.11.3"
#: The extensions of CKAN whose actions and pages this server answers; clients look here for what it can do.
EXTENSIONS = [
    "stats", "text_view", "image_view", "dcor_depot", "dcor_schemas", "dc_serve", "dc_view", "dc_log_view", "dcor_theme",
    "expire_api_token",
]  # fmt: skip


@action("status_show", rule="open", asks=None, get=True, cacheable=True)
def status_show(call: Call) -> dict[str, Any]:
    """Name and version of this server."""
    server = call.context.settings.server
    return {
        "site_title": server.title,
        "site_description": server.description,
        "site_url": call.context.settings.site_url,
        "error_emails_to": None,
        "locale_default": "en",
        "extensions": EXTENSIONS,
        "ckan_version": CKAN_VERSION,
    }


@action("site_read", rule="site:read", asks=None, get=True, cacheable=True)
def site_read(call: Call) -> bool:
    """May the caller look at this server? (Clients of 2021 ask.)"""
    return True


@action("help_show", text("name", "Name of an action", required=True), rule="open", asks=None, get=True)
def help_show(call: Call) -> str:
    """What an action does and takes."""
    declared = ACTIONS.get(call["name"])
    if declared is None:
        raise not_found("Action function not found")
    lines = [declared.doc, ""]
    for parameter in declared.parameters:
        lines.append(f":param {parameter.name}: {parameter.doc}{' (required)' if parameter.required else ''}")
        lines.append(f":type {parameter.name}: {parameter.kind}")
    if declared.extra:
        lines.append(f"Further: {declared.extra}")
    return "\n".join(lines).strip()


@action("license_list", rule="site:read", asks=None, get=True, cacheable=True)
def license_list(call: Call) -> list[Any]:
    """The licences that a dataset can have."""
    return list(licences.listed(call.context.settings.policy.licences))


_QUERY = text("query", "Part of a name", default="", aliases=("q",))
_PAGE = (natural("limit", "Most entries"), natural("offset", "Entries left out at the beginning", default=0))


def _found(call: Call, default_limit: int = -1) -> list[Any]:
    limit = default_limit if call["limit"] is None else call["limit"]
    with call.context.db.read() as conn:
        return tags.listed(conn, call.viewer, call["query"] or "", limit=limit, offset=call["offset"] or 0)


@action(
    "tag_list",
    _QUERY,
    text("vocabulary_id", "There are none"),
    flag("all_fields", "Whole tags instead of names"),
    *_PAGE,
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def tag_list(call: Call) -> list[Any]:
    """Tags in use."""
    if call["vocabulary_id"]:
        raise not_found("could not find vocabulary")
    rows = _found(call)
    return [shapes.tag(row) for row in rows] if call["all_fields"] else [row["name"] for row in rows]


@action(
    "tag_show",
    text("id", "Id or name of the tag", required=True),
    flag("include_datasets", "The datasets that carry it"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def tag_show(call: Call) -> dict[str, Any]:
    """A tag."""
    with call.context.db.read() as conn:
        row = tags.find(conn, call["id"])
        pks = tags.dataset_pks(conn, row["id"], call.viewer) if row is not None else []
        if row is None or not pks:
            raise not_found()
        found = shapes.tag(row)
        if call["include_datasets"]:
            found["packages"] = shapes.parsed(documents.packages(conn, pks[:1000]))
    return found


@action("tag_search", _QUERY, *_PAGE, rule="site:read", asks=None, get=True, cacheable=True)
def tag_search(call: Call) -> dict[str, Any]:
    """Tags whose name contains this."""
    rows = _found(call)
    return {"count": len(rows), "results": [shapes.tag(row) for row in rows]}


@action("tag_autocomplete", _QUERY, *_PAGE, rule="site:read", asks=None, get=True)
def tag_autocomplete(call: Call) -> list[str]:
    """Names of tags that contain this."""
    return [row["name"] for row in _found(call, 10)]


@action(
    "tag_create",
    text("name", "Name of the tag", required=True),
    text("vocabulary_id", "There are none", required=True),
    rule="site:administer",
    asks=None,
)
def tag_create(call: Call) -> None:
    """Always refused: there are no vocabularies to which a tag could be added. Free tags come with the datasets that carry them."""
    raise invalid({"vocabulary_id": ["Tag vocabulary was not found."]})


@action(
    "tag_delete",
    text("id", "Id or name of the tag", required=True),
    text("vocabulary_id", "There are none"),
    rule="site:administer",
    asks=None,
)
def tag_delete(call: Call) -> None:
    """Take a tag off all datasets that carry it (administrators only)."""
    if call["vocabulary_id"]:
        raise not_found("could not find vocabulary")
    verbs.remove_everywhere(call.context, call.viewer, call["id"])


@action("vocabulary_list", rule="site:read", asks=None, get=True, cacheable=True)
def vocabulary_list(call: Call) -> list[Any]:
    """Always empty: tags are free here."""
    return []
