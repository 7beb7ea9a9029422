"""Numbers, sizes and moments as a reader of the current language writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from babel import dates, numbers
from markupsafe import Markup

from appliance.model import times
from appliance.web.pages.frame.i18n import LOCALES, language, locale, ngettext
from appliance.web.pages.frame.i18n import gettext as _

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def integer(value: int | None) -> str:
    """1234567 → "1,234,567"; None → an en dash."""
    if value is None:
        return "–"
    text = f"{int(value):,}"
    return text.replace(",", ".") if language() == "de" else text


def number(value: float, digits: int = 4) -> str:
    """`value` with at most `digits` significant digits and the language's decimal sign: "0.0405", "8.69·10⁻⁵"."""
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{_decimal_sign(mantissa)}·10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return _decimal_sign(text)


def plain_number(value: float) -> str:
    """`value` as precisely as it is stored, with the language's decimal sign: "8.69·10⁻⁵"."""
    mantissa, sign, exponent = repr(value).partition("e")
    power = f"·10{str(int(exponent)).translate(_SUPERSCRIPT)}" if sign else ""
    return _decimal_sign(mantissa) + power


def size(value: int | None) -> str:
    """Bytes in powers of 1000, as file managers of most systems show them: 904729 → "905 kB"."""
    if value is None:
        return "–"
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount /= 1000
        unit += 1
    text = f"{amount:.3g}" if unit and amount < 100 else f"{amount:.0f}"
    return f"{_decimal_sign(text)} {_UNITS[unit]}"


def percent(part: float, whole: float) -> str:
    """`part` of `whole` as a whole percentage."""
    return numbers.format_percent(part / whole if whole else 0, locale=locale())


def date(value: str | None) -> str:
    """The day of a stored moment: "24 Nov 2026" or "24.11.2026"."""
    return _date(value, language()) if value else "–"


@lru_cache(maxsize=1024)
def _date(value: str, in_language: str) -> str:
    return str(dates.format_date(times.parse(value), format="medium", locale=LOCALES[in_language]))


def moment(value: str | None) -> str:
    """A stored moment to the minute, in UTC and saying so."""
    if not value:
        return "–"
    return _moment(value, language())


@lru_cache(maxsize=1024)
def _moment(value: str, in_language: str) -> str:
    pattern = "d MMM y, HH:mm" if in_language == "en" else "dd.MM.y, HH:mm"
    return f"{dates.format_datetime(times.parse(value), format=pattern, locale=LOCALES[in_language])} UTC"


def local(value: str | None) -> Markup | str:
    """Like `moment`, as an element that a script shows in the reader's time zone."""
    if not value:
        return "–"
    machine = f"{times.parse(value):%Y-%m-%dT%H:%M:%SZ}"
    return Markup('<time datetime="{}" data-local>{}</time>').format(machine, moment(value))


def ago(value: str | None) -> str:
    """How long ago a stored moment was, in words: "3 hours ago"."""
    if not value:
        return _("never")
    delta = times.parse(value) - datetime.now(UTC)
    if abs(delta.total_seconds()) < 45:
        return _("just now")
    return dates.format_timedelta(delta, add_direction=True, locale=locale())


def duration(seconds: float) -> str:
    """A span as words: "12 seconds", "2 hours"."""
    return dates.format_timedelta(round(seconds), locale=locale(), threshold=1.2)


def events(count: int | None) -> str:
    """ "1 event", "47 events"; empty when unknown."""
    return "" if count is None else ngettext("%(count)s event", "%(count)s events", count, count=integer(count))


def resources(count: int) -> str:
    """ "1 file", "2 files"."""
    return ngettext("%(count)s file", "%(count)s files", count, count=integer(count))


def datasets(count: int) -> str:
    """ "1 dataset", "2 datasets"."""
    return ngettext("%(count)s dataset", "%(count)s datasets", count, count=integer(count))


def value(found: Any) -> str:
    """Any stored metadata value as text."""
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    if isinstance(found, int):
        return integer(found)
    if isinstance(found, float):
        return plain_number(found)
    if isinstance(found, (list, tuple)):
        return ", ".join(value(item) for item in found)
    return str(found)


def _decimal_sign(text: str) -> str:
    return text.replace(".", ",") if language() == "de" else text
