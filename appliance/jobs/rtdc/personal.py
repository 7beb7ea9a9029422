"""Report of what may be personal data in a file's free texts. Nothing is changed; people decide.

It looks at metadata, logs and table names for e-mail addresses, paths with user names, birth dates, patient numbers and
names behind words such as "operator".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.model.messages import Message
from appliance.model.personal_data import FREE_KEYS, MAX_EXCERPT, TWO_NAMES, found

MAX_FINDINGS = 200

#: All texts of a file together; some seconds.
SEARCHED_BYTES = 20_000_000


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
            notes.append(Message("Only the first 20 MB of its texts were searched for personal data."))
            break
        for kind, excerpt in found(text):
            findings.setdefault((where, kind, excerpt))
        if FREE_KEYS.match(where.removeprefix("metadata ")) and TWO_NAMES.match(text.strip()):
            findings.setdefault((where, "person's name", text.strip()[:MAX_EXCERPT]))
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
                yield Message("metadata %(section)s:%(key)s", section=section, key=key), value
    for name, lines in logs.items():
        yield Message("name of log %(name)s", name=name), name
        for line in lines:
            yield Message("log %(name)s", name=name), line
    for name, (columns, cells) in tables.items():
        yield Message("name of table %(name)s", name=name), name
        for column in columns:
            yield Message("column of table %(name)s", name=name), column
        for cell in cells:
            yield Message("table %(name)s", name=name), cell
