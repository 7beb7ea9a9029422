"""Supplementary metadata: as tables, and as the form that people fill in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from appliance.model import supplements as model
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.forms import joined
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import gettext as translated


def tables(values: dict[str, Any], which: str) -> list[dict[str, Any]]:
    """Stored values by section, in the schema's order; keys the schema no longer knows come last."""
    schema = model.schema(which)
    found: list[dict[str, Any]] = []
    rest = dict(values)
    for section in schema.values():
        rows = []
        for item in section["items"]:
            key = f"sp:{section['key']}:{item['key']}"
            if key in rest:
                rows.append({"name": translated(item["name"]), "value": shown_value(rest.pop(key), item)})
        if rows:
            found.append({"title": translated(section["name"]), "rows": rows})
    if rest:
        found.append(
            {
                "title": _("Other"),
                "rows": [{"name": key.removeprefix("sp:"), "value": show.value(value)} for key, value in rest.items()],
            }
        )
    return found


def choice(value: Any, item: Mapping[str, Any]) -> str:
    """A value in the reader's language if it is one the schema proposes; what people enter themselves stays as it is."""
    text = show.value(value)
    return translated(text) if value in (item.get("choices") or ()) else text


def item_of(which: str, key: str) -> Mapping[str, Any]:
    """What the schema says about ``sp:section:key``; empty for a key it does not know."""
    return model.item(which, key) or {}


def form_text(value: Any) -> str:
    """A stored value as its form field holds it; "" for none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def shown_value(value: Any, item: Mapping[str, Any]) -> str:
    """A value with its unit, in the reader's language."""
    text, unit = choice(value, item), item.get("unit", "")
    return f"{text} {_unit(unit)}" if unit else text


def _unit(unit: str) -> str:
    """Files and schemas write "um" where people write "µm"."""
    return unit.replace("um", "µm")


_RULE = re.compile(r"(?P<sign>[<>]=?)\s*(?P<limit>-?\d+(?:\.\d+)?)")
_SIGNS = {
    ">": N_("greater than %(limit)s"),
    ">=": N_("of at least %(limit)s"),
    "<": N_("less than %(limit)s"),
    "<=": N_("of at most %(limit)s"),
}


def _rule(options: list[str]) -> str:
    """What the schema demands of a number, such as ">0"; "" for nothing."""
    return next((option.replace(" ", "") for option in options if _RULE.fullmatch(option)), "")


def _wrong(kind: str, rule: str) -> str:
    """What to say beside a field whose value does not fit; "" where everything does."""
    if kind not in ("float", "integer"):
        return ""
    match = _RULE.fullmatch(rule)
    if match is None:
        return _("Enter a number.") if kind == "float" else _("Enter a whole number.")
    sign, limit = match.groups()
    words = _(_SIGNS[sign], limit=limit)
    if kind == "float":
        return _("Enter a number %(rule)s.", rule=words)
    return _("Enter a whole number %(rule)s.", rule=words)


def entered(which: str, form: Mapping[str, str]) -> dict[str, str]:
    """The supplementary values of a form, as the schema takes them: "0,5" is how many people write 0.5."""
    found = {key: value.strip() for key, value in form.items() if key.startswith("sp:")}
    for key, value in found.items():
        if item_of(which, key).get("type") == "float":
            found[key] = value.replace(",", ".")
    return found


def form(
    which: str, values: dict[str, Any] | None = None, errors: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The schema as form sections: inputs with types, units, choices and hints."""
    values, errors = values or {}, errors or {}
    return [
        {
            "title": translated(section["name"]),
            "requires": section.get("requires") or "",
            "fields": [_field(section["key"], item, values, errors) for item in section["items"]],
        }
        for section in model.schema(which).values()
    ]


def _field(section: str, item: dict[str, Any], values: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
    key = f"sp:{section}:{item['key']}"
    kind = item.get("type", "string")
    options = item.get("options") or []
    value = values.get(key, "")
    found = errors.get(key)
    return {
        "key": key,
        "id": "s-" + "".join(character if character.isalnum() else "-" for character in key),
        "label": translated(item["name"]),
        "unit": _unit(item.get("unit") or ""),
        "hint": translated(item["hint"]) if item.get("hint") else "",
        "example": str(item.get("example") or ""),
        "kind": "boolean"
        if kind == "boolean"
        else "text"
        if "text" in options
        else "select"
        if item.get("choices") and "choices fixed" in options
        else "line",
        "type": "date" if kind == "date" else "text",
        "inputmode": {"float": "decimal", "integer": "numeric"}.get(kind, ""),
        "number": kind if kind in ("float", "integer") else "",
        "rule": _rule(options),
        "wrong": _wrong(kind, _rule(options)),
        "choices": [{"value": one, "text": choice(one, item)} for one in item.get("choices") or []],
        "value": form_text(value),
        "error": joined(found) if found else "",
    }
