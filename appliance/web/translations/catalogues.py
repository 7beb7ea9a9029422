"""Texts of the pages: found in code, templates and the supplements' schemas, kept in one ``.po`` file per language."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from appliance.web.pages.frame import i18n, problem_texts

LANGUAGES = ("en", "de")
_WEB = Path(__file__).parents[1]
_SCHEMAS = _WEB.parent / "model" / "data"
_METHODS = [("pages/**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
#: What marks a text of another layer: where, the callable, and which argument.
_SAID = {"health/**.py": {"Message": None, "Finding": (1,)}, "**.py": {"Message": None, "_option": (2,)}}
_PLACE = re.compile(r"%\(\w+\)s")
_WORD = re.compile(r"[A-Za-z]{2}")
_KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}

#: The context of what other layers say, in English, which tells it from the pages' own texts.
CONTEXT = i18n.SAID

Message = str | tuple[str, ...]
Entry = tuple[str | None, Message]


def texts() -> set[Message]:
    """Every text that pages may show; (singular, plural) for counted ones."""
    found: set[Message] = set()
    options = {"templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
    for _name, _line, message, _comments, _context in extract_from_dir(
        str(_WEB), _METHODS, options_map=options, keywords=_KEYWORDS
    ):
        if message:
            found.add(tuple(message) if isinstance(message, (tuple, list)) else message)
    return found | set(_schema_texts())


def entries() -> set[Entry]:
    """Every text with its context: None for the pages' own, `CONTEXT` for what other layers say."""
    said = set(_message_texts()) - problem_texts.WORDINGS.keys()
    return {(None, message) for message in texts()} | {(CONTEXT, message) for message in said}


def _message_texts() -> Iterator[str]:
    """Templates of messages (`model.messages`), names of checks and what settings are for, wherever they arise."""
    for files, keywords in _SAID.items():
        found = extract_from_dir(str(_WEB.parent), [(files, "python")], keywords=keywords)
        for _name, _line, message, _comments, _context in found:
            if isinstance(message, str) and _WORD.search(_PLACE.sub("", message)):
                yield message


def _schema_texts() -> Iterator[str]:
    """Names, hints and choices of the built-in supplementary metadata."""
    for path in sorted(_SCHEMAS.glob("supplements_*.json")):
        sections: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for section in sections.values():
            yield section["name"]
            for item in section["items"]:
                yield from (item[key] for key in ("name", "hint") if item.get(key))
                yield from (choice for choice in item.get("choices") or () if isinstance(choice, str))


def read(language: str) -> Catalog:
    """The catalogue as it is."""
    return read_po(io.BytesIO(_path(language).read_bytes()), locale=language)


def untranslated(language: str) -> list[str]:
    """Texts that have no translation, or one that lacks a form or a placeholder."""
    catalogue = read(language)
    return sorted(_key(message) for context, message in entries() if not _complete(catalogue, message, context))


def update(language: str) -> list[str]:
    """Write the catalogue anew; → what is still to be translated."""
    old = read(language)
    new = Catalog(locale=language, charset="utf-8", fuzzy=False, header_comment=f"# Texts of the pages: {language}")
    for context, message in sorted(entries(), key=lambda entry: (entry[0] or "", _key(entry[1]))):
        known = old.get(_key(message), context)
        string = known.string if known is not None and _complete(old, message, context) else None
        if string is None and language == "en":
            string = message
        new.add(message, string, context=context)
    target = io.BytesIO()
    write_po(target, new, width=110, omit_header=False, sort_output=True)
    lines = target.getvalue().decode().splitlines()
    stable = [
        line for line in lines if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By'))
    ]
    _path(language).write_text("\n".join(stable) + "\n", encoding="utf-8")
    return untranslated(language)


def _complete(catalogue: Catalog, message: Message, context: str | None) -> bool:
    known = catalogue.get(_key(message), context)
    if known is None:
        return False
    forms = known.string if isinstance(known.string, (tuple, list)) else (known.string,)
    wanted = len(message) if isinstance(message, tuple) else 1
    return len(forms) == wanted and all(forms) and not list(known.check(catalogue))


def _key(message: Message) -> str:
    return message[0] if isinstance(message, tuple) else message


def _path(language: str) -> Path:
    return Path(__file__).with_name(f"{language}.po")
