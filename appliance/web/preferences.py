"""What a request's headers say about how a page is to look: its language, its colours, whether it may be compressed.

Read in one place, as the key of a kept page is made of it before Flask sees the request, and the page itself afterwards.
"""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import Accept, LanguageAccept
from werkzeug.http import parse_accept_header

from appliance.web.http import cookie

#: Languages of the pages, and how they call themselves.
LANGUAGES = {"en": "English", "de": "Deutsch"}
DEFAULT_LANGUAGE = "en"
LANGUAGE_COOKIE = "dcor-language"
THEMES = ("auto", "light", "dark")
THEME_COOKIE = "dcor-theme"
#: What Accept-… headers ask for is kept in memory up to this length; browsers send less.
_LONGEST_KEPT = 200


def language(cookies: str | None, accepted: str | None) -> str:
    """The language to answer in: the one chosen by cookie, else what the browser asks for, else English.

    :param cookies: the header `Cookie`. :param accepted: the header `Accept-Language`.
    """
    chosen = cookie(cookies, LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen or DEFAULT_LANGUAGE
    wanted = accepted or ""
    return _best_match(wanted) if len(wanted) < _LONGEST_KEPT else _best_match.__wrapped__(wanted)


def theme(cookies: str | None) -> str:
    """The colour theme chosen by cookie: auto, light or dark."""
    chosen = cookie(cookies, THEME_COOKIE)
    return chosen if chosen and chosen in THEMES else "auto"


def takes_gzip(accepted: str | None) -> bool:
    """Does a client that sent this header `Accept-Encoding` take compressed answers?"""
    if not accepted:
        return False
    return _takes_gzip(accepted) if len(accepted) < _LONGEST_KEPT else _takes_gzip.__wrapped__(accepted)


@lru_cache(maxsize=256)
def _best_match(header: str) -> str:
    return parse_accept_header(header, LanguageAccept).best_match(LANGUAGES) or DEFAULT_LANGUAGE


@lru_cache(maxsize=256)
def _takes_gzip(header: str) -> bool:
    return parse_accept_header(header, Accept).quality("gzip") > 0
