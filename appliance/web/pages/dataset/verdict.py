"""A measurement's verdict in words: one line, and a sentence with a small curve for each check."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from appliance.model.verdict import Finding, Judgement, bare_reason, judge
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame import job_texts, labels
from appliance.web.pages.frame.base import settings
from appliance.web.pages.frame.i18n import N_, ngettext
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import translate

_KINDS = {"good": "good", "look": "warn", "bad": "bad"}
_ICONS = {"good": "check-circle", "look": "eye", "bad": "error"}
_NAMES = {"good": N_("Good"), "look": N_("Take a look"), "bad": N_("Do not use")}
_CHECKS = {
    "file": N_("File"),
    "events": N_("Events"),
    "rate": N_("Event rate"),
    "brightness": N_("Brightness"),
    "focus": N_("Focus"),
    "outlines": N_("Outlines"),
    "border": N_("Image border"),
    "saturation": N_("Fluorescence range"),
    "frames": N_("Frames"),
    "temperature": N_("Temperature"),
    "flow": N_("Flow"),
    "values": N_("Values"),
}
#: Size of a curve in its own units, with room for the line's width.
_WIDTH, _HEIGHT, _MARGIN = 160, 32, 2


def name_of(grade: str) -> str:
    """What a grade is called; others stand for themselves."""
    return _(_NAMES[grade]) if grade in _NAMES else grade


def badge(grade: str) -> dict[str, str]:
    """A grade as a badge."""
    return {"kind": _KINDS[grade], "icon": _ICONS[grade], "text": name_of(grade), "hint": _("Verdict on the data")}


def badges(grades: Mapping[str, int]) -> list[dict[str, str]]:
    """For a dataset: how many of its files are not to be used, or to be looked at; that all are good where they are."""
    hint = _("Verdict on the data")
    found = []
    if bad := grades.get("bad", 0):
        text = ngettext("%(num)s file: do not use", "%(num)s files: do not use", bad)
        found.append({"kind": "bad", "icon": _ICONS["bad"], "text": text, "hint": hint})
    if look := grades.get("look", 0):
        text = ngettext("%(num)s file: take a look", "%(num)s files: take a look", look)
        found.append({"kind": "warn", "icon": _ICONS["look"], "text": text, "hint": hint})
    return found or ([badge("good")] if grades else [])


def of_file(measures: Mapping[str, Any] | None, jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The view model of a measurement's verdict; without one, why there is none."""
    if measures is None:
        failed = next((job for job in jobs if job["kind"] == "metadata" and job["state"] == "failed"), None)
        text = (
            _("No verdict, because the file could not be read: %(reason)s", reason=job_texts.error(failed["error"]))
            if failed
            else _("No verdict yet: the file has not been processed.")
        )
        return {"kind": "warn" if failed else "info", "icon": "info", "name": "", "line": text, "checks": []}
    found = judge(measures, dataclasses.asdict(settings().verdict))
    return {
        "kind": _KINDS[found.grade],
        "icon": _ICONS[found.grade],
        "name": name_of(found.grade),
        "line": _line(found),
        "checks": [_check(one) for one in found.findings],
    }


def _line(found: Judgement) -> str:
    if found.grade == "good":
        return _("Good: no problems found in the data.")
    if found.grade == "look":
        checks = dict.fromkeys(_(_CHECKS[one.check]) for one in found.of_grade("look"))
        return _("Take a look at: %(checks)s", checks=", ".join(checks))
    return _("Do not use, because: %(reasons)s", reasons=" ".join(_sentence(one) for one in found.of_grade("bad")))


def _check(finding: Finding) -> dict[str, Any]:
    return {
        "kind": _KINDS[finding.grade],
        "grade": name_of(finding.grade),
        "name": _(_CHECKS[finding.check]),
        "text": _sentence(finding),
        "curve": curve(finding.series),
        "size": f"0 0 {_WIDTH} {_HEIGHT}",
    }


def curve(series: Sequence[float]) -> str:
    """The `points` of a polyline; the axis starts at zero unless the values lie far from it. "" for less than two values."""
    if len(series) < 2:
        return ""
    low, high = min(series), max(series)
    low = 0.0 if 0 <= low < high / 2 else low - 0.1 * (abs(low) or 1)
    high += 0.1 * (abs(high) or 1)
    step = (_WIDTH - 2 * _MARGIN) / (len(series) - 1)
    span = (_HEIGHT - 2 * _MARGIN) / (high - low)
    return " ".join(
        f"{_MARGIN + place * step:.1f},{_HEIGHT - _MARGIN - (value - low) * span:.1f}"
        for place, value in enumerate(series)
    )


def _sentence(finding: Finding) -> str:
    if finding.what == "unread":
        return _("This could not be checked: the data cannot be read.")
    return _SENTENCES[finding.check, finding.what](finding.values)


def _percent(share: float) -> str:
    """A share with as many digits as it takes to see that it is not zero."""
    return f"{show.number(share * 100, 2)} %"


def _reasons(reasons: Sequence[str]) -> str:
    return " ".join(_ended(translate(bare_reason(reason))) for reason in reasons)


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _refused(values: Mapping[str, Any]) -> str:
    return _ended(translate(values["reason"])) if values["reason"] else _("The file cannot be read.")


