"""Report of what may be personal data in a file's free texts. Nothing is changed; people decide.

It looks at metadata, logs and table names for e-mail addresses, paths with user names, birth dates, patient numbers and
names behind words such as "operator". The words are those of English and German laboratories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MAX_FINDINGS = 200
MAX_EXCERPT = 120
#: Lines longer than this are looked at in their first part only: patterns must not become slow on hostile input.
MAX_LINE = 4_000

#: All texts of a file together; some seconds.
SEARCHED_BYTES = 20_000_000

#: At most this many "@" are looked at in a line.
MAX_AT_SIGNS = 20

_BEFORE_AT = re.compile(r"[\w.+-]{1,64}$")
_AFTER_AT = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")

#: kind → pattern. Every pattern is linear (no nested repetition) and begins with a word or sign that is rare.
PATTERNS: dict[str, re.Pattern[str]] = {
    "path with a user name": re.compile(
        r"(?:[A-Za-z]:[\\/]{1,2}(?:Users|Benutzer|Dokumente und Einstellungen|Documents and Settings)[\\/]{1,2}"
        r"|/home/|/Users/)(?!Public\b|Shared\b|All Users\b|Default\b)[^\\/\s\"',;:]{1,64}"
    ),
    "birth date": re.compile(
        r"\b(?:date of birth|birth ?date|birthday|born(?: on)?|dob|geburtsdatum|geb(?:oren)?(?: am)?\.?)\b"
        r"\W{0,4}\d{1,4}[./-]\d{1,2}[./-]\d{1,4}",
        re.IGNORECASE,
    ),
    "patient number": re.compile(
        r"\b(?:patient(?:en)?|proband|subject|case|fall)[ _-]?(?:id|no|nr|number|nummer|#)\b\.?\W{0,4}[\w/-]{0,12}\d[\w/-]{0,20}",
        re.IGNORECASE,
    ),
    "insurance or record number": re.compile(
        r"\b(?:mrn|medical record(?: number)?|versichertennummer|kvnr|ssn|social security)\b\W{0,4}[\w/-]{0,6}\d[\w/-]{2,20}",
        re.IGNORECASE,
    ),
    "name of a person": re.compile(
        r"\b(?:(?i:patient(?:in)?|operator|user ?name|benutzer|author|experimenter|measured by|bearbeiter|name))\b"
        r"[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?(?:(?:Dr|Prof|Mr|Mrs|Ms|Herr|Frau)\.?[ ]){0,2}"
        r"[A-ZÄÖÜ][\w'’-]{1,40}[,]?[ ][A-ZÄÖÜ][\w'’-]{1,40}"
    ),
    "title and name": re.compile(r"\b(?:Dr|Prof|Mr|Mrs|Ms|Herr|Frau)\.?[ ](?:med\.?[ ])?[A-ZÄÖÜ][\w'’-]{2,40}"),
    "phone number": re.compile(r"(?i:\b(?:tel|phone|telefon|mobile|handy)\b)\W{0,3}\+?\d[\d ()/-]{5,20}"),
}
#: Metadata whose text is free, so that a bare name may stand in it.
_FREE_KEYS = re.compile(r"^(experiment:sample|user:.*|setup:medium|experiment:run identifier)$")
_TWO_NAMES = re.compile(r"^[A-ZÄÖÜ][a-zäöüß'’-]{2,30},? [A-ZÄÖÜ][a-zäöüß'’-]{2,30}$")


def report(
    config: Mapping[str, Mapping[str, Any]],
    logs: Mapping[str, Iterable[str]],
    tables: Mapping[str, tuple[Iterable[str], Iterable[str]]],
    notes: list[str],
) -> list[dict[str, str]]:
    """→ [{where, kind, excerpt}] in reading order, each finding once; at most `MAX_FINDINGS`.

    :param tables: names of the columns and texts of each; :param notes: gets a sentence when not everything was looked at.
    """
    findings: dict[tuple[str, str, str], None] = {}
    left = SEARCHED_BYTES
    for where, text in _texts(config, logs, tables):
        left -= len(text)
        if left < 0:
            notes.append("Only the first 20 MB of its texts were searched for personal data.")
            break
        for kind, excerpt in _found(text):
            findings.setdefault((where, kind, excerpt))
        if _FREE_KEYS.match(where.removeprefix("metadata ")) and _TWO_NAMES.match(text.strip()):
            findings.setdefault((where, "name of a person", text.strip()[:MAX_EXCERPT]))
        if len(findings) >= MAX_FINDINGS:
            break
    return [
        {"where": where, "kind": kind, "excerpt": excerpt} for where, kind, excerpt in list(findings)[:MAX_FINDINGS]
    ]


def _texts(
    config: Mapping[str, Mapping[str, Any]],
    logs: Mapping[str, Iterable[str]],
    tables: Mapping[str, tuple[Iterable[str], Iterable[str]]],
) -> Iterable[tuple[str, str]]:
    for section, values in config.items():
        for key, value in values.items():
            if isinstance(value, str):
                yield f"metadata {section}:{key}", value
    for name, lines in logs.items():
        yield f"name of log {name}", name
        for line in lines:
            yield f"log {name}", line
    for name, (columns, cells) in tables.items():
        yield f"name of table {name}", name
        for column in columns:
            yield f"column of table {name}", column
        for cell in cells:
            yield f"table {name}", cell


def _found(text: str) -> Iterable[tuple[str, str]]:
    line = text[:MAX_LINE]
    for address in _addresses(line):
        yield "e-mail address", address[:MAX_EXCERPT]
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
