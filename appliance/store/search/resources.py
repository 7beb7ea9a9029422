"""CKAN's `resource_search`: files of public datasets by parts of their fields."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from appliance.model.problem import invalid
from appliance.model.viewer import Viewer
from appliance.store import documents, visibility
from appliance.store.search.limits import time_limit

MAX_LIMIT = 1000
_METADATA = re.compile(r"((?:dc|sp):[^:\"]+:[^:\"]+):(.*)", re.DOTALL)
_CONTAINS = {
    "name": "r.name",
    "description": "r.description",
    "format": "r.format",
    "mimetype": "r.mimetype",
    "url": "json_extract(r.document, '$.url')",
    "url_type": "r.url_type",
    "id": "r.id",
    "package_id": "r.dataset_id",
    "created": "r.created",
    "last_modified": "r.last_modified",
    "metadata_modified": "r.metadata_modified",
    "size": "r.size",
    "state": "r.state",
}
#: Whole or from the beginning, so that their indexes help.
_BEGINS = {"hash": "r.sha256", "sha256": "r.sha256", "etag": "r.etag"}


def resource_search(
    conn: sqlite3.Connection,
    terms: Sequence[str] | str,
    viewer: Viewer,
    *,
    order_by: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> tuple[int, list[str]]:
    """Count and API answers (JSON texts) of the files for which every term holds.

    :param terms: ``field:text``, the text contained in the field whatever its case; metadata by ``dc:section:key:text``.
    :param order_by: a field; otherwise the order of upload.
    :param limit: at most MAX_LIMIT, which is also the default.
    :raises Problem: 409 for a term without field, a field that files do not have, or a search that takes too long.
    """
    seen, parameters = visibility.condition(viewer)
    where = ["d.state = 'active'", "d.private = 0", seen]
    values: dict[str, Any] = dict(parameters)
    for number, term in enumerate([terms] if isinstance(terms, str) else terms):
        where.append(_condition(str(term), f"t{number}", values))
    order = "r.pk"
    if order_by:
        order = _CONTAINS.get(order_by) or _BEGINS.get(order_by) or ""
        if not order:
            raise invalid({"order_by": [f'Field "{order_by}" not recognised in resource_search.']})
    source = f"FROM resource r CROSS JOIN dataset d ON d.id = r.dataset_id WHERE {' AND '.join(where)}"
    values |= {"limit": min(MAX_LIMIT if limit is None else limit, MAX_LIMIT), "offset": offset}
    with time_limit(conn):
        count = conn.execute(f"SELECT count(*) {source}", values).fetchone()[0]
        rows = conn.execute(
            f"SELECT {documents.RESOURCE} {source} ORDER BY {order}, r.pk LIMIT :limit OFFSET :offset", values
        ).fetchall()
    return count, [row[0] for row in rows]


def _condition(term: str, name: str, values: dict[str, Any]) -> str:
    """One term as SQL over the resource r; its parameters go into `values`."""
    metadata = _METADATA.fullmatch(term)
    field, colon, text = (metadata[1], ":", metadata[2]) if metadata else term.partition(":")
    if not colon:
        raise invalid({"query": ["Must be <field>:<value> pair(s)"]})
    text = text.strip().encode("utf-8", "replace").decode()
    if field in _BEGINS:
        values[name] = text.lower()
        values[f"{name}z"] = text.lower() + "\uffff"
        return f"{_BEGINS[field]} >= :{name} AND {_BEGINS[field]} < :{name}z"
    if metadata:
        values[f"{name}k"] = f'$."{field}"'
        expression = f"json_extract(r.document, :{name}k)"
    elif field in _CONTAINS:
        expression = _CONTAINS[field]
    else:
        raise invalid({"query": [f'Field "{field}" not recognised in resource_search.']})
    values[name] = "%" + text.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    return f"{expression} LIKE :{name} ESCAPE '!'"