def _violations(values: Mapping[str, Any]) -> str:
    return _("dclab's checks report: %(reasons)s", reasons=_reasons(values["reasons"]))


def _few_events(values: Mapping[str, Any]) -> str:
    return ngettext(
        "Only %(num)s event, too few for reliable statistics.",
        "Only %(num)s events, too few for reliable statistics.",
        values["count"],
    )


def _rate(values: Mapping[str, Any]) -> str:
    return _(
        "%(rate)s events per second for %(duration)s.",
        rate=show.number(values["mean"], 3),
        duration=show.duration(values["duration"]),
    )


def _rate_changed(text: str) -> Callable[[Mapping[str, Any]], str]:
    def sentence(values: Mapping[str, Any]) -> str:
        """From which rate to which."""
        low, high = show.number(values["low"], 3), show.number(values["high"], 3)
        return _(text, first=high if text == _FELL else low, last=low if text == _FELL else high)

    return sentence


_FELL = N_("The event rate falls from %(first)s to %(last)s events per second: is the channel clogged?")
_ROSE = N_("The event rate rises from %(first)s to %(last)s events per second.")


def _pause(values: Mapping[str, Any]) -> str:
    return _(
        "No events for %(seconds)s s, starting at %(at)s s.",
        seconds=show.number(values["seconds"], 3),
        at=show.number(values["at"], 3),
    )


def _burst(values: Mapping[str, Any]) -> str:
    return _(
        "At %(at)s s the event rate is %(factor)s times the typical rate.",
        at=show.number(values["at"], 3),
        factor=show.number(values["factor"], 2),
    )


def _drifts(text: str) -> Callable[[Mapping[str, Any]], str]:
    def sentence(values: Mapping[str, Any]) -> str:
        """By how much, and from which median to which."""
        return _(
            text,
            share=_percent(values["drift"]),
            first=show.number(values["first"], 3),
            last=show.number(values["last"], 3),
        )

    return sentence


def _outlines(values: Mapping[str, Any]) -> str:
    return _(
        "%(share)s of the events have a poor outline (porous: %(porous)s, rough: %(rough)s).",
        share=_percent(values["share"]),
        porous=_percent(values["porous"]),
        rough=_percent(values["rough"]),
    )


def _border(values: Mapping[str, Any]) -> str:
    return _("%(share)s of the events touch the image border.", share=_percent(values["share"]))


def _saturation(values: Mapping[str, Any]) -> str:
    return _(
        "%(share)s of the events are saturated (%(channel)s).",
        share=_percent(values["share"]),
        channel=f"FL-{values['channel'][2:]}",
    )


def _frames(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda values: _(text, count=show.integer(values["count"]), share=_percent(values["share"]))


def _temperature(values: Mapping[str, Any]) -> str:
    return _(
        "%(median)s °C on the chip, varying by %(range)s °C.",
        median=show.number(values["median"], 4),
        range=show.number(values["range"], 2),
    )


def _missing(values: Mapping[str, Any]) -> str:
    return _(
        "%(share)s of the events have no value of %(feature)s.",
        share=_percent(values["share"]),
        feature=labels.feature(values["feature"])[0],
    )


def _text(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda values: _(text)


_SENTENCES: dict[tuple[str, str], Callable[[Mapping[str, Any]], str]] = {
    ("file", "refused"): _refused,
    ("file", "unsound"): lambda values: _reasons(values["reasons"]) or _("The file did not pass the check."),
    ("file", "violations"): _violations,
    ("file", "sound"): _text(N_("dclab's checks found no problems.")),
    ("events", "none"): _text(N_("The file holds no events.")),
    ("events", "few"): _few_events,
    ("events", "enough"): lambda values: _ended(show.events(values["count"])),
    ("rate", "steady"): _rate,
    ("rate", "fell"): _rate_changed(_FELL),
    ("rate", "rose"): _rate_changed(_ROSE),
    ("rate", "pause"): _pause,
    ("rate", "burst"): _burst,
    ("brightness", "steady"): _drifts(N_("The brightness is steady (drift %(share)s).")),
    ("brightness", "drifts"): _drifts(N_("The brightness drifts by %(share)s, from %(first)s to %(last)s.")),
    ("focus", "steady"): _drifts(N_("The sharpness of the images is steady (drift %(share)s).")),
    ("focus", "drifts"): _drifts(N_("The sharpness of the images drifts by %(share)s: has the focus shifted?")),
    ("outlines", "few"): _outlines,
    ("outlines", "many"): _outlines,
    ("border", "few"): _border,
    ("border", "many"): _border,
    ("saturation", "few"): _saturation,
    ("saturation", "many"): _saturation,
    ("frames", "complete"): _text(N_("No missing or duplicate frames.")),
    ("frames", "backwards"): _frames(N_("The frame number runs backwards %(count)s times: were files joined?")),
    ("frames", "duplicates"): _frames(N_("%(count)s events are stored twice (%(share)s).")),
    ("frames", "lost"): _frames(N_("%(count)s events were detected but not stored (%(share)s).")),
    ("temperature", "steady"): _temperature,
    ("temperature", "drifts"): _temperature,
    ("flow", "steady"): _drifts(N_("The flow is steady (drift %(share)s).")),
    ("flow", "drifts"): _drifts(N_("The flow drifts by %(share)s, from %(first)s to %(last)s.")),
    ("values", "missing"): _missing,
}
