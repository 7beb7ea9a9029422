"""What of a measurement's texts a pseudonymised copy keeps: nothing that no rule permits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from dclab import definitions as dfn
from dclab.features.emodulus.viscosity import KNOWN_MEDIA

from appliance.model.personal_data import MAX_AT_SIGNS, MAX_EXCERPT, MAX_LINE, TWO_NAMES, found

_LONGEST = 500
#: Texts that programs write from a fixed choice, or that name a program.
_TECHNICAL = (
    "imaging:flash device",
    "pipeline:*",
    "qpi:*",
    "setup:chip region",
    "setup:module composition",
    "setup:software version",
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-[0-9]{2}")
#: What is taken out of the lines of a log that is kept, and what stands in its place.
_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\|/)[^\s\"'<>|,;()\[\]{}]*")
_TOKEN = re.compile(r"[^\s\"'<>|,;()\[\]{}=:]+")
_SUFFIX = re.compile(r"\.(?:rtdc|hdf5|h5|tdms|avi|ini|csv|tsv|log|txt)\b", re.IGNORECASE)
_DATES = re.compile(
    r"\b(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}))\b"
)
_WORD = re.compile(r"[^\W\d_]{2,}|\d{3,}")
#: Words of people's own metadata count from this length on: shorter ones are "on" and "of" more often than names.
_LONG = 3
REMOVED = "[removed]"


def _without_file(token: re.Match[str]) -> str:
    """A word of a line, "[file]" in the place of a name with a suffix of files. (One pattern for both would take the square of its length.)"""
    ends = [suffix.end() for suffix in _SUFFIX.finditer(token.group()) if suffix.start() > 0]
    return f"[file]{token.group()[ends[-1] :]}" if ends else token.group()


@dataclass(frozen=True)
class Rules:
    """How a copy is made.

    :ivar sample: what the sample is called in it; :ivar run: its run identifier; :ivar dates: "year", "month" or "day" of the measurement;
    :ivar keep, logs, tables: names of metadata (``section:key``), logs and tables that stay, ``*`` = any letters;
    :ivar words: what may stand in no text that stays, in small letters.
    """

    sample: str
    run: str
    dates: str
    keep: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()

    @classmethod
    def parsed(cls, request: Mapping[str, Any], metadata: Mapping[str, Any]) -> Rules:
        """The rules of a request; what the file's metadata (``section:key`` → value) name, such as the sample, stays in no text."""
        own = [str(value) for key, value in metadata.items() if not known(key.lower())]
        names = [str(value) for key, value in metadata.items() if key == "experiment:sample"]
        words = {word for text in (*names, *request["words"]) for word in words_of(text)}
        words |= {word for text in own for word in words_of(text) if len(word) >= _LONG}
        lists = {key: tuple(request[key]) for key in ("keep", "logs", "tables")}
        return cls(request["sample"], request["run"], request["dates"], **lists, words=frozenset(words))

    def suspicious(self, text: str) -> bool:
        """May it hold personal data?"""
        if _beyond_search(text):
            return True
        named = any(word in self.words for word in words_of(text))
        return named or bool(TWO_NAMES.match(text.strip())) or any(True for _ in found(text))

    def keeps(self, name: str, patterns: Iterable[str]) -> bool:
        """Does something of this name stay?"""
        return any(fnmatchcase(name, pattern) for pattern in patterns) and not self.suspicious(name)

    def metadata(self, key: str, value: Any) -> Any:
        """What stands in the copy for a value of the metadata `key` (``section:key``, known to dclab); None = nothing."""
        if key == "experiment:sample":
            return self.sample
        if key == "experiment:run identifier":
            return self.run
        if key == "experiment:date":
            return self._date(str(value))
        if key == "experiment:time" and self.dates != "day":
            return None
        if not isinstance(value, str | bytes | list | tuple | np.ndarray):
            return value
        if isinstance(value, str):
            return value if self._text_stays(key, value) else None
        numbers = np.asarray(value)
        return value if numbers.dtype.kind in "iufb" and numbers.ndim <= 1 else None

    def line(self, text: str) -> str:
        """A line of a log that stays, without paths, names of files, dates and whatever looks like personal data.

        A line that cannot be searched whole, or in which a finding was cut, does not stay.
        """
        if _beyond_search(text):
            return REMOVED
        findings = list(found(text))
        if any(len(excerpt) >= MAX_EXCERPT for _, excerpt in findings):
            return REMOVED
        for kind, excerpt in findings:
            text = text.replace(excerpt, f"[{kind}]")
        text = _TOKEN.sub(_without_file, _PATH.sub("[path]", text))
        if self.dates != "day":
            text = _DATES.sub("[date]", text)
        return _WORD.sub(lambda match: REMOVED if match.group().lower() in self.words else match.group(), text)

    def _date(self, value: str) -> str | None:
        match = _DATE.fullmatch(value.strip())
        if match is None:
            return None
        return {"year": f"{match[1]}-01-01", "month": f"{match[1]}-{match[2]}-01"}.get(self.dates, match[0])

    def _text_stays(self, key: str, value: str) -> bool:
        if key == "experiment:time":
            return re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?", value) is not None
        if key == "setup:medium":
            return value in KNOWN_MEDIA or value == "other"
        allowed = any(fnmatchcase(key, pattern) for pattern in (*_TECHNICAL, *self.keep))
        return allowed and len(value) <= _LONGEST and value.isprintable() and not self.suspicious(value)


def _beyond_search(text: str) -> bool:
    """Is it longer, or has it more "@", than the search for personal data looks at?"""
    return len(text) > MAX_LINE or text.count("@") > MAX_AT_SIGNS


def known(key: str) -> bool:
    """Is it metadata that dclab defines? Only that has a fixed meaning."""
    section, _, name = key.partition(":")
    return section != "user" and section in dfn.CFG_METADATA and bool(dfn.config_key_exists(section, name))


def words_of(text: str) -> Iterable[str]:
    """The words and numbers of a text that are long enough to name somebody, in small letters."""
    return (match.group().lower() for match in _WORD.finditer(text))
