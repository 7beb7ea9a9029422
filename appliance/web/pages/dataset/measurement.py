"""What a resource page says about an RT-DC file, from what the metadata job read out of it."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model.verdict import bare_reason
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import labels
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext
from appliance.web.pages.frame.message_translation import translate

_SHOWN_SECTIONS = ("experiment", "setup", "imaging", "fluorescence", "pipeline", "qpi")
_MEDIA = {"CellCarrier": "0.49% MC-PBS", "CellCarrierB": "0.59% MC-PBS", "CellCarrier B": "0.59% MC-PBS"}
_MAX_ROWS = 200
_KEY_FIGURES = (
    "setup:chip region",
    "setup:channel width",
    "setup:flow rate",
    "imaging:frame rate",
    "setup:medium",
    "experiment:sample",
    "experiment:date",
)


def figures(file: sqlite3.Row, dc: dict[str, Any]) -> list[dict[str, str]]:
    """The numbers one looks for first."""
    found = []
    if file["event_count"] is not None:
        found.append({"name": _("Events"), "text": show.integer(file["event_count"])})
    for key in _KEY_FIGURES:
        value = dc.get(f"dc:{key}")
        if value not in (None, ""):
            found.append({"name": labels.config(key)[0], "text": config_value(key, value)})
    return found


def tables(dc: dict[str, Any]) -> list[dict[str, Any]]:
    """The metadata by section, rows sorted by what they are called."""
    sections: dict[str, list[dict[str, str]]] = {}
    for full_key, value in dc.items():
        key = full_key.removeprefix("dc:")
        section = key.partition(":")[0]
        if section in _SHOWN_SECTIONS:
            sections.setdefault(section, []).append({"name": labels.config(key)[0], "value": config_value(key, value)})
    return [
        {"title": labels.section(name), "rows": sorted(sections[name], key=lambda row: row["name"].lower())}
        for name in _SHOWN_SECTIONS
        if name in sections
    ]


def config_value(key: str, value: Any) -> str:
    """A metadata value with its unit; numbers with four significant digits."""
    if isinstance(value, float):
        text = show.number(value)
    elif key == "setup:medium" and value in _MEDIA:
        text = f"{value} ({_MEDIA[value]})"
    else:
        text = labels.value(key, show.value(value))
    unit = labels.config(key)[1]
    return f"{text} {unit}" if unit else text


def warnings(row: sqlite3.Row, found: dict[str, Any] | None) -> list[dict[str, str]]:
    """What the reader has to know before using the file."""
    if found is None or found["sane"] != 0:
        return []
    reasons = found["integrity"].get("sanity_errors") or []
    text = _(
        "This file did not pass the check: %(reason)s", reason="; ".join(map(_sanity, reasons[:3])) or _("see below")
    )
    return [{"kind": "bad", "text": text}]


def _sanity(reason: str) -> str:
    """dclab's words without "Sanity check failed", which the sentence around says already."""
    return translate(bare_reason(reason))


def reports(found: dict[str, Any], *, insider: bool) -> list[dict[str, Any]]:
    """Integrity for everybody; possible personal data only for those who may change the dataset."""
    result = [_integrity(found)] if found["integrity"] else []
    if insider and found["extracted"]:
        result.append(_personal(found["personal"]))
    return result


def _integrity(found: dict[str, Any]) -> dict[str, Any]:
    cues = found["integrity"].get("cues", [])
    kinds = {"violation": "bad", "alert": "warn", "info": ""}
    violations = sum(cue["level"] == "violation" for cue in cues)
    alerts = sum(cue["level"] == "alert" for cue in cues)
    if found["sane"] == 0 or violations:
        badge = {
            "kind": "bad",
            "icon": "warning",
            "text": ngettext("%(num)s problem", "%(num)s problems", max(violations, 1)),
            "hint": "",
        }
    elif alerts:
        badge = {
            "kind": "warn",
            "icon": "warning",
            "text": ngettext("%(num)s remark", "%(num)s remarks", alerts),
            "hint": "",
        }
    else:
        badge = {"kind": "good", "icon": "check", "text": _("passed"), "hint": ""}
    shown = [cue for cue in cues if cue["level"] != "info"] or cues
    return {
        "title": _("Integrity"),
        "badge": badge,
        "text": _("Results of dclab's checks of sizes, metadata and features."),
        "entries": [{"kind": kinds.get(cue["level"], ""), "text": translate(cue["message"])} for cue in shown[:50]],
    }


def _personal(findings: list[dict[str, str]]) -> dict[str, Any]:
    badge = {
        "kind": "warn",
        "icon": "eye",
        "text": ngettext("%(num)s finding", "%(num)s findings", len(findings)),
        "hint": "",
    }
    if not findings:
        badge = {"kind": "good", "icon": "check", "text": _("nothing found"), "hint": ""}
    return {
        "title": _("Possible personal data"),
        "badge": badge,
        "text": _(
            "Names, addresses or ID numbers of people in metadata and logs. Only people who can edit the dataset see this."
        ),
        "entries": [
            {"kind": "warn", "text": f"{translate(item['where'])}: {item['excerpt']} ({translate(item['kind'])})"}
            for item in findings[:50]
        ],
    }


def logs(found: dict[str, Any]) -> list[dict[str, str]]:
    """The logs of the file and of its condensed file by name; of long ones the first lines."""
    lengths = found["contents"].get("logs", {}).get("lengths", {})
    result = []
    for name, lines in sorted((found["condensed_logs"] | found["logs"]).items()):
        count = lengths.get(name, len(lines))
        result.append(
            {
                "name": name,
                "count": ngettext("%(num)s line", "%(num)s lines", count),
                "text": "\n".join(lines),
                "cut": _cut_lines(len(lines), count),
            }
        )
    return result


def _cut_lines(shown: int, count: int) -> str:
    if shown >= count:
        return ""
    return _(
        "The first %(shown)s of %(all)s lines; the rest is in the file.",
        shown=show.integer(shown),
        all=show.integer(count),
    )


def data_tables(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The file's tables, the first rows of each."""
    lengths = found["contents"].get("tables", {}).get("lengths", {})
    result = []
    for name, (columns, rows) in sorted(found["tables"].items()):
        count = lengths.get(name, len(rows))
        cut = (
            _(
                "The first %(shown)s of %(all)s rows; the rest is in the file.",
                shown=min(_MAX_ROWS, len(rows)),
                all=show.integer(count),
            )
            if count > min(_MAX_ROWS, len(rows))
            else ""
        )
        result.append(
            {
                "name": name,
                "count": ngettext("%(num)s row", "%(num)s rows", count),
                "columns": columns or [],
                "rows": [
                    [_cell(cell) for cell in (row if isinstance(row, list) else [row])] for row in rows[:_MAX_ROWS]
                ],
                "cut": cut,
            }
        )
    return result


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return show.number(value, 6) if isinstance(value, float) else show.value(value)
