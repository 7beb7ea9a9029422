"""Actions on resources (files)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from appliance.actions import lookup
from appliance.actions import resources as verbs
from appliance.model import names, supplements, verdict
from appliance.model.problem import Problem, missing, not_found
from appliance.store import documents, resources, verdicts
from appliance.store.search import autocomplete, resource_search
from appliance.web.api.registry import Call, Raw, action, listing, natural, text

_ID = text("id", "Id of the resource", required=True)
_CHANGES = (
    "description, sp:…; of an administrator also name and fields of one's own: texts, numbers, lists and objects, "
    "null or an empty text to remove one"
)


@action("resource_show", _ID, rule="site:read", asks="dataset:read", get=True, cacheable=True)
def resource_show(call: Call) -> Raw:
    """A file's description."""
    with call.context.db.read() as conn:
        row, _ = lookup.resource(conn, call.viewer, call["id"])
        return Raw(documents.resource(conn, row["id"]))


@action("dcor_verdict", _ID, rule="site:read", asks="dataset:read", get=True, cacheable=True)
def dcor_verdict(call: Call) -> dict[str, Any]:
    """How good a measurement is: `verdict` (good, look, bad), the `checks` that it follows from, the numbers (`measures`).

    All are null for a file that was not judged (yet). A search by `fq=verdict:bad` finds datasets with such a file.
    """
    with call.context.db.read() as conn:
        row, _ = lookup.resource(conn, call.viewer, call["id"])
        measures = verdicts.get(conn, row["id"])
    if measures is None:
        return {"id": row["id"], "verdict": None, "checks": None, "measures": None}
    found = verdict.judge(measures, dataclasses.asdict(call.context.settings.verdict))
    checks = [
        {"check": one.check, "verdict": one.grade, "what": one.what, "values": dict(one.values)}
        for one in found.findings
    ]
    return {"id": row["id"], "verdict": found.grade, "checks": checks, "measures": measures}


@action(
    "resource_create",
    text("package_id", "Id or name of the dataset", required=True),
    rule="write",
    asks="dataset:update",
    extra="upload (a file), or id and s3_available after a direct upload; name, description, sp:…; of an administrator also fields of "
    "one's own: texts, numbers, lists and objects (not within `extras`, which is left out as CKAN does)",
)
def resource_create(call: Call) -> Raw:
    """Add a file to a draft."""
    context, viewer = call.context, call.viewer
    entry = {key: value for key, value in call.data.items() if key != "package_id"}
    with verbs.DepotTransaction(context) as files, context.db.write() as tx:
        _, facts = lookup.dataset(tx, viewer, call["package_id"], "dataset:update")
        verbs.require_draft(viewer, facts)
        new = verbs.addition(context, tx, viewer, facts, entry)
        resource_id = verbs.attach(context, tx, viewer, facts.id, new, files)
    context.wake_jobs()
    return _shown(call, resource_id)


@action("resource_update", _ID, rule="write", asks="dataset:update", extra=_CHANGES)
def resource_update(call: Call) -> Raw:
    """Change description and supplementary metadata of a draft's file. What is left out stays as it is."""
    with call.context.db.write() as tx:
        row, facts = lookup.resource(tx, call.viewer, call["id"], "dataset:update")
        verbs.require_draft(call.viewer, facts)
        new = {key: value for key, value in call.data.items() if key != "id"}
        verbs.change(call.context, tx, call.viewer, json.loads(documents.resource(tx, row["id"])), new)
    return _shown(call, row["id"])


@action("resource_patch", _ID, rule="write", asks="dataset:update", extra=_CHANGES)
def resource_patch(call: Call) -> Raw:
    """Change description and supplementary metadata of a draft's file."""
    return Raw(resource_update(call))


@action("resource_delete", _ID, rule="write", asks="resource:delete")
def resource_delete(call: Call) -> None:
    """Remove a file (administrators only)."""
    verbs.delete(call.context, call.viewer, call["id"])


@action(
    "package_resource_reorder",
    text("id", "Id or name of the dataset", required=True),
    listing("order", "Ids of resources; those left out follow", required=True),
    rule="write",
    asks="dataset:update",
)
def package_resource_reorder(call: Call) -> dict[str, Any]:
    """Put the files of a draft into another order."""
    return {"id": call["id"], "order": verbs.reorder(call.context, call.viewer, call["id"], call["order"])}


@action(
    "resource_search",
    listing("query", "`field:term`, or a list of them", required=True),
    text("order_by", "A field"),
    natural("offset", "Entries left out at the beginning", default=0),
    natural("limit", "Most entries"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def resource_search_(call: Call) -> Raw:
    """Search files of public datasets by their fields."""
    with call.context.db.read() as conn:
        count, texts = resource_search(
            conn, call["query"], call.viewer, order_by=call["order_by"], offset=call["offset"], limit=call["limit"]
        )
    return Raw(f'{{"count": {count}, "results": [{", ".join(texts)}]}}')


@action(
    "format_autocomplete",
    text("q", "Part of a format", required=True),
    natural("limit", "Most entries", default=5),
    rule="site:read",
    asks=None,
    get=True,
)
def format_autocomplete(call: Call) -> list[str]:
    """Formats of files that contain the text, in lower case, most used first."""
    with call.context.db.read() as conn:
        found = autocomplete.formats(conn, call["q"] or "", call.viewer, limit=call["limit"])
    return [one.lower() for one in found]  # as CKAN gives them


@action("resource_view_list", _ID, rule="site:read", asks="dataset:read", get=True)
def resource_view_list(call: Call) -> list[Any]:
    """Always empty: this server shows files by itself."""
    with call.context.db.read() as conn:
        lookup.resource(conn, call.viewer, call["id"])
    return []


@action(
    "resource_upload_s3_urls",
    text("organization_id", "Id of the circle"),
    natural("file_size", "Size of the file in bytes"),
    rule="write",
    asks="circle:add_dataset",
    get=True,
)
def resource_upload_s3_urls(call: Call) -> dict[str, Any]:
    """Addresses to send a file's parts to, before it is added to a dataset by the id given here."""
    if not call.context.settings.depot.direct_upload:
        raise Problem(400, "Bad Request", message="Action name not known: resource_upload_s3_urls")
    from appliance.web.transfer import presigned_upload

    return presigned_upload.begin(call.context, call.viewer, call["organization_id"], call["file_size"])


@action("resource_schema_supplements", rule="site:read", asks=None, get=True, cacheable=True)
def resource_schema_supplements(call: Call) -> Any:
    """The schema of supplementary metadata, by section."""
    return supplements.schema(call.context.settings.policy.supplements)


@action("supported_resource_suffixes", rule="site:read", asks=None, get=True, cacheable=True)
def supported_resource_suffixes(call: Call) -> list[str]:
    """File name suffixes that are accepted."""
    return list(names.SUFFIXES)


def _shown(call: Call, resource_id: str) -> Raw:
    if not resource_id:
        raise missing("id")
    with call.context.db.read() as conn:
        if resources.get(conn, resource_id) is None:
            raise not_found()
        return Raw(documents.resource(conn, resource_id))
