"""The language, theme and compression that a request's headers ask for.

Read in one place, because the cache key of a page is made from them before Flask sees the request, and the page itself
afterwards.
"""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import Accept, LanguageAccept
from werkzeug.http import parse_accept_header

from appliance.web.http import cookie

#: Languages of the pages, with their native names.
LANGUAGES = {"en": "English", "de": "Deutsch"}
DEFAULT_LANGUAGE = "en"
LANGUAGE_COOKIE = "dcor-language"
THEMES = ("auto", "light", "dark")
THEME_COOKIE = "dcor-theme"
#: Longest Accept-… header whose result is cached; browsers send less.
_LONGEST_KEPT = 200


def language(cookies: str | None, accepted: str | None) -> str:
    """The language of the response: chosen by cookie, else by the browser, else English.

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
    """Whether this header `Accept-Encoding` permits gzip."""
    if not accepted:
        return False
    return _takes_gzip(accepted) if len(accepted) < _LONGEST_KEPT else _takes_gzip.__wrapped__(accepted)


@lru_cache(maxsize=256)
def _best_match(header: str) -> str:
    return parse_accept_header(header, LanguageAccept).best_match(LANGUAGES) or DEFAULT_LANGUAGE


@lru_cache(maxsize=256)
def _takes_gzip(header: str) -> bool:
    return parse_accept_header(header, Accept).quality("gzip") > 0
