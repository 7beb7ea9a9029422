"""What looks like personal data in a text: e-mail addresses, paths with user names, birth dates, numbers and names of people.

The words are those of English and German laboratories. Nothing is decided here: people look at what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from appliance.model.messages import Message

MAX_EXCERPT = 120
#: Lines longer than this are looked at in their first part only: patterns must not become slow on hostile input.
MAX_LINE = 4_000
#: At most this many "@" are looked at in a line.
MAX_AT_SIGNS = 20

_BEFORE_AT = re.compile(r"[\w.+-]{1,64}$")
_AFTER_AT = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")

#: kind → pattern. Every pattern is linear (no nested repetition) and begins with a word or sign that is rare.
PATTERNS: dict[str, re.Pattern[str]] = {
    Message("path containing a user name"): re.compile(
        r"(?:[A-Za-z]:[\\/]{1,2}(?:Users|Benutzer|Dokumente und Einstellungen|Documents and Settings)[\\/]{1,2}"
        r"|/home/|/Users/)(?!Public\b|Shared\b|All Users\b|Default\b)[^\\/\s\"',;:]{1,64}"
    ),
    Message("birth date"): re.compile(
        r"\b(?:date of birth|birth ?date|birthday|born(?: on)?|dob|geburtsdatum|geb(?:oren)?(?: am)?\.?)\b"
        r"\W{0,4}\d{1,4}[./-]\d{1,2}[./-]\d{1,4}",
        re.IGNORECASE,
    ),
    Message("patient number"): re.compile(
        r"\b(?:patient(?:en)?|proband|subject|case|fall)[ _-]?(?:id|no|nr|number|nummer|#)\b\.?\W{0,4}[\w/-]{0,12}\d[\w/-]{0,20}",
        re.IGNORECASE,
    ),
    Message("insurance or record number"): re.compile(
        r"\b(?:mrn|medical record(?: number)?|versichertennummer|kvnr|ssn|social security)\b\W{0,4}[\w/-]{0,6}\d[\w/-]{2,20}",
        re.IGNORECASE,
    ),
    Message("person's name"): re.compile(
        r"\b(?:(?i:patient(?:in)?|operator|user ?name|benutzer|author|experimenter|measured by|bearbeiter|name))\b"
        r"[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?(?:(?:Dr|Prof|Mr|Mrs|Ms|Herr|Frau)\.?[ ]){0,2}"
        r"[A-ZÄÖÜ][\w'’-]{1,40}[,]?[ ][A-ZÄÖÜ][\w'’-]{1,40}"
    ),
    Message("title and name"): re.compile(
        r"\b(?:Dr|Prof|Mr|Mrs|Ms|Herr|Frau)\.?[ ](?:med\.?[ ])?[A-ZÄÖÜ][\w'’-]{2,40}"
    ),
    Message("phone number"): re.compile(r"(?i:\b(?:tel|phone|telefon|mobile|handy)\b)\W{0,3}\+?\d[\d ()/-]{5,20}"),
}
#: Metadata whose text is free, so that a bare name may stand in it.
FREE_KEYS = re.compile(r"^(experiment:sample|user:.*|setup:medium|experiment:run identifier)$")
TWO_NAMES = re.compile(r"^[A-ZÄÖÜ][a-zäöüß'’-]{2,30},? [A-ZÄÖÜ][a-zäöüß'’-]{2,30}$")


def found(text: str) -> Iterable[tuple[str, str]]:
    """(kind, excerpt) of everything in a line of text, as far as `MAX_LINE`."""
    line = text[:MAX_LINE]
    for address in _addresses(line):
        yield Message("e-mail address"), address[:MAX_EXCERPT]
    for kind, pattern in PATTERNS.items():
        for match in pattern.finditer(line):
            yield kind, match.group()[:MAX_EXCERPT]


def _addresses(line: str) -> Iterable[str]:
    """Yield e-mail addresses, looking only around "@": a pattern that begins with any letter would try every letter."""
    position = line.find("@")
    for _ in range(MAX_AT_SIGNS):
        if position < 0:
            return
        before = _BEFORE_AT.search(line[max(0, position - 64) : position])
        after = _AFTER_AT.match(line, position + 1)
        if before and after:
            yield f"{before.group()}@{after.group()}"
        position = line.find("@", position + 1)
