"""What CKAN asks of Solr, from memory: documents, filters, order and pages. Only for tests; ranking and text analysis are not Solr's."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from tests.support.ports import LOOPBACK

Match = Callable[[Mapping[str, Any]], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>OR|AND|NOT)\b|(?P<sign>[+-])|(?P<field>[A-Za-z_][\w]*|\*):"""
    r"""|(?P<range>[\[{][^\]}]*[\]}])|"(?P<phrase>[^"]*)"|(?P<term>(?:\\.|[^\s()"])+))"""
)
_SCHEMA = '<schema name="ckan-2.11" version="2.11"><uniqueKey>index_id</uniqueKey></schema>'


class _Query:
    """Recursive descent over the part of Lucene's grammar that CKAN and its clients use."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise ValueError(text)
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()

    def all(self, field: str = "text") -> Match:
        """Alternatives of conjunctions, up to a closing parenthesis."""
        alternatives: list[list[Match]] = [[]]
        while self._tokens and self._tokens[0][0] != "close":
            kind, text = self._tokens[0]
            if kind == "word" and text in ("OR", "AND"):
                self._tokens.pop(0)
                if text == "OR":
                    alternatives.append([])
                continue
            alternatives[-1].append(self._one(field))
        return lambda doc: any(all(one(doc) for one in found) for found in alternatives)

    def _one(self, field: str) -> Match:
        kind, text = self._tokens.pop(0)
        if kind == "sign" or (kind == "word" and text == "NOT"):
            inner = self._one(field)
            return inner if text == "+" else lambda doc: not inner(doc)
        if kind == "field":
            return self._one(text)
        if kind == "open":
            inner = self.all(field)
            if self._tokens:
                self._tokens.pop(0)
            return inner
        if kind == "range":
            low, _, high = text[1:-1].replace("\\", "").partition(" TO ")
            return lambda doc: any(
                (low == "*" or low <= value) and (high == "*" or value <= high) for value in _values(doc, field)
            )
        return _equal(field, re.sub(r"\\(.)", r"\1", text), phrase=kind == "phrase")


def _values(doc: Mapping[str, Any], field: str) -> list[str]:
    found = doc.get(field)
    given = found if isinstance(found, list) else [] if found is None else [found]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in given]


def _equal(field: str, text: str, *, phrase: bool) -> Match:
    if field == "*":
        return lambda doc: True
    if field == "text":
        return lambda doc: text == "*" or text.lower() in json.dumps(dict(doc)).lower()
    if "*" in text and not phrase:
        pattern = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.I)
        return lambda doc: any(pattern.fullmatch(value) for value in _values(doc, field))
    return lambda doc: any(value.lower() == text.lower() for value in _values(doc, field))


class Solr:
    """One core. :ivar url: its address."""

    def __init__(self) -> None:
        self._docs: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self.url = ""

    def update(self, text: bytes) -> None:
        """Take documents, or remove some."""
        with self._lock:
            if text.lstrip()[:1] in (b"[", b"{"):
                given = json.loads(text)
                for doc in given if isinstance(given, list) else []:
                    self._docs[doc["index_id"]] = doc
            elif text.strip():
                for query in ElementTree.fromstring(text).iter("query"):
                    found = _Query(query.text or "").all()
                    self._docs = {key: doc for key, doc in self._docs.items() if not found(doc)}

    def select(self, asked: Mapping[str, list[str]]) -> dict[str, Any]:
        """Documents as Solr answers them."""
        queries = [_Query(one).all() for one in (*asked.get("q", ["*:*"]), *asked.get("fq", [])) if one.strip()]
        with self._lock:
            found = [doc for doc in self._docs.values() if all(one(doc) for one in queries)]
        for part in reversed(asked.get("sort", [""])[0].split(",")):
            field, _, way = part.strip().partition(" ")
            if field and field != "score":
                found.sort(key=lambda doc: _values(doc, field), reverse=way.strip() == "desc")
        start, rows = int(asked.get("start", ["0"])[0]), int(asked.get("rows", ["10"])[0])
        return {
            "responseHeader": {"status": 0},
            "response": {"numFound": len(found), "start": start, "docs": found[start : start + rows]},
            "facet_counts": {"facet_fields": {}},
        }


@contextmanager
def solr() -> Iterator[Solr]:
    """A running core."""
    core = Solr()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _answer(self, body: bytes) -> None:
            place = urlsplit(self.path)
            kind, said = "application/json", b'{"responseHeader": {"status": 0}, "status": "OK"}'
            if "/update" in place.path:
                core.update(body)
            elif "/schema" in place.path:
                kind, said = "application/xml", _SCHEMA.encode()
            elif "/select" in place.path:
                said = json.dumps(core.select(parse_qs(body.decode() if body else place.query))).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    core.url = f"http://{LOOPBACK}:{server.server_port}/solr/ckan"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield core
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
