"""Languages: catalogues read from their ``.po`` sources, the reader's choice, and the words templates use.

Catalogues are compiled in memory on first use, so there is no build step and nothing binary in the repository.
"""

from __future__ import annotations

import io
from functools import lru_cache
from importlib import resources
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, has_request_context, request

from appliance.web import preferences

LANGUAGES = preferences.LANGUAGES
DEFAULT = preferences.DEFAULT_LANGUAGE
COOKIE = preferences.LANGUAGE_COOKIE


@lru_cache(maxsize=len(LANGUAGES))
def messages(language: str) -> Catalog:
    """What the ``.po`` file of `language` ("en" or "de") holds."""
    source = resources.files("appliance.web").joinpath(f"translations/{language}.po").read_bytes()
    return read_po(io.BytesIO(source), locale=language)


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Translations:
    """The messages of `language`, ready for use."""
    compiled = io.BytesIO()
    write_mo(compiled, messages(language))
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """The language of the current request: the switch's cookie, else what the browser asks for, else English."""
    if not has_request_context():
        return DEFAULT
    if "language" not in g:
        g.language = preferences.language(request.headers.get("Cookie"), request.headers.get("Accept-Language"))
    found: str = g.language
    return found


def locale() -> Locale:
    """Babel's locale of the current request."""
    return Locale.parse("de_DE" if language() == "de" else "en_GB")


def gettext(message: str, **values: Any) -> str:
    """`message` in the reader's language, with ``%(name)s`` filled in."""
    text = str(catalogue(language()).ugettext(message))
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, **values: Any) -> str:
    """The form that fits `number`, which is also available as ``%(num)s``."""
    text = str(catalogue(language()).ungettext(singular, plural, number))
    values.setdefault("num", number)
    return text % values


def N_(message: str) -> str:
    """Mark a constant for extraction; it is translated where it is shown."""
    return message


_ = gettext


def init_app(app: Flask) -> None:
    """Give templates ``_()`` and ``ngettext()``."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: catalogue(language()).ugettext(message),
        lambda singular, plural, number: catalogue(language()).ungettext(singular, plural, number),
        newstyle=True,
    )
