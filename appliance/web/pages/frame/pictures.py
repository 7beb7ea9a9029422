"""Pictures of people, circles and collections: what they have set, else their initials on a colour of their own.

Colour and letters follow from the name alone, so a circle looks the same to everybody and in every list.
"""

from __future__ import annotations

import unicodedata
import zlib

from appliance.web.pages.frame.base import settings

#: as many as `.tint-…` in tokens.css
TINTS = 8


def picture(key: str, shown: str, image_url: str = "") -> dict[str, str]:
    """The view model of a picture.

    :param key: what never changes (an id), from which the colour follows. :param shown: the name or title, for the letters.
    :param image_url: what the API stores; shown only if it comes from this server, as the pages load nothing from elsewhere.
    """
    return {"image": _local(image_url), "initials": initials(shown), "tint": f"tint-{zlib.crc32(key.encode()) % TINTS}"}


def initials(shown: str) -> str:
    """One or two letters: "Ada Lovelace" → "AL", "lab" → "LA"; "?" without any."""
    words = [word for word in ("".join(filter(_is_letter, part)) for part in shown.split()) if word]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


def _local(url: str) -> str:
    """The path of a picture on this server, "" for any other."""
    path = url.removeprefix(settings().site_url)
    return path if path.startswith("/") and not path.startswith("//") and "\\" not in path else ""
