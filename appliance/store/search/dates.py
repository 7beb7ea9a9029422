"""Moments in queries: ISO 8601 as Solr writes it, ``NOW``, and Solr's date arithmetic (``NOW/DAY-7DAYS``)."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta

from appliance.model import times

_MATH = re.compile(r"([+\-])([0-9]{1,6})([A-Z]+)|/([A-Z]+)")
_ISO = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?)?)?)?Z?"
)
_UNITS = {
    "YEAR": "year",
    "MONTH": "month",
    "DAY": "day",
    "DATE": "day",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
    "MILLI": "milli",
    "MILLISECOND": "milli",
}
_STEPS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "milli": timedelta(milliseconds=1),
}
_FINEST = timedelta(microseconds=1)
_PRECISION = ("year", "month", "day", "hour", "minute", "second", "milli")


def interval(text: str, now: datetime | None = None) -> tuple[str, str]:
    """The first and the last moment (as stored, naive UTC with microseconds) that `text` stands for.

    ``2026-01`` is a month, ``2026-01-31T10:00:00Z`` a second's first millisecond as in Solr.

    :raises ValueError: it is no moment.
    """
    if text.startswith("NOW"):
        start, unit, rest = (now or datetime.now(UTC)).replace(tzinfo=None), "", text[3:]
    else:
        match = _ISO.match(text)
        if match is None:
            raise ValueError(text)
        start, unit, rest = _start(match)
        rest = text[match.end() :]
    while rest:
        step = _MATH.match(rest)
        if step is None:
            raise ValueError(text)
        start, unit = _apply(start, step), "milli"
        rest = rest[step.end() :]
    last = _add(start, unit, 1) - _FINEST if unit else start
    return times.text(start), times.text(last)


def _start(match: re.Match[str]) -> tuple[datetime, str, str]:
    """The moment an ISO text begins with and the unit of its last part."""
    year, month, day, hour, minute, second, fraction = match.groups()
    given = sum(part is not None for part in (year, month, day, hour, minute, second))
    micro = int((fraction or "").ljust(6, "0")[:6])
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), micro
    )
    return start, "milli" if given == len(_PRECISION) - 1 else _PRECISION[given - 1], ""


def _unit(name: str) -> str:
    unit = _UNITS.get(name) or _UNITS.get(name.removesuffix("S"))
    if unit is None:
        raise ValueError(name)
    return unit


def _apply(moment: datetime, step: re.Match[str]) -> datetime:
    sign, count, unit, rounded = step.groups()
    if rounded is not None:
        return _floor(moment, _unit(rounded))
    return _add(moment, _unit(unit), int(count) * (-1 if sign == "-" else 1))


def _floor(moment: datetime, unit: str) -> datetime:
    """The start of the unit that holds `moment`."""
    if unit == "milli":
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    zero = {"year": {"month": 1, "day": 1}, "month": {"day": 1}}.get(unit, {})
    for smaller in _PRECISION[max(_PRECISION.index(unit) + 1, 3) : -1]:
        zero[smaller] = 0
    return moment.replace(**zero, microsecond=0)  # type: ignore[arg-type]


def _add(moment: datetime, unit: str, count: int) -> datetime:
    """`moment` moved by `count` units; a day that the month does not have becomes its last."""
    try:
        if unit in _STEPS:
            return moment + count * _STEPS[unit]
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        day = min(moment.day, calendar.monthrange(year, month + 1)[1])
        return moment.replace(year=year, month=month + 1, day=day)
    except (OverflowError, calendar.IllegalMonthError) as error:
        raise ValueError(str(error)) from error
