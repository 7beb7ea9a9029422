"""Lists of datasets for people: from the address to a search, and its answer as a view model.

Used by the list of all datasets and by the pages of circles and collections, which narrow it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from appliance.model import licences
from appliance.model.problem import Problem
from appliance.store import communities
from appliance.store.search import SearchQuery, SearchResult, package_search
from appliance.store.search.facets import Item
from appliance.web.pages.dataset import supplements, verdict
from appliance.web.pages.dataset.dataset_card import hits
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.base import conn, context, settings, viewer
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate
from appliance.web.pages.frame.paging import page_number, pages
from appliance.web.pages.frame.render import url_with

PER_PAGE = 20
#: Datasets that can be selected in a list at once.
MOST_SELECTED = 200
_SHOWN = 10
_MORE = 200
_OPEN = frozenset({"organization", "groups", "tags"})

#: field in the address (and in the index) → heading
FACETS = {
    "organization": N_("Circle"),
    "groups": N_("Collection"),
    "tags": N_("Tags"),
    "verdict": N_("Verdict"),
    "res_format": N_("Format"),
    "license_id": N_("Licence"),
    "year": N_("Year"),
    "region": N_("Chip region"),
    "sample": N_("Sample type"),
}
#: names in the address that stand for longer ones in the index
INDEX_FIELDS = {"region": "dc:setup:chip region", "sample": "sp:general:sample type"}
#: facets whose values have names of their own on pages
_NAMED = frozenset({*INDEX_FIELDS, "verdict"})
#: name in the address → (field of the index, heading, unit)
RANGES = {
    "flow": ("dc:setup:flow rate", N_("Flow rate"), "µL/s"),
    "width": ("dc:setup:channel width", N_("Channel width"), "µm"),
    "events": ("num_events", N_("Events"), ""),
}
SORTS = {
    "": (N_("Relevance"), "score desc, metadata_modified desc"),
    "modified": (N_("Last modified"), "metadata_modified desc"),
    "created": (N_("Newest"), "metadata_created desc"),
    "title": (N_("Title, A to Z"), "title_string asc"),
    "title-desc": (N_("Title, Z to A"), "title_string desc"),
    "events": (N_("Most events"), "num_events desc"),
}


@dataclass(slots=True)
class Filters:
    """What the address asks for. Unknown parameters are ignored, bad numbers too."""

    query: str = ""
    sort: str = ""
    page: int = 1
    facets: dict[str, list[str]] = field(default_factory=dict)
    ranges: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    more: str = ""

    @classmethod
    def read(cls, arguments: MultiDict[str, str]) -> Filters:
        """From the decoded query string."""
        found = cls(query=arguments.get("q", "").strip()[:500], more=arguments.get("more", ""))
        found.sort = arguments.get("sort", "") if arguments.get("sort", "") in SORTS else ""
        found.page = page_number(arguments)
        for name in FACETS:
            values = [value for value in arguments.getlist(name)[:50] if value]
            if values:
                found.facets[name] = values
        for name in RANGES:
            low, high = _number(arguments.get(f"{name}_min", "")), _number(arguments.get(f"{name}_max", ""))
            if low is not None or high is not None:
                found.ranges[name] = (low, high)
        return found

    def url(self, path: str, **changes: Any) -> str:
        """The address of these filters with some changed (`page` starts over)."""
        query: dict[str, Any] = {"q": self.query, "sort": self.sort, **self.facets}
        for name, (low, high) in self.ranges.items():
            query |= {f"{name}_min": low, f"{name}_max": high}
        return url_with(path, **(query | changes))

    def filter_queries(self) -> tuple[str, ...]:
        """As expressions in the search's own language, all of which must hold."""
        parts = []
        for name, values in self.facets.items():
            parts.append(f"{_field(INDEX_FIELDS.get(name, name))}:({' OR '.join(map(_quoted, values))})")
        for name, (low, high) in self.ranges.items():
            parts.append(
                f"{_field(RANGES[name][0])}:[{'*' if low is None else low} TO {'*' if high is None else high}]"
            )
        return tuple(parts)


