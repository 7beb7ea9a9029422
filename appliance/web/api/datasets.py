"""Actions on datasets (CKAN: packages)."""

from __future__ import annotations

import json
from typing import Any

from appliance.actions import datasets as verbs
from appliance.actions import deletion, versions
from appliance.model import revision
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.values import LARGEST, decoded
from appliance.store import datasets, documents
from appliance.store.search import autocomplete, package_search
from appliance.store.search.query import SearchQuery
from appliance.web.api.registry import Call, Raw, action, flag, listing, mapping, natural, text

_ID = text("id", "Id or name of the dataset", required=True)
_NAME_OR_ID = text("id", "Id or name of the dataset", required=True, aliases=("name_or_id",))
#: What is empty in the dataset after a filter has removed it; other fields a dataset always has.
_EMPTIED = frozenset({"title", "notes", "authors", "doi", "references", "license_id", "tags", "groups", "resources"})
_QUERY = 1 << 20  # the search itself says how long a query may be
_PAGE = (natural("limit", "Most entries"), natural("offset", "Entries left out at the beginning", default=0))


@action(
    "package_show",
    _NAME_OR_ID,
    flag("use_default_schema", "Ignored"),
    rule="site:read",
    asks="dataset:read",
    get=True,
    cacheable=True,
)
def package_show(call: Call) -> Raw:
    """A dataset with its resources, circle, collections and tags."""
    with call.context.db.read() as conn:
        return Raw(verbs.show(conn, call.viewer, call["id"]))


@action(
    "package_search",
    text("q", "Words or Solr-like terms, e.g. `blood AND dc:setup:flow rate:[0.04 TO 0.12]`", longest=_QUERY),
    text("fq", "Filter terms, e.g. `organization:my-circle`", longest=_QUERY),
    text("sort", "e.g. `metadata_modified desc`"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
    extra="rows, start, facet, facet.field, facet.limit, facet.mincount, fl, fq_list, include_private, include_drafts, include_deleted, defType",
)
def package_search_(call: Call) -> Any:
    """Search datasets. Only what the caller may see is found; private ones with include_private, drafts with include_drafts."""
    query = SearchQuery.from_parameters({key: value for key, value in call.data.items() if value is not None})
    call.cacheable = not query.depends_on_now
    with call.context.db.read() as conn:
        result = package_search(conn, query, call.viewer, call.context.cache)
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
    asks="circle:add_dataset",
    extra="fields of a dataset: title, authors, license_id, owner_org, notes, doi, references, tags, groups, private, state",
)
def package_create(call: Call) -> Raw:
    """Make a dataset in a circle. It begins as a draft: upload files, then set its state to "active". (An administrator's is active at once unless its state is "draft".)"""
    return _shown(call, verbs.create(call.context, call.viewer, call.data))


@action("package_update", _ID, rule="write", asks="dataset:update", extra="fields of a dataset")
def package_update(call: Call) -> Raw:
    """Change a dataset. Fields that are left out stay as they are."""
    return _shown(call, verbs.update(call.context, call.viewer, call["id"], _without(call.data, "id")))


@action("package_patch", _ID, rule="write", asks="dataset:update", extra="fields of a dataset")
def package_patch(call: Call) -> Raw:
    """Change some fields of a dataset."""
    return Raw(package_update(call))


@action(
    "package_revise",
    mapping("match", "What the dataset must look like; its id or name at least"),
    listing("filter", "Patterns of parts to remove before the update"),
    mapping("update", "What to change, merged deeply"),
    listing("include", "Patterns of parts of the answer"),
    rule="write",
    asks="dataset:update",
    extra="match__…, update__… (flattened keys), files",
)
def package_revise(call: Call) -> Any:
    """Change a dataset that matches, by nested values or flattened keys such as `update__resources__extend`."""
    match = dict(call["match"] or {})
    ref = call["match__id"] or match.get("id") or call["match__name"] or match.get("name")
    if not ref:
        raise invalid({"match__id": "Missing value"})
    flat = {key: _decoded(value) for key, value in call.data.items() if key.startswith(("match__", "update__"))}
    matches = {key[7:]: value for key, value in flat.items() if key.startswith("match__")}
    updates = {key[8:]: value for key, value in flat.items() if key.startswith("update__")}

    def change(current: dict[str, Any]) -> dict[str, Any]:
        """What to change of the dataset as it is now. Raises Problem 409 when it does not match."""
        _require_match(current, match, matches)
        return _changes(current, call["filter"], call["update"], updates)

    package = _shown(call, verbs.revise(call.context, call.viewer, str(ref), change))
    if call["include"]:
        return revision.select({"package": json.loads(package)}, call["include"])
    return Raw(f'{{"package": {package}}}')


