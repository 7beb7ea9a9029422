"""The fields a query can name: what each one means and where it stands in the database.

A field that is not listed here has no values: asking for it finds nothing and is no error, as upstream.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.store.search.ast import ANY_TEXT


@dataclass(frozen=True, slots=True)
class Text:
    """Analysed words in columns of `search_text`; none = all of them."""

    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exact:
    """An exact string: `sql` is an expression over the dataset row d; `folded`: case does not matter."""

    sql: str
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """An exact string found elsewhere: `sql` selects values of `column` for rows where {test} holds of `key`."""

    column: str
    sql: str
    key: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A column with a time."""

    sql: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number: `column` of the dataset row, or (`own`) of its row in `search_dataset`."""

    column: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Valued:
    """Values kept in `search_value`; `exact` = strings as they are, else numbers or words."""

    name: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A condition of its own for each value it can have."""

    values: tuple[tuple[str, str], ...]


Field = Text | Exact | Lookup | Moment | Number | Valued | Choice

_CIRCLE = "SELECT x.id FROM community x WHERE x.kind = 'circle' AND {test}"
_COLLECTION = """SELECT y.dataset_id FROM community x CROSS JOIN collection_dataset y ON y.collection_id = x.id
 WHERE x.kind = 'collection' AND x.state = 'active' AND {test}"""
_RESOURCE = "SELECT x.dataset_id FROM resource x WHERE {test}"
_ANYTHING = "1"

_FIELDS: dict[str, Field] = {
    ANY_TEXT: Text(),
    "id": Exact("d.id"),
    "name": Exact("d.name"),
    "title": Text(("title",)),
    "title_string": Exact("d.title"),
    "notes": Text(("notes",)),
    "authors": Text(("authors",)),
    "doi": Exact("d.doi", folded=True),
    "references": Text(("more",)),
    "tags": Valued("tags", exact=True),
    "groups": Lookup("d.id", _COLLECTION, "x.name"),
    "organization": Lookup("d.circle_id", _CIRCLE, "x.name"),
    "owner_org": Exact("d.circle_id"),
    "license_id": Exact("d.license_id"),
    "state": Exact("d.state"),
    "creator_user_id": Exact("d.creator_id"),
    "capacity": Choice((("public", "d.private = 0"), ("private", "d.private = 1"))),
    "private": Choice((("false", "d.private = 0"), ("true", "d.private = 1"))),
    "type": Choice((("dataset", _ANYTHING),)),
    "dataset_type": Choice((("dataset", _ANYTHING),)),
    "entity_type": Choice((("package", _ANYTHING),)),
    "metadata_created": Moment("d.created"),
    "metadata_modified": Moment("d.modified"),
    "year": Valued("year", exact=True),
    "verdict": Valued("verdict", exact=True),
    "num_resources": Number("d.num_resources"),
    "num_tags": Number("num_tags", own=True),
    "num_events": Number("num_events", own=True),
    "size": Number("size", own=True),
    "res_name": Text(("res_name",)),
    "res_url": Text(("res_name",)),
    "res_description": Text(("res_description",)),
    "res_format": Valued("res_format", exact=True),
    "res_id": Lookup("d.id", _RESOURCE, "x.id"),
    "res_mimetype": Lookup("d.id", _RESOURCE, "x.mimetype"),
    "res_url_type": Lookup("d.id", _RESOURCE, "x.url_type"),
    "res_extras_etag": Lookup("d.id", _RESOURCE, "x.etag"),
    "res_extras_sha256": Lookup("d.id", _RESOURCE, "x.sha256"),
}
_ALIASES = {
    "extras_authors": "authors",
    "extras_doi": "doi",
    "extras_references": "references",
    "etag": "res_extras_etag",
    "sha256": "res_extras_sha256",
    "description": "notes",
    "circle": "organization",
    "collection": "groups",
}


def find(name: str) -> Field | None:
    """The field called `name`; None for one that no dataset has."""
    if name.startswith(("dc:", "sp:")):
        return Valued(name)
    if name.startswith("extras_") and name not in _ALIASES:
        return Valued(name, exact=True)
    return _FIELDS.get(_ALIASES.get(name, name))


#: What can be sorted by: an expression over d, or over s (its `search_dataset`), or "score".
SORTS: dict[str, str] = {
    "score": "score",
    "id": "d.id",
    "name": "d.name",
    "title": "s.title_key",
    "title_string": "s.title_key",
    "metadata_created": "d.created",
    "metadata_modified": "d.modified",
    "license_id": "d.license_id",
    "state": "d.state",
    "private": "d.private",
    "owner_org": "d.circle_id",
    "organization": "(SELECT x.name FROM community x WHERE x.id = d.circle_id)",
    "creator_user_id": "d.creator_id",
    "num_resources": "d.num_resources",
    "num_tags": "s.num_tags",
    "num_events": "s.num_events",
    "size": "s.size",
}
