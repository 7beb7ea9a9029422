"""What a caller asks of `package_search`, checked: CKAN's parameters with CKAN's refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.model.values import as_text, decoded
from appliance.store.search import fields, freetext, parser
from appliance.store.search.ast import ANY_TEXT, Everything, Node
from appliance.store.search.errors import query_error, search_error

MAX_ROWS = 1000
MAX_START = 2**31
MAX_FILTERS = 100
MAX_FACETS = 30
DEFAULT_SORT = "score desc, metadata_modified desc"

KNOWN = frozenset(
    {
        "q",
        "fl",
        "fq",
        "fq_list",
        "rows",
        "sort",
        "start",
        "facet",
        "facet.mincount",
        "facet.limit",
        "facet.field",
        "extras",
    }
    | {"include_private", "include_drafts", "include_deleted", "use_default_schema"}
    | {"qf", "bf", "boost", "tie", "defType", "mm", "wt", "df"}
)
#: Parameters of Solr that change how hits are ranked, which is fixed here.
_UNUSED = frozenset({"qf", "bf", "boost", "tie"})
#: Characters of a parameter that is not a query; a query has `parser.MAX_LENGTH`.
_LONGEST = 1000
#: Characters of the query and all its filters together.
_LONGEST_IN_ALL = 2 * parser.MAX_LENGTH
_MOST_SORTS = 10


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search for datasets.

    :ivar q: what to look for and rank by: free text, or with a colon in it the query language.
    :ivar fq: filters in the query language; all must hold.
    :ivar sort: ``field asc|desc, …``
    :ivar rows: how many datasets to return (0 = only count and facets), from number `start`.
    :ivar facet_fields: fields whose values are counted over all hits; of `range_fields` the lowest and highest number is found.
    :ivar fl: names of the keys to keep of each dataset; empty = all.
    """

    q: str = ""
    fq: tuple[str, ...] = ()
    sort: str = DEFAULT_SORT
    rows: int = 10
    start: int = 0
    facet_fields: tuple[str, ...] = ()
    range_fields: tuple[str, ...] = ()
    facet_limit: int = 50
    facet_mincount: int = 1
    include_private: bool = False
    include_drafts: bool = False
    include_deleted: bool = False
    fl: tuple[str, ...] = ()
    min_match: str = freetext.MIN_MATCH
    default_field: str = ANY_TEXT
    parser: str = ""

    @property
    def depends_on_now(self) -> bool:
        """Does it refer to the present time, so that its result changes without a commit?"""
        return any("NOW" in text for text in (self.q, *self.fq))

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> SearchQuery:
        """The query that these request parameters ask for (strings of a URL as well as JSON values).

        The query and its filters are parsed when the search is run.

        :raises Problem: 409 Validation Error for values of a wrong type, 400 Search Query Error for unknown parameters and
            sorts.
        """
        numbers = _numbers(parameters)
        unknown = [key for key in parameters if key not in KNOWN and not key.startswith("ext_")]
        if unknown:
            raise query_error(Message("Invalid search parameters: %(unknown)s", unknown=unknown))
        if unused := [key for key in parameters if key in _UNUSED and parameters[key] not in (None, "")]:
            raise query_error(Message("The order of results cannot be weighted here: %(unused)s", unused=unused))
        facets = _names(parameters, "facet.field") if _boolean(parameters.get("facet"), default=True) else ()
        query = cls(
            q=_string(parameters, "q"),
            fq=_filters(parameters),
            sort=_sort(_string(parameters, "sort")),
            facet_fields=facets,
            include_private=_boolean(parameters.get("include_private")),
            include_drafts=_boolean(parameters.get("include_drafts")),
            include_deleted=_boolean(parameters.get("include_deleted")),
            fl=_names(parameters, "fl"),
            min_match=_string(parameters, "mm") or freetext.MIN_MATCH,
            default_field=_string(parameters, "df") or ANY_TEXT,
            parser=_string(parameters, "defType").lower(),
            rows=numbers["rows"],
            start=numbers["start"],
            facet_limit=numbers["facet.limit"],
            facet_mincount=numbers["facet.mincount"],
        )
        query.order()
        return query

    def trees(self) -> tuple[Node, list[Node]]:
        """The query and its filters, parsed. Raises Problem 409 Search Error."""
        return self._query(), [parser.parse(one) for one in self.fq if one.strip()]

    def _query(self) -> Node:
        text = self.q.strip()
        if text in ("", '""', "''", "*:*"):
            return Everything()
        if self.parser in ("dismax", "edismax") or (":" not in text and self.parser != "lucene"):
            return freetext.parse(text, self.min_match)
        return parser.parse(self.q, self.default_field)

    def order(self) -> list[tuple[str, bool]]:
        """The sort as (expression, descending) pairs. Raises Problem 400 for what cannot be sorted by."""
        found = []
        parts = self.sort.split(",")
        if len(parts) > _MOST_SORTS:
            raise query_error(Message('Invalid "sort" parameter: at most %(most)s fields', most=_MOST_SORTS))
        for part in parts:
            words = part.split()
            expression = fields.SORTS.get(words[0]) if len(words) == 2 else None
            direction = words[-1].lower() if words else ""
            if expression is None or direction not in ("asc", "desc"):
                raise query_error(Message('Invalid "sort" parameter'))
            found.append((expression, direction == "desc"))
        return found