def listing(path: str, arguments: MultiDict[str, str], fixed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The view model of a list of datasets.

    :param path: where the list stands; links to its filters go there.
    :param fixed: facet values that the page itself stands for (``{"organization": name}``); they have no chip.
    """
    filters = Filters.read(arguments)
    fixed = fixed or {}
    searched = Filters(
        filters.query,
        filters.sort,
        filters.page,
        filters.facets | {key: [value] for key, value in fixed.items()},
        filters.ranges,
    )
    query = SearchQuery(
        q=filters.query,
        fq=searched.filter_queries(),
        sort=SORTS[filters.sort][1],
        rows=PER_PAGE,
        start=(filters.page - 1) * PER_PAGE,
        facet_fields=tuple(INDEX_FIELDS.get(name, name) for name in FACETS if name not in fixed),
        facet_limit=_MORE if filters.more else _SHOWN + 1,
        include_private=True,
    )
    found, problem = _search(query)
    total, pks, counts = found.count, found.pks, found.items
    return {
        "query": filters.query,
        "problem": problem,
        "count_text": ngettext("%(count)s dataset", "%(count)s datasets", total, count=show.integer(total)),
        "hits": hits(pks),
        "pages": pages(total, PER_PAGE, filters.page, lambda page: filters.url(path, page=page)),
        "sorts": [{"value": key, "text": _(text), "on": key == filters.sort} for key, (text, _order) in SORTS.items()],
        "facets": _facets(path, filters, counts, fixed),
        "ranges": [_range(name, filters) for name in RANGES],
        "chips": _chips(path, filters),
        "clear_url": path,
        "list_url": path,
        "most_selected": MOST_SELECTED,
    }


def _search(query: SearchQuery) -> tuple[SearchResult, str]:
    """The result, and what to say when it is not quite what was asked for.

    A colon makes a query one of the query language; people also write colons in plain text, so that is tried next.
    """
    try:
        return package_search(conn(), query, viewer(), context().cache), ""
    except Problem as problem:
        reason = _("Invalid search: %(reason)s", reason=translate(getattr(problem, "reason", problem.message)))
    try:
        return package_search(conn(), replace(query, parser="edismax"), viewer(), context().cache), ""
    except Problem:
        return SearchResult(0, [], [], query.sort), reason


def _facets(
    path: str, filters: Filters, counts: Mapping[str, list[Item]], fixed: Mapping[str, str]
) -> list[dict[str, Any]]:
    result = []
    for name, heading in FACETS.items():
        if name in fixed:
            continue
        chosen = filters.facets.get(name, [])
        items = {
            item.name: (label(name, item.name) if name in _NAMED else item.display_name, item.count)
            for item in counts.get(INDEX_FIELDS.get(name, name), [])
        }
        for value in chosen:
            items.setdefault(value, (label(name, value), 0))
        shown = sorted(items, key=lambda value: value not in chosen)[
            : _MORE if filters.more == name else max(_SHOWN, len(chosen))
        ]
        if not shown:
            continue
        entries = [
            {"value": value, "text": items[value][0], "count": show.integer(items[value][1]), "on": value in chosen}
            for value in shown
        ]
        more = filters.url(path, more=name) if len(items) > len(shown) else ""
        result.append(
            {"name": name, "title": _(heading), "entries": entries, "open": bool(chosen) or name in _OPEN, "more": more}
        )
    return result


def label(name: str, value: str) -> str:
    """What a facet's value is called."""
    if name in ("organization", "groups"):
        row = communities.find(conn(), value, "circle" if name == "organization" else "collection")
        return (row["title"] or row["name"]) if row is not None else value
    if name == "license_id":
        licence = licences.find(value)
        return str(licence["title"]) if licence else value
    if name == "verdict":
        return verdict.name_of(value)
    if name == "region":
        return labels.value("setup:chip region", value)
    if name == "sample":
        return supplements.choice(value, supplements.item_of(settings().policy.supplements, INDEX_FIELDS[name]))
    return value


def _range(name: str, filters: Filters) -> dict[str, Any]:
    _index_field, heading, unit = RANGES[name]
    low, high = filters.ranges.get(name, (None, None))
    return {
        "name": name,
        "title": _(heading),
        "unit": unit,
        "min": "" if low is None else f"{low:g}",
        "max": "" if high is None else f"{high:g}",
        "lowest": _("from"),
        "highest": _("to"),
        "open": name in filters.ranges,
    }


def _chips(path: str, filters: Filters) -> list[dict[str, str]]:
    chips = []
    for name, values in filters.facets.items():
        for value in values:
            rest = [other for other in values if other != value]
            chips.append({"text": label(name, value), "url": filters.url(path, **{name: rest})})
    for name, (low, high) in filters.ranges.items():
        _index_field, heading, unit = RANGES[name]
        text = f"{_(heading)}: {'…' if low is None else show.number(low)} – {'…' if high is None else show.number(high)} {unit}".strip()
        chips.append({"text": text, "url": filters.url(path, **{f"{name}_min": None, f"{name}_max": None})})
    return chips


def _number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None  # also refuses NaN and infinities


def _field(name: str) -> str:
    """A field name as the search language wants it."""
    return "".join(f"\\{character}" if character in ': ()"' else character for character in name)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
