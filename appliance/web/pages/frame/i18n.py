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
from markupsafe import Markup

from appliance.web import preferences

LANGUAGES = preferences.LANGUAGES
DEFAULT = preferences.DEFAULT_LANGUAGE
#: The catalogues' context of what other layers say.
SAID = "inside"
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


LOCALES = {"en": Locale.parse("en_GB"), "de": Locale.parse("de_DE")}


def language() -> str:
    """The language of the current request: the switch's cookie, else what the browser asks for, else English."""
    try:
        found: str = g.language
    except AttributeError:  # first asked in this request
        if not has_request_context():
            return DEFAULT
        found = g.language = preferences.language(request.headers.get("Cookie"), request.headers.get("Accept-Language"))
    except RuntimeError:  # there is no request
        return DEFAULT
    return found


def locale() -> Locale:
    """Babel's locale of the current request."""
    return LOCALES[language()]


def gettext(message: str, **values: Any) -> str:
    """`message` in the reader's language, with ``%(name)s`` filled in."""
    text = _translated(language(), message)
    return text % values if values else text


@lru_cache(maxsize=4096)
def _translated(language: str, message: str) -> str:
    return str(catalogue(language).ugettext(message))


@lru_cache(maxsize=4096)
def _translated_markup(language: str, message: str) -> tuple[Markup, bool]:
    """A message as templates insert it, and whether something has to be filled in."""
    text = Markup(_translated(language, message))  # noqa: S704  # of our catalogues, like the templates themselves
    return text, "%" in text


def _template_gettext(message: str, **values: Any) -> Markup:
    """`gettext` for templates: what is filled in is escaped."""
    text, formatted = _translated_markup(language(), message)
    return text % values if formatted else text


def said(language: str, template: str) -> str:
    """What another layer says (`model.messages`) in `language`; `template` as it is when the catalogue does not have it."""
    return str(catalogue(language).upgettext(SAID, template))


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
    # in place of the extension's own, which prepares to fill in something for each text of a page
    app.jinja_env.globals.update({"_": _template_gettext, "gettext": _template_gettext})
