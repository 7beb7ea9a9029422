"""No text costs more work than its length allows: every regular expression and every reader of what a client sends.

Work is counted in processor time of this process, which others do not change: 100 kB take a few milliseconds where the work
grows with the length, and minutes where it grows with its square.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from appliance.model import names, personal_data, references, revision, supplement_table, values
from appliance.model.problem import Problem
from appliance.security import limits, passwords
from appliance.security.session_cookies import COOKIE
from appliance.store.search import dates, freetext, parser, words
from appliance.store.search.query import SearchQuery
from appliance.store.search.translate import plan
from appliance.web import authentication, route_table
from appliance.web.api import parameters
from appliance.web.gateway import hosts
from appliance.web.gateway.head import parse_head
from appliance.web.gateway.limits import Limits
from appliance.web.http import Body, Headers, Request
from appliance.web.pages.frame import markdown
from appliance.web.transfer import multipart_form, ranges
from tests.support import expressions
from tests.support.expressions import Expression, slow_texts, within

LENGTH = 100_000
#: Texts of this length [characters] tell which patterns have to be tried with the full one.
SHORT = 2_000
#: Modules whose expressions never see more characters than this, because they cut or refuse what is longer.
BOUNDED = {"model/personal_data.py": personal_data.MAX_LINE}
#: Expressions that are made while the service runs; each has its own test below, or needs none.
MADE_LATER = {
    "cli/support_mask.py": "one escaped name, run by the administrator",
    "web/routes.py": "test_addresses",
}
BUDGET = 1.0  # processor seconds for 100 kB


def _is_quick(pattern: re.Pattern[Any], method: str, text: Any, budget: float) -> bool:
    return within(budget, lambda: expressions.apply(pattern, method, text))


def _slow(one: Expression, length: int) -> list[str]:
    """Texts that keep an expression busy. The short form of each is tried first: few patterns are slow at any."""
    found = []
    for text in slow_texts(one.pattern):
        short = text.of(min(SHORT, length), one.pattern)
        for method in sorted(one.methods):
            began = time.thread_time()
            _is_quick(one.pattern, method, short, 0.1)
            if time.thread_time() - began < 0.0015:
                continue
            if not _is_quick(one.pattern, method, text.of(length, one.pattern), BUDGET):
                found.append(f"{one.place} {method} {text}")
        if found:
            break
    return found


@pytest.mark.parametrize("one", expressions.expressions(), ids=lambda one: one.place)
def test_expressions(one: Expression) -> None:
    assert _slow(one, BOUNDED.get(one.place.partition(":")[0], LENGTH)) == []


def test_every_expression_is_seen() -> None:
    assert {place.partition(":")[0] for place in expressions.unseen()} == set(MADE_LATER)


def test_what_finds_slow_expressions_finds_them() -> None:
    for pattern, method in (
        (r"(.+?)\s+(asc|desc)", "fullmatch"),
        (r"[0-9]+\.?[0-9]*", "fullmatch"),
        (r"[a-z_]+=", "search"),
        (r"\s*<\s*", "sub"),
        (r"(a|b|ab)*c", "match"),
        (r"'(.*)': '(.*)'!", "fullmatch"),
        (rb"(x+x+)+y", "search"),
    ):
        assert _slow(Expression(re.compile(pattern), frozenset({method}), "here"), LENGTH), pattern


def test_addresses() -> None:
    for one in route_table.routes():
        assert _slow(Expression(one.pattern, frozenset({"fullmatch"}), one.pattern.pattern), LENGTH) == []


# --- readers that are no expressions ------------------------------------------------------------------------------------


def _refused_or_read(read: Callable[[str], object]) -> Callable[[str], None]:
    def run(text: str) -> None:
        with suppress(Problem, ValueError):
            read(text)

    return run


def _head(text: str) -> object:
    return parse_head(
        f"GET /?{text} HTTP/1.1\r\nHost: a\r\nCookie: {text}\r\n\r\n".encode("latin-1", "replace"), Limits()
    )


def _form(text: str) -> object:
    request = Request(
        "POST",
        "/",
        "/",
        headers=Headers([("Content-Type", f"multipart/form-data; boundary=b; x={text[:30_000]}")]),
        body=Body(f'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n{text}\r\n--b--\r\n'.encode()),
    )
    return multipart_form.parse(request, lambda *_: pytest.fail("no file was sent"))


def _cookie(text: str) -> object:
    return authentication.session_cookie(Request("GET", "/", "/", headers=Headers([("Cookie", f'{COOKIE}="{text}"')])))


def _ranges(text: str) -> object:
    fields = [(name, text) for name in ("Range", "If-Match", "If-None-Match", "If-Range", "If-Modified-Since")]
    return [ranges.select("GET", Headers([one]), 10, '"a"', 0) for one in fields]


def _search(text: str) -> object:
    query = SearchQuery.from_parameters({"q": text})
    return plan(*query.trees())


def _table(text: str) -> object:
    columns = {letter: letter for letter in "ab"}
    read = _refused_or_read(lambda table: supplement_table.entered(table, {"a": "1"}, columns))
    return [
        read(text),
        read(f"file,{text}"),
        read(f"file{',a' * (LENGTH // 2)}"),
        read("file,a\n" + "a,b\n" * (LENGTH // 4)),
    ]


def _sheet(text: str) -> object:
    return values.decoded(f'{{"a": "{text}", "b": [{text}]}}')


READERS: dict[str, Callable[[str], object]] = {
    "query language": lambda text: parser.parse(text),
    "search": _search,
    "field of a search": lambda text: _search(f"title:({text[:30_000]})"),
    "free text": lambda text: freetext.parse(text),
    "minimum match": lambda text: freetext.required(5, text),
    "parameter": values.composed,
    "sort": lambda text: SearchQuery(sort=text).order(),
    "moment": lambda text: dates.interval("NOW" + text),
    "words of the index": words.indexed,
    "JSON": _sheet,
    "query string": parameters.from_query,
    "head": _head,
    "form": _form,
    "cookie": _cookie,
    "ranges": _ranges,
    "authors": references.authors,
    "references": references.references,
    "links": references.links,
    "DOI": references.doi,
    "tag": names.tag_errors,
    "file name": names.resource_name_errors,
    "dataset name": lambda text: names.dataset_name(text[:2000], lambda _: False),
    "flattened key": lambda text: revision.lookup({}, text),
    "patterns of parts": lambda text: revision.select({"a": [{"id": "b" * 40}] * 50}, [f"-{text}"]),
    "password": lambda text: passwords.weaknesses(text, personal=(text[:500],)),
    "Markdown": lambda text: markdown.render(text[: markdown._LONGEST]),
    "beginning of a Markdown text": lambda text: markdown.plain(text),
    "table of supplements": _table,
    "address": lambda text: limits.network(text),
    "host": hosts.host_name,
}
TEXTS = {
    "blanks": " " * LENGTH,
    "blanks and an end": "a" + " " * LENGTH + "b",
    "letters": "a" * LENGTH,
    "digits": "1" * LENGTH,
    "words": "ab " * (LENGTH // 3),
    "commas": "," * LENGTH,
    "items": "a, " * (LENGTH // 3),
    "round brackets": "(" * LENGTH,
    "square brackets": "[" * LENGTH,
    "pairs of brackets": "[](" * (LENGTH // 3),
    "closed brackets": "[" * (LENGTH // 2) + "]" * (LENGTH // 2),
    "curly brackets": "{" * LENGTH,
    "objects": '{"a":' * (LENGTH // 5),
    "quotation marks": '"' * LENGTH,
    "quoted": '"a" ' * (LENGTH // 4),
    "backslashes": "\\" * LENGTH,
    "octal escapes": "\\101" * (LENGTH // 4),
    "stars": "*" * LENGTH,
    "stars and letters": "*a" * (LENGTH // 2),
    "emphasis": "*a **a " * (LENGTH // 7),
    "underscores": "__a" * (LENGTH // 3),
    "backticks": "".join("`" * n + "a" for n in range(1, 440)),
    "quotes of lists": "> - " * (LENGTH // 4),
    "lines of quotes": "\n".join(">" * n for n in range(1, 440)),
    "indented lists": "\n".join("  " * n + "- a" for n in range(310)),
    "table": "|a" * 300 + "\n" + "|-" * 300 + "\n" + ("|a" * 50 + "\n") * 900,
    "links": "[a]: b\n" * (LENGTH // 7),
    "link references": "[a]" * (LENGTH // 3),
    "unclosed links": "[a](<b" * (LENGTH // 6),
    "angle brackets": "<" * LENGTH,
    "exclamation marks": "![" * (LENGTH // 2),
    "strikes": "~~a" * (LENGTH // 3),
    "tildes": "a~." * (LENGTH // 3),
    "colons": "a:" * (LENGTH // 2),
    "operators": "a OR " * (LENGTH // 5),
    "nested groups": "title:(" * 32 + "a " * 1000 + ")" * 32,
    "nested optional groups": "(a OR NOT " * 31 + " ".join(f"w{n}" for n in range(900)) + ")" * 31,
    "signs": "+-" * (LENGTH // 2),
    "carets": "a^1" * (LENGTH // 3),
    "combining marks": "a" + "\u0301\u0323" * (LENGTH // 2),
    "entities": "&amp;" * (LENGTH // 5),
    "semicolons": "a=b; " * (LENGTH // 5),
    "percent signs": "%41=%42&" * 12_000,
    "line ends": "\r\n" * (LENGTH // 2),
    "date steps": "/DAY+1DAY" * (LENGTH // 9),
    "entity tags": '"a", ' * (LENGTH // 5),
    "zeros": "\x00" * LENGTH,
}


@pytest.mark.parametrize("reader", READERS)
def test_readers(reader: str) -> None:
    """A text that is refused must be refused as quickly. (The budget is for the slowest allowed: indexing 100 kB of words.)"""
    run = _refused_or_read(READERS[reader])
    assert [name for name, text in TEXTS.items() if not within(BUDGET, partial(run, text))] == []