def _string(parameters: Mapping[str, Any], key: str) -> str:
    value = parameters.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid({key: ["Must be a string"]})
    if key != "q" and len(value) > _LONGEST:
        raise invalid({key: [f"At most {_LONGEST} characters are accepted"]})
    return _clean(value)


def _clean(text: str) -> str:
    """Without characters that the database cannot store."""
    return as_text(text.replace("\x00", " ")).encode("utf-8", "replace").decode()


def _sort(text: str) -> str:
    return DEFAULT_SORT if text.strip() in ("", "rank") else text


def _filters(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    single, many = parameters.get("fq"), parameters.get("fq_list")
    found: list[str] = []
    for key, value in (("fq", single), ("fq_list", many)):
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        if not all(isinstance(one, str) for one in values):
            raise invalid({key: ["Must be a string" if key == "fq" else "Must be a list of strings"]})
        found += [_clean(one) for one in values]
    if len(found) > MAX_FILTERS:
        raise search_error(
            Message(
                "There are %(count)s filters; at most %(max_filters)s are allowed.",
                count=len(found),
                max_filters=MAX_FILTERS,
            )
        )
    total = sum(map(len, found))
    if total > _LONGEST_IN_ALL:
        raise search_error(
            Message(
                "The filters are %(total)s characters long; at most %(most)s are allowed.",
                total=total,
                most=_LONGEST_IN_ALL,
            )
        )
    return tuple(found)


def _numbers(parameters: Mapping[str, Any]) -> dict[str, int]:
    """rows, start, facet.limit and facet.mincount, with upstream's words for what is wrong; all of it at once."""
    problems: dict[str, list[str]] = {}
    found: dict[str, int] = {}
    for key, default, least, most in (
        ("rows", 10, 0, MAX_ROWS),
        ("start", 0, 0, MAX_START),
        ("facet.limit", 50, -1, 10_000),
        ("facet.mincount", 1, 0, MAX_START),
    ):
        value = parameters.get(key)
        number = default if value is None or value == "" else _integer(value)
        if number is None:
            problems[key] = (
                ["Invalid integer", "Please enter an integer value"] if key == "rows" else ["Invalid integer"]
            )
        elif number < least and key != "facet.limit":
            problems[key] = ["Must be a natural number"]
        else:
            found[key] = max(least, min(number, most))
    if problems:
        raise invalid(problems)
    return found


_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    return None


def _boolean(value: Any, *, default: bool = False) -> bool:
    """Booleans as CKAN reads them: True, "True", "yes", 1 …"""
    if value is None or value == "":
        return default
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "t", "y", "1", "on")
    return bool(value)


def _names(parameters: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of names: a JSON list, alone or in a string, or names with commas between."""
    value = parameters.get(key)
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            value = decoded(value)
        except ValueError:
            raise invalid({key: ["Could not parse as valid JSON"]}) from None
    if value is None or value == "":
        return ()
    if isinstance(value, str) and key == "facet.field":
        raise invalid({key: ["Could not parse as valid JSON"]})
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        raise invalid({key: ["Not a list"]})
    if not all(isinstance(one, str) for one in value):
        raise invalid({key: ["Not a list of strings"]})
    if any(len(one) > _LONGEST for one in value):
        raise invalid({key: [f"At most {_LONGEST} characters are accepted in each name"]})
    found = tuple(dict.fromkeys(_clean(one).strip() for one in value if one.strip()))
    if key == "facet.field" and len(found) > MAX_FACETS:
        raise invalid({key: [f"At most {MAX_FACETS} facets can be asked for"]})
    return found
