"""Links to the pages of a long list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from appliance.web.pages.frame.i18n import gettext as _


def pages(total: int, per_page: int, page: int, url: Callable[[int], str]) -> list[dict[str, Any]]:
    """Links to the first, last and neighbouring pages; none when one page holds everything."""
    last = max(1, -(-total // per_page))
    if last == 1 and page == 1:
        return []
    wanted = sorted(number for number in {1, last, *range(page - 2, page + 3)} if 1 <= number <= last)
    entries: list[dict[str, Any]] = []
    if page > 1:
        entries.append(
            {"url": url(min(page - 1, last)), "text": "", "icon": "left", "label": _("Previous page"), "rel": "prev"}
        )
    previous = 0
    for number in wanted:
        if number > previous + 1:
            entries.append({"text": "…"})
        entries.append({"url": url(number), "text": str(number), "on": number == page})
        previous = number
    if page < last:
        entries.append({"url": url(page + 1), "text": "", "icon": "right", "label": _("Next page"), "rel": "next"})
    return entries


def page_number(arguments: Mapping[str, str]) -> int:
    """The page that the address asks for (from 1); nonsense asks for the first."""
    text = arguments.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1
