"""Which bytes of a file a request is to get: conditions first, then the range (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from appliance.web.http import Headers

_RANGE = re.compile(r"bytes\s*=\s*(?:(?P<first>\d{1,18})-(?P<last>\d{0,18})|-(?P<suffix>\d{1,18}))\s*", re.IGNORECASE)
#: An HTTP date has 29 characters, in its oldest form up to 33 (RFC 9110, section 5.6.7).
_LONGEST_DATE = 40
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


@dataclass(frozen=True, slots=True)
class Selection:
    """What to answer with: `status` 200, 206, 304, 412 or 416, and which bytes."""

    status: int
    start: int
    length: int


def select(method: str, headers: Headers, size: int, etag: str, modified: int) -> Selection:
    """Decide for a file of `size` bytes with the strong `etag` (in quotes), last `modified` at [Unix s].

    A list of ranges gets the whole file, as the standard allows; a single one past the end, or backwards, gets 416.
    """
    if not _still_matches(headers, etag, modified):
        return Selection(412, 0, 0)
    if method in {"GET", "HEAD"} and _known_already(headers, etag, modified):
        return Selection(304, 0, 0)
    wanted = headers.get("Range")
    if method != "GET" or wanted is None or not _range_applies(headers, etag, modified):
        return Selection(200, 0, size)
    match = _RANGE.fullmatch(wanted.strip())
    if match is None:
        return Selection(200, 0, size)
    if match["suffix"] is not None:
        length = min(int(match["suffix"]), size)
        return Selection(206, size - length, length) if length else Selection(416, 0, 0)
    first = int(match["first"])
    last = min(int(match["last"]), size - 1) if match["last"] else size - 1
    if first >= size or last < first:
        return Selection(416, 0, 0)
    return Selection(206, first, last - first + 1)


def _still_matches(headers: Headers, etag: str, modified: int) -> bool:
    expected = headers.get("If-Match")
    if expected is not None:
        return _lists(expected, etag, weak=False)
    moment = _moment(headers.get("If-Unmodified-Since"))
    return moment is None or modified <= moment


def _known_already(headers: Headers, etag: str, modified: int) -> bool:
    known = headers.get("If-None-Match")
    if known is not None:
        return _lists(known, etag, weak=True)
    moment = _moment(headers.get("If-Modified-Since"))
    return moment is not None and modified <= moment


def _range_applies(headers: Headers, etag: str, modified: int) -> bool:
    condition = headers.get("If-Range")
    if condition is None:
        return True
    if condition.strip().startswith(('"', "W/")):
        return condition.strip() == etag
    return _moment(condition) == modified


def _lists(value: str, etag: str, *, weak: bool) -> bool:
    if value.strip() == "*":
        return True
    return any(f'"{tag}"' == etag and (weak or not is_weak) for is_weak, tag in _TAG.findall(value))


def _moment(value: str | None) -> float | None:
    """[Unix s]; None for what is no date: such a condition does not count (RFC 9110, section 13.1)."""
    if value is None or len(value) > _LONGEST_DATE:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