@action("package_delete", _ID, rule="write", asks="dataset:delete")
def package_delete(call: Call) -> None:
    """Delete a draft. It can be read by its circle until it is purged."""
    deletion.delete(call.context, call.viewer, call["id"])


@action(
    "dataset_version_create",
    _ID,
    listing("resources", "Ids of the files that it begins with; all of them without"),
    rule="write",
    asks="dataset:version",
)
def dataset_version_create(call: Call) -> Raw:
    """Make a draft that is a new version of an active dataset, with its texts and files, which are not copied. Its `references` name the earlier one."""
    return _shown(call, versions.create(call.context, call.viewer, call["id"], call["resources"]))


@action("dataset_restore", _ID, rule="write", asks="dataset:restore")
def dataset_restore(call: Call) -> None:
    """Make a deleted draft a draft again."""
    deletion.restore(call.context, call.viewer, call["id"])


@action("dataset_purge", _ID, rule="write", asks="dataset:purge")
def dataset_purge(call: Call) -> None:
    """Remove a deleted dataset for good."""
    deletion.purge(call.context, call.viewer, call["id"])


@action("package_list", *_PAGE, rule="site:read", asks=None, get=True, cacheable=True)
def package_list(call: Call) -> list[str]:
    """Names of the active public datasets."""
    with call.context.db.read() as conn:
        return datasets.listed_names(conn, limit=-1 if call["limit"] is None else call["limit"], offset=call["offset"])


@action(
    "current_package_list_with_resources",
    *_PAGE,
    natural("page", "Number of the page, from 1, instead of an offset"),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def current_package_list_with_resources(call: Call) -> Raw:
    """The active datasets that the caller may see, latest change first."""
    with call.context.db.read() as conn:
        limit = 10 if call["limit"] is None else min(call["limit"], 1000)
        offset = call["offset"] if call["page"] is None else min(max(call["page"] - 1, 0) * limit, LARGEST)
        pks = datasets.listed_pks(conn, call.viewer, limit=limit, offset=offset)
        return Raw(f"[{', '.join(documents.packages(conn, pks))}]")


@action(
    "package_autocomplete",
    text("q", "Part of a name or title", required=True),
    natural("limit", "Most entries", default=10),
    rule="site:read",
    asks=None,
    get=True,
    cacheable=True,
)
def package_autocomplete(call: Call) -> list[dict[str, Any]]:
    """Datasets whose name or title contains this, those with words that begin so first."""
    with call.context.db.read() as conn:
        return autocomplete.packages(conn, call["q"] or "", call.viewer, limit=call["limit"])


@action(
    "package_owner_org_update",
    _ID,
    text("organization_id", "Id or name of the circle", required=True),
    rule="site:administer",
    asks="dataset:move",
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


def _decoded(value: Any) -> Any:
    """A flattened key's value: JSON where it is JSON, else the text itself."""
    if not isinstance(value, str):
        return value
    try:
        return decoded(value)
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


def _changes(
    current: dict[str, Any], patterns: list[str] | None, update: dict[str, Any] | None, flat: dict[str, Any]
) -> dict[str, Any]:
    """What is to change: the parts of `current` that filter, update and flattened keys touch, in their new form."""
    changed = revision.select(current, patterns) if patterns else current
    removed = {key: [] if isinstance(current[key], list) else "" for key in _EMPTIED & current.keys() - changed.keys()}
    if update:
        changed = revision.merge(changed, update)
    if flat:
        changed = {**changed, **{key: _copied(changed[key]) for key in _first(flat) & changed.keys()}}
    for key in sorted(flat, key=lambda one: not one.endswith("__extend")):
        revision.assign(changed, key, flat[key])
    touched = _first(flat) | set(update or {})
    touched |= {
        key
        for key in changed.keys() & current.keys()
        if changed[key] is not current[key] and changed[key] != current[key]
    }
    return removed | {key: value for key, value in changed.items() if key in touched}


def _first(flat: dict[str, Any]) -> set[str]:
    return {key.split("__")[0] for key in flat}


def _copied(value: Any) -> Any:
    """A copy down to the last list, sharing files that have just been received."""
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _without(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}
