"""No English is left on German pages: every page of a house in which everything has happened once, read word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from appliance.security.limits import Limiter
from tests.support.every_state import Showroom
from tests.support.furnished import Visitor
from tests.support.page_visits import PAGES, address

#: Words of English sentences that German lacks.
WORDS = frozenset(
    [
        "the",
        "of",
        "is",
        "are",
        "and",
        "with",
        "not",
        "this",
        "that",
        "these",
        "those",
        "to",
        "for",
        "from",
        "by",
        "be",
        "been",
        "were",
        "has",
        "have",
        "had",
        "its",
        "it",
        "or",
        "on",
        "at",
        "your",
        "you",
        "which",
        "when",
        "where",
        "who",
        "what",
        "why",
        "how",
        "there",
        "here",
        "yes",
        "done",
        "failed",
        "missing",
        "found",
        "left",
        "more",
        "less",
        "than",
        "into",
        "only",
        "each",
        "every",
        "all",
        "any",
        "some",
        "other",
        "another",
        "no",
        "none",
        "never",
        "again",
        "until",
        "while",
        "without",
        "unknown",
        "used",
        "uses",
        "using",
        "can",
        "cannot",
        "could",
        "should",
        "would",
        "must",
        "may",
        "will",
        "shall",
        "do",
        "does",
        "did",
        "please",
        "open",
        "close",
        "save",
        "delete",
        "remove",
        "change",
        "changed",
        "create",
        "created",
        "show",
        "shown",
        "hide",
        "see",
        "read",
        "written",
        "write",
        "file",
        "files",
        "page",
        "pages",
        "dataset",
        "datasets",
        "circle",
        "circles",
        "measurement",
        "measurements",
        "account",
        "user",
        "users",
        "password",
        "event",
        "feature",
        "value",
        "values",
        "hour",
        "hours",
        "day",
        "days",
        "minute",
        "minutes",
        "second",
        "seconds",
        "ago",
        "since",
        "name",
        "names",
        "size",
        "type",
        "date",
        "time",
        "keys",
        "key",
        "number",
        "list",
        "table",
        "image",
        "images",
        "sample",
        "samples",
        "channel",
        "width",
        "height",
        "length",
        "comment",
        "comments",
        "download",
        "backup",
        "backups",
        "check",
        "checks",
        "job",
        "jobs",
        "waiting",
        "running",
        "queued",
        "kernel",
        "system",
        "call",
        "off",
        "must",
        "needs",
    ]
)

#: What people have written in this house, values of settings and of searches, and names that are the same in every language.
WRITTEN = (
    "Study of blood",
    "Blood with many events", "Draft of neutrophils", "Private blood", "Public beads", "Series of measurements, day", "Beads before and after",
    "Traceback (most recent call last): at work", "experiment:sample", "long-collection", "Filter channel",
)  # fmt: skip
#: Texts that are one such value.
VALUES = frozenset(("channel", "day", "name", "dataset.", "time", "size"))


@pytest.fixture(scope="module")
def showroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showroom]:
    """An appliance in which everything has happened once."""
    made = Showroom(tmp_path_factory.mktemp("showroom"))
    yield made
    made.appliance.stop()


class Reader(HTMLParser):
    """What a person reads or hears of a page: texts, and the attributes that are shown; of code and logs only the comments."""

    SHOWN = frozenset(("title", "alt", "aria-label", "placeholder", "aria-description"))
    SILENT = frozenset(("script", "style", "template"))
    CODE = frozenset(("code", "pre", "kbd", "samp"))
    VOID = frozenset(("input", "img", "br", "hr", "meta", "link", "source", "wbr", "area", "col"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.texts += [value for key, value in attrs if value and key in self.SHOWN]
        if tag not in self.VOID:
            self._open.append("script" if dict(attrs).get("lang", "de") != "de" else tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and those in it that nobody has closed."""
        if tag not in self.VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """A text."""
        if self.SILENT & set(self._open):
            return
        if self.CODE & set(self._open):
            self.texts += re.findall(r"(?<=# ).+", data)
        elif data.strip():
            self.texts.append(" ".join(data.split()))


def english(page: str) -> set[str]:
    """The texts of a page with an English word in them, apart from quotations (names, keys, what other programs say) and commands."""
    found = set()
    for text in Reader(page).texts:
        said = re.sub("„[^“]*“", "", text)
        for written in WRITTEN:
            said = said.replace(written, "")
        if (
            text not in VALUES
            and not text.startswith(("dcor ", "sudo "))
            and WORDS & set(re.findall(r"(?<![\w./@:`-])[a-z]+(?![\w/@=`-]|\.\w)", said))
        ):
            found.add(text)
    return found


def visit(showroom: Showroom, visitor: Visitor, entry: str) -> str:
    """The page of an entry in the visitor's language."""
    target = address(entry, showroom)
    if not entry.startswith("POST "):
        return visitor.http.get(showroom.appliance.url + target, timeout=60).text
    parts = urlsplit(target)
    answer = visitor.http.post(showroom.appliance.url + parts.path, data=parse_qs(parts.query, True), timeout=60)
    return answer.text


@pytest.mark.parametrize("name", PAGES)
def test_no_english_is_left_on_german_pages(showroom: Showroom, name: str) -> None:
    showroom.appliance.context.limiter = Limiter()
    visitor = Visitor(showroom.appliance, name, "de")
    found = {entry: texts for entry in PAGES[name] if (texts := english(visit(showroom, visitor, entry)))}
    assert found == {}
