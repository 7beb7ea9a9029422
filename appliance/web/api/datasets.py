"""Actions on datasets (CKAN: packages)."""

from __future__ import annotations

import json
import threading
from typing import Any

from appliance.actions import datasets as verbs
from appliance.model import revision
from appliance.model.problem import Problem, invalid, not_found
from appliance.store import datasets, documents
from appliance.store.search import autocomplete, package_search
from appliance.store.search.query import SearchQuery
from appliance.web.api.registry import Call, Raw, action, flag, listing, mapping, natural, text

_ID = text("id", "Id or name of the dataset", required=True, aliases=("name_or_id",))
#: Revisions of one dataset follow each other: clients upload several files to it at the same time.
_REVISING = tuple(threading.Lock() for _ in range(64))
_PAGE = (natural("limit", "Most entries"), natural("offset", "Entries left out at the beginning", default=0))


@action("package_show", _ID, flag("use_default_schema", "Ignored"), rule="site:read", get=True)
def package_show(call: Call) -> Raw:
    """A dataset with its resources, circle, collections and tags."""
    with call.context.db.read() as conn:
        return Raw(verbs.show(conn, call.viewer, call["id"]))


@action(
    "package_search",
    text("q", "Words or Solr-like terms, e.g. `blood AND dc:setup:flow rate:[0.04 TO 0.12]`"),
    text("fq", "Filter terms, e.g. `organization:my-circle`"),
    text("sort", "e.g. `metadata_modified desc`"),
    rule="site:read",
    get=True,
    extra="rows, start, facet, facet.field, facet.limit, facet.mincount, fl, fq_list, include_private, include_drafts, include_deleted, defType",
)
def package_search_(call: Call) -> Any:
    """Search datasets. Only what the caller may see is found; private ones with include_private, drafts with include_drafts."""
    query = SearchQuery.from_parameters({key: value for key, value in call.data.items() if value is not None})
    with call.context.db.read() as conn:
        result = package_search(conn, query, call.viewer)
        texts = documents.packages(conn, result.pks)
    if query.fl:
        texts = [
            documents.dump({key: value for key, value in json.loads(one).items() if key in query.fl}) for one in texts
        ]
    rest = documents.dump({"sort": result.sort, "facets": result.facets, "search_facets": result.search_facets})
    return Raw(f'{{"count": {result.count}, "results": [{", ".join(texts)}], {rest[1:]}')


@action(
    "package_create",
    text("title", "Title"),
    rule="dataset:create",
    extra="fields of a dataset: title, authors, license_id, owner_org, notes, doi, references, tags, groups, private, state",
)
def package_create(call: Call) -> Raw:
    """Make a dataset in a circle. It begins as a draft: upload files, then set its state to "active"."""
    return _shown(call, verbs.create(call.context, call.viewer, call.data))


@action("package_update", _ID, rule="write", extra="fields of a dataset")
def package_update(call: Call) -> Raw:
    """Change a dataset. Fields that are left out stay as they are."""
    return _shown(call, verbs.update(call.context, call.viewer, call["id"], _without(call.data, "id", "name_or_id")))


@action("package_patch", _ID, rule="write", extra="fields of a dataset")
def package_patch(call: Call) -> Raw:
    """Change some fields of a dataset."""
    return package_update(call)


@action(
    "package_revise",
    mapping("match", "What the dataset must look like; its id or name at least"),
    listing("filter", "Patterns of parts to remove before the update"),
    mapping("update", "What to change, merged deeply"),
    listing("include", "Patterns of parts of the answer"),
    rule="write",
    extra="match__…, update__… (flattened keys), files",
)
def package_revise(call: Call) -> Any:
    """Change a dataset that matches, by nested values or flattened keys such as `update__resources__extend`."""
    match = dict(call["match"] or {})
    ref = call["match__id"] or match.get("id") or call["match__name"] or match.get("name")
    if not ref:
        raise invalid({"match__id": "Missing value"})
    current = json.loads(_readable(call, ref))
    with _REVISING[hash(current["id"]) % len(_REVISING)]:  # what is merged here must still hold when it is written
        package = _revise(call, match, json.loads(_readable(call, current["id"])))
    if call["include"]:
        return revision.select({"package": json.loads(package)}, call["include"])
    return Raw(f'{{"package": {package}}}')


