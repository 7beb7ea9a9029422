"""Verdicts on the quality of a measurement: good, to be checked, or unusable.

The measures come from the metadata job (`jobs.rtdc.quality`), the limits from the settings (`settings.Verdict`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.model.messages import Message

GRADES = ("good", "look", "bad")
#: Why a file is no valid measurement, in dclab's words.
SANITY_FAILED = Message("Sanity check failed: %(reason)s")
Limits = Mapping[str, int]
Measures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says.

    :ivar check: its name; :ivar grade: one of `GRADES`; :ivar what: which of the check's sentences; :ivar values: numbers in it.
    :ivar series: the course over time, for a small picture.
    """

    check: str
    grade: str
    what: str
    values: Mapping[str, Any] = field(default_factory=dict)
    series: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The worst grade of all findings, and these in the order of the checks."""

    grade: str
    findings: tuple[Finding, ...]

    def of_grade(self, grade: str) -> list[Finding]:
        """The findings with this grade."""
        return [one for one in self.findings if one.grade == grade]


def judge(measures: Measures, limits: Limits) -> Judgement:
    """Apply the limits. Checks without data in the file have no finding."""
    if "refused" in measures:
        return Judgement("bad", (Finding("file", "bad", "refused", {"reason": measures["refused"]}),))
    few = (measures.get("events") or 0) < limits["least_events"]
    if few:  # a fraction of a few events is not significant
        limits = {**limits, "unusable": 100}
    findings = [*_integrity(measures), *_events(measures, limits)]
    unread = measures.get("unread") or []
    for name, check in _CHECKS.items():
        if name in unread:
            findings.append(Finding(name, "look", "unread"))
        elif measures.get(name):
            findings += check(measures[name], limits)
    worst = max((GRADES.index(one.grade) for one in findings), default=0)
    return Judgement(GRADES[worst], tuple(findings))


def bare_reason(reason: str) -> str:
    """Why a file is no valid measurement, without "Sanity check failed", which the sentence around says already."""
    if isinstance(reason, Message) and reason.template == SANITY_FAILED:
        return str(reason.values["reason"])
    return reason if isinstance(reason, Message) else reason.removeprefix("Sanity check failed: ")


def _integrity(measures: Measures) -> Iterator[Finding]:
    known = measures.get("integrity") or {}
    if not known.get("sane", True):
        yield Finding("file", "bad", "unsound", {"reasons": known.get("reasons", [])})
    elif known.get("violations"):
        values = {"count": len(known["violations"]), "reasons": known["violations"]}
        yield Finding("file", "look", "violations", values)
    else:
        yield Finding("file", "good", "sound")


def _events(measures: Measures, limits: Limits) -> Iterator[Finding]:
    count = measures.get("events") or 0
    values = {"count": count, "least": limits["least_events"]}
    if not count:
        yield Finding("events", "bad", "none", values)
    else:
        few = count < limits["least_events"]
        yield Finding("events", "look" if few else "good", "few" if few else "enough", values)


def _rate(found: Measures, limits: Limits) -> Iterator[Finding]:
    parts, series = found["parts"], tuple(found["series"])
    values = {"mean": found["mean"], "duration": found["duration"], "first": parts[0], "last": parts[-1]}
    problems = []
    if found["pause"] > limits["pause"] and found["pause_ratio"] > 3:
        problems.append(("pause", {"seconds": found["pause"], "at": found["pause_at"]}))
    change = max(parts) - min(parts)
    if change > max(parts) * limits["rate_change"] / 100 and change > found["noise"]:
        problems.append(("fell" if parts[-1] < parts[0] else "rose", {"low": min(parts), "high": max(parts)}))
    elif found["burst"] * 100 > limits["burst"] and found["burst_sigma"] > 6:
        problems.append(("burst", {"factor": found["burst"], "at": found["burst_at"]}))
    for what, more in problems:
        yield Finding("rate", "look", what, values | more, series)
    if not problems:
        yield Finding("rate", "good", "steady", values, series)


def _drifting(check: str, limit: str) -> Callable[[Measures, Limits], Iterator[Finding]]:
    def look(found: Measures, limits: Limits) -> Iterator[Finding]:
        """Does the median drift by more than the limit? Nothing for too few values."""
        values = {key: found.get(key) for key in ("median", "drift", "first", "last", "feature")}
        if found.get("drift") is None:
            return
        drifts = found["drift"] * 100 > limits[limit]
        yield Finding(
            check, "look" if drifts else "good", "drifts" if drifts else "steady", values, tuple(found["series"])
        )

    return look


def _sharing(check: str, limit: str) -> Callable[[Measures, Limits], Iterator[Finding]]:
    def look(found: Measures, limits: Limits) -> Iterator[Finding]:
        """Are more events affected than the limit says?"""
        share = found["share"] * 100
        grade = "bad" if share > limits["unusable"] else "look" if share > limits[limit] else "good"
        values = {key: found.get(key) for key in ("share", "porous", "rough", "channel")}
        yield Finding(check, grade, "few" if grade == "good" else "many", values, tuple(found["series"]))

    return look


def _frames(found: Measures, limits: Limits) -> Iterator[Finding]:
    # shares of the stored events; what was counted and not stored comes on top
    count = max(found["events"], 1)
    problems = [
        ("backwards", "look", found["backwards"]),
        (
            "duplicates",
            _grade(found["duplicates"] * 100 / count, limits["lost"], limits["unusable"]),
            found["duplicates"],
        ),
        ("lost", _grade(found["lost"] * 100 / (count + found["lost"]), limits["lost"], 100), found["lost"]),
    ]
    odd = [(what, grade, number) for what, grade, number in problems if number and grade != "good"]
    for what, grade, number in odd:
        yield Finding("frames", grade, what, {"count": number, "share": number / count})
    if not odd:
        yield Finding("frames", "good", "complete")


def _grade(share: float, look: float, bad: float) -> str:
    return "bad" if share > bad else "look" if share > look else "good"


def _temperature(found: Measures, limits: Limits) -> Iterator[Finding]:
    values = {"median": found["median"], "range": found["range"]}
    wide = found["range"] > limits["temperature"]
    yield Finding(
        "temperature", "look" if wide else "good", "drifts" if wide else "steady", values, tuple(found["series"])
    )


def _values(found: Measures, limits: Limits) -> Iterator[Finding]:
    for name, share in found.items():
        if share * 100 > limits["poor_outlines"]:
            grade = "bad" if share * 100 > limits["unusable"] else "look"
            yield Finding("values", grade, "missing", {"feature": name, "share": share})


_CHECKS: dict[str, Callable[[Any, Limits], Iterator[Finding]]] = {
    "rate": _rate,
    "brightness": _drifting("brightness", "brightness_drift"),
    "focus": _drifting("focus", "focus_drift"),
    "outlines": _sharing("outlines", "poor_outlines"),
    "border": _sharing("border", "at_border"),
    "saturation": _sharing("saturation", "saturated"),
    "frames": _frames,
    "temperature": _temperature,
    "flow": _drifting("flow", "flow_drift"),
    "values": _values,
}
