"""The part of docs/clients.md on CKAN's own tests, from a run."""

from __future__ import annotations

import re
import sys
from collections import Counter
from datetime import UTC, datetime

from tests.contract.ckan_suite.kinds import KINDS, kind_of
from tests.contract.matrix.report import PAGE

_BEGIN, _END = "<!-- CKAN's tests: begin -->", "<!-- CKAN's tests: end -->"


def write(outcomes: dict[str, dict[str, str]], *, page: bool) -> int:
    """Say what came of each folder's tests; with `page`, also in the page. → 1 when one that applies differs, else 0."""
    rows, wrong = ["| | tests | applicable | passed | differ | not applicable | not by HTTP |", "|" + " --- |" * 7], []
    counts: Counter[str] = Counter()
    for folder, found in outcomes.items():
        words = Counter(_word(test, word) for test, word in found.items())
        wrong += sorted(f"{folder}/{test}" for test, word in found.items() if _word(test, word) == "differs")
        counts.update(kind.name for test, word in found.items() if word == "differs" and (kind := kind_of(test)))
        applicable = words["passed"] + words["differs"]
        cells = [len(found), applicable, words["passed"], words["differs"], words["not applicable"], words["skipped"]]
        rows.append(f"| {folder} | {' | '.join(map(str, cells))} |")
    reasons = [f"| {kind.name} | {counts[kind.name]} | {kind.reason} |" for kind in KINDS if counts[kind.name]]
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    text = "\n".join([f"Last run: {day}.", "", *rows, ""])
    text += "\n".join(["\nNot applicable:", "", "| kind | tests | reason |", "| --- | --- | --- |", *reasons, ""])
    if wrong:
        text += "\n".join(["\nThat apply and differ:", "", *(f"- `{name}`" for name in wrong), ""])
    sys.stdout.write(text)
    if page:
        whole = PAGE.read_text(encoding="utf-8")
        part = re.compile(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", re.DOTALL)
        PAGE.write_text(part.sub(lambda _: f"{_BEGIN}\n{text}{_END}", whole), encoding="utf-8")
    return int(bool(wrong))


def _word(test: str, word: str) -> str:
    return "not applicable" if word == "differs" and kind_of(test) else word