def _revise(call: Call, match: dict[str, Any], current: dict[str, Any]) -> Any:
    """Match, filter, merge and write; the package as JSON. Raises Problem."""
    flat = {key: _decoded(value) for key, value in call.data.items() if key.startswith(("match__", "update__"))}
    _require_match(current, match, {key[7:]: value for key, value in flat.items() if key.startswith("match__")})
    changed = revision.select(current, call["filter"]) if call["filter"] else current
    if call["update"]:
        changed = revision.merge(changed, call["update"])
    updates = {key[8:]: value for key, value in flat.items() if key.startswith("update__")}
    changed = json.loads(json.dumps(changed)) if updates and changed is current else changed
    for key in sorted(updates, key=lambda one: not one.endswith("__extend")):
        revision.assign(changed, key, updates[key])
    return _shown(call, verbs.update(call.context, call.viewer, current["id"], _sent(changed, call["update"], updates)))


@action("package_delete", _ID, rule="write")
def package_delete(call: Call) -> None:
    """Delete a draft. It can be read by its circle until it is purged."""
    verbs.delete(call.context, call.viewer, call["id"])


@action("dataset_purge", _ID, rule="write")
def dataset_purge(call: Call) -> None:
    """Remove a deleted dataset for good."""
    verbs.purge(call.context, call.viewer, call["id"])


@action("package_list", *_PAGE, rule="site:read", get=True)
def package_list(call: Call) -> list[str]:
    """Names of the active public datasets."""
    with call.context.db.read() as conn:
        return datasets.listed_names(conn, limit=-1 if call["limit"] is None else call["limit"], offset=call["offset"])


@action("current_package_list_with_resources", *_PAGE, rule="site:read", get=True)
def current_package_list_with_resources(call: Call) -> Raw:
    """The active datasets that the caller may see, latest change first."""
    with call.context.db.read() as conn:
        pks = datasets.listed_pks(
            conn, call.viewer, limit=10 if call["limit"] is None else min(call["limit"], 1000), offset=call["offset"]
        )
        return Raw(f"[{', '.join(documents.packages(conn, pks))}]")


@action(
    "package_autocomplete",
    text("q", "Beginning of a name or title", required=True),
    natural("limit", "Most entries", default=10),
    rule="site:read",
    get=True,
)
def package_autocomplete(call: Call) -> list[dict[str, Any]]:
    """Datasets whose name or title begins so."""
    with call.context.db.read() as conn:
        return autocomplete.packages(conn, call["q"] or "", call.viewer, limit=call["limit"])


@action(
    "package_owner_org_update",
    _ID,
    text("organization_id", "Id or name of the circle", required=True),
    rule="site:administer",
)
def package_owner_org_update(call: Call) -> None:
    """Hand a dataset over to another circle."""
    verbs.move(call.context, call.viewer, call["id"], call["organization_id"])


def _shown(call: Call, dataset_id: str) -> Raw:
    with call.context.db.read() as conn:
        document = documents.package(conn, dataset_id)
    if document is None:
        raise not_found()
    return Raw(document)


def _readable(call: Call, ref: str) -> str:
    with call.context.db.read() as conn:
        return verbs.show(conn, call.viewer, ref)


def _decoded(value: Any) -> Any:
    """A flattened key's value: JSON where it is JSON, else the text itself."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _require_match(current: dict[str, Any], match: dict[str, Any], flat: dict[str, Any]) -> None:
    wrong = revision.mismatches(match, current)
    for key, value in flat.items():
        try:
            if revision.lookup(current, key) != value:
                wrong.append(key)
        except Problem:
            wrong.append(key)
    if wrong:
        raise invalid({"match": wrong})


def _sent(changed: dict[str, Any], update: Any, flat: dict[str, Any]) -> dict[str, Any]:
    """Only what the call touched: the rest is as it was read, and may have been changed by a job since."""
    touched = {key.split("__")[0] for key in flat} | set(update or {})
    return {key: value for key, value in changed.items() if key in touched}


def _without(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}
