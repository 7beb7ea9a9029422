"""Bytes that are no UTF-8, wherever a request may carry them: refused or read, never an internal error."""

from __future__ import annotations

import itertools
import socket
import ssl
from collections.abc import Iterator

import pytest

from appliance.store import incidents
from appliance.web.api.registry import ACTIONS
from appliance.web.app import create_app
from tests.support.furnished import House

#: No UTF-8, half of it, a surrogate, more than there is in Unicode.
BYTES = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"]
HEADERS = ["Cookie", "Referer", "Origin", "Authorization", "X-CKAN-API-Key", "Accept", "Accept-Language", "Accept-Encoding"]  # fmt: skip
HEADERS += ["Range", "If-None-Match", "If-Modified-Since", "User-Agent", "Content-Type", "X-Forwarded-For", "Forwarded"]


def ask(house: House, line: bytes, *headers: bytes, body: bytes = b"") -> int:
    """The status of the answer to a request as ada."""
    token, origin = house.people["ada"].token.encode(), house.appliance.url.encode()
    known = [b"Host: localhost", b"Connection: close", b"Content-Length: %d" % len(body), b"Origin: " + origin]
    if not any(one.lower().startswith((b"authorization", b"x-ckan-api-key")) for one in headers):
        known.append(b"Authorization: " + token)
    if any(one.startswith(b"Origin") for one in headers):
        known = [one for one in known if not one.startswith(b"Origin")]
    context = ssl.create_default_context(cafile=str(house.appliance.certificate))
    plain = socket.create_connection(("127.0.0.1", house.appliance.settings.server.port), timeout=30)
    with context.wrap_socket(plain, server_hostname="localhost") as sock:
        sock.sendall(line + b" HTTP/1.1\r\n" + b"\r\n".join([*known, *headers]) + b"\r\n\r\n" + body)
        said = sock.recv(4096)
        while b"\r\n" not in said:
            said += sock.recv(4096)
    return int(said.split(b" ", 2)[1])


@pytest.fixture(autouse=True)
def none_failed(house: House) -> Iterator[None]:
    """Afterwards nothing is in the table of internal errors."""
    yield
    with house.appliance.context.db.read() as conn:
        assert [row["trace"] for row in incidents.latest(conn, 5)] == []


def escaped(data: bytes) -> bytes:
    """`data` as it stands in an address."""
    return b"".join(b"%%%02x" % byte for byte in data)


@pytest.mark.parametrize("odd", BYTES, ids=repr)
def test_in_the_query_of_every_page_and_action(house: House, odd: bytes) -> None:
    rules = {rule.rule.encode() for rule in create_app(house.appliance.context).url_map.iter_rules()}
    pages = [rule for rule in rules if b"<" not in rule] + [b"/dataset/" + house.draft["id"].encode()]
    actions = [b"/api/3/action/" + name.encode() for name, declared in ACTIONS.items() if declared.get]
    for path in (*pages, *actions):
        query = b"?id=%(x)s&q=%(x)s&name=%(x)s&sort=%(x)s&fq=%(x)s&page=%(x)s&next=%(x)s&%(x)s=1" % {b"x": escaped(odd)}
        assert ask(house, b"GET " + path + query) < 500, (path, query)
    for path in (b"/", b"/dataset", b"/measurements", b"/api/3/action/package_search", b"/nothing/here"):
        assert ask(house, b"GET " + path + b"?q=" + odd) == 400
        assert ask(house, b"GET " + path + odd) == 400


@pytest.mark.parametrize("path", [b"/", b"/user/login", b"/api/3/action/package_search", b"/static/x/app.css"])
def test_in_every_header(house: House, path: bytes) -> None:
    for name, odd in itertools.product(HEADERS, BYTES):
        for value in (odd, b"a=" + odd + b"; dcor_session=" + odd, b'"' + odd + b'"', b"https://localhost/" + odd):
            assert ask(house, b"GET " + path, name.encode() + b": " + value) < 500, (name, value)


@pytest.mark.parametrize("odd", BYTES, ids=repr)
def test_in_bodies_of_every_kind(house: House, odd: bytes) -> None:
    kinds = [
        b"application/x-www-form-urlencoded",
        b"application/json",
        b"text/plain",
        b"multipart/form-data; boundary=b",
    ]
    kinds += [b"multipart/form-data; boundary=" + odd, odd, b"application/x-www-form-urlencoded; charset=utf-16"]
    disposition = b'--b\r\nContent-Disposition: form-data; name="%(x)s"; filename="%(x)s"\r\n\r\n%(x)s\r\n--b--\r\n'
    bodies = [b"id=%(x)s&%(x)s=1&q=%(x)s", b'{"id": "%(x)s", "q": "%(x)s"}', disposition, b"%(x)s"]
    paths = [b"/user/login", b"/dataset/new", b"/api/3/action/package_search", b"/api/3/action/user_patch"]
    paths += [b"/api/3/action/resource_create", b"/upload/browser"]
    for path, kind, body in itertools.product(paths, kinds, bodies):
        said = ask(house, b"POST " + path, b"Content-Type: " + kind, body=body % {b"x": odd})
        assert said < 500, (path, kind, body)
