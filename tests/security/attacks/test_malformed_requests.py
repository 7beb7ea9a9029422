"""Whatever is sent to whatever address by whomever: a clear refusal, never an internal error."""

from __future__ import annotations

import itertools
import json
import random
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from appliance.store import incidents
from appliance.web.api.registry import ACTIONS
from appliance.web.app import create_app
from tests.support.furnished import House

#: Values that are of no type, too large, too deep, half, or of another language.
ODD: list[Any] = [
    None, "", "x" * 3000, "\0", "a\0b", "\u202e\ufeff\ud7ff", "' OR 1=1 --", "%", 0, -1, 2**53, 2**63, 10**30, 1e308, True, [], [[]],
    [None], [{}], {}, {"a": {"b": 1}}, {"id": None}, {"name": [1]}, "[1", '{"a":', "[[[[", "{}", "[]", "null", "NaN", "1e999",
    "../../etc/passwd", "*", "\n\r", [{"id": 1}], [{"name": "x.rtdc", "upload": "x"}], {"resources": [{"id": 5}]},
]  # fmt: skip
FIELDS = {
    "package_create": "title authors license_id owner_org notes doi references tags groups private state name id resources",
    "package_patch": "title authors license_id owner_org notes doi references tags groups private state name resources",
    "package_revise": "match__id match__name update__title update__resources update__resources__extend update__tags update__ match__a__b",
    "package_search": "rows start facet facet.field facet.limit facet.mincount fl fq_list include_drafts extras mm",
    "resource_create": "upload id name description s3_available sp:cells:organism sha256",
    "resource_patch": "description sp:cells:organism name",
    "user_create": "email password fullname about",
    "user_patch": "email fullname about image_url old_password",
    "organization_create": "title description image_url users id",
    "group_patch": "title description image_url name",
}
#: Statuses that say "not now" or "no room", which a test machine may say, too.
BUSY = {503, 507}
ENDS = frozenset(
    {"user_delete", "package_delete", "dataset_purge", "organization_delete", "group_delete", "api_token_revoke"}
)


@pytest.fixture(scope="module", autouse=True)
def none_failed(house: House) -> Iterator[None]:
    """After all tests of this module: nothing is in the table of internal errors."""
    yield
    with house.appliance.context.db.read() as conn:
        assert [row["trace"] for row in incidents.latest(conn, 5)] == []


def _plausible(house: House, action: str) -> dict[str, Any]:
    """Values with which most actions get as far as looking at the odd one."""
    ids = {
        "organization": "lab",
        "group": "study",
        "user": "eve",
        "resource": house.draft_file["id"],
        "dcserv": house.draft_file["id"],
    }
    return {
        "id": ids.get(action.split("_")[0], house.draft["id"]), "name": "a-name", "package_id": house.draft["id"], "user": "ada",
        "organization_id": "lab", "user_id": "max", "q": "a", "query": "metadata", "object": "max", "object_type": "user",
        "capacity": "member", "role": "member", "username": "max", "match": {"id": house.draft["id"]}, "email": "q@example.org",
        "owner_org": "lab", "authors": "A B", "license_id": "CC0-1.0", "version": "2", "org_id": "lab",
    }  # fmt: skip


@pytest.mark.parametrize("who", ["ada", "root"])
def test_actions_with_odd_values(house: House, who: str) -> None:
    person = house.people[who]
    turn = itertools.cycle(ODD)
    for name, declared in sorted(ACTIONS.items()):
        keys = [one.name for one in declared.parameters] + FIELDS.get(name, "").split()
        plausible = {} if name in ENDS else _plausible(house, name)
        for key in keys:
            for odd in itertools.islice(turn, 6):
                body = {one: plausible[one] for one in keys if one in plausible} | {key: odd}
                answer = person.post(name, **body)
                assert answer.status < 500 or answer.status in BUSY, (name, key, odd, answer.body)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/plain",
        "x" * 500,
    ],
)
def test_actions_with_odd_bodies(house: House, kind: str) -> None:
    url, http = house.appliance.url, house.people["ada"].http
    bodies = [
        b"", b"\0", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"id": "\\ud800"}', b"NaN", b"[]", b"1", b"null", b'"x"', b"{" * 5,
        b"--b\r\n\r\n\r\n--b--\r\n", b"--b--\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", b"id=%00&id=%ff&=&&&=",
        b'--b\r\nContent-Disposition: form-data; name="match"\r\n\r\n[1]\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="a.rtdc"\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="match"\r\n\r\n' + b"[" * 9000 + b'\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="\xff.rtdc"\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--b--\r\n', b"a=1&" * 20_000,
    ]  # fmt: skip
    for action, body in itertools.product(
        ("package_revise", "package_search", "resource_create", "user_patch"), bodies
    ):
        answer = http.post(f"{url}/api/3/action/{action}", data=body, headers={"Content-Type": kind}, timeout=30)
        assert answer.status_code < 500, (action, body[:60], answer.text)


def _page_addresses(house: House) -> list[tuple[str, str]]:
    """(method, address) of every page, the variable parts filled with what is there."""
    known = {
        "ref": house.draft["id"],
        "resource_id": house.draft_file["id"],
        "name": "ada",
        "where": "organization",
        "form": "csv",
        "built": "x",
    }
    app = create_app(house.appliance.context)
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<>:]*:)?([a-z_]+)>", lambda match: known.get(match[1], "x"), rule.rule)
        found += [(method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


@pytest.mark.parametrize("who", ["", "ada", "root"])
def test_pages_with_odd_queries_and_forms(house: House, who: str) -> None:
    visitor, chance = house.visitor(who), random.Random(who)
    texts = [
        "",
        "\0",
        "a\0b",
        "9" * 400,
        "-1",
        "NaN",
        "%",
        "\ud7ff" * 9,
        "[" * 300,
        "'\"--",
        "../..",
        "x" * 3000,
        "1e400",
        "title:[",
        "\r\nX: y",
    ]
    fields = ["q", "page", "sort", "order", "rows", "tags", "from", "to", "kind", "state", "user", "next", "done", "fq", "limit", "offset", "view", "title", "notes", "authors", "tag_string", "owner_org", "license_id", "visibility", "doi", "references", "name", "email", "fullname", "about", "role", "capacity", "dataset", "expires", "scope", "order_by", "event_min", "event_max", "password", "again"]  # fmt: skip
    for method, path in _page_addresses(house):
        if path in {"/user/logout", "/admin/notices/maintenance"} or path.endswith(
            ("/delete", "/purge", "/disable", "/demote", "/password", "/end")
        ):
            continue
        for _ in range(2):
            values = {field: chance.choice(texts) for field in fields}
            send = {"params": values} if method == "GET" else {"data": values}
            answer = visitor.http.request(method, house.appliance.url + path, allow_redirects=False, timeout=60, **send)
            assert answer.status_code < 500 or answer.status_code in BUSY, (method, path, answer.text[:300])


def test_addresses_with_odd_parts(house: House) -> None:
    parts = [
        "\0",
        "%00",
        "..",
        "%2e%2e",
        "x" * 2000,
        "é",
        "%ff",
        "\\",
        "%5c..%5c",
        "a b",
        "';--",
        "%0d%0aX:y",
        "{{7*7}}",
        "%E2%80%AE",
    ]
    templates = [
        "/dataset/{}", "/dataset/{}/edit", "/dataset/{}/resource/{}", "/dataset/{}/download.zip", "/organization/{}", "/group/{}/members", "/user/{}",
        "/user/{}/sessions", "/user/password/{}", "/static/{}/{}", "/help/{}", "/admin/users/{}", "/admin/incidents/{}", "/admin/backups/{}/verify",
        "/upload/{}/1", "/upload/browser/{}", "/objects/resource/{}", "/api/3/action/{}", "/api/{}", "/dataset/{}/resource/{}/event/1.json", "/{}",
    ]  # fmt: skip
    http = house.visitor("root").http
    for template, part in itertools.product(templates, parts):
        path = template.replace("{}", part if "%" in part else quote(part))
        answer = http.get(house.appliance.url + path, allow_redirects=False, timeout=30)
        assert answer.status_code < 500, (path, answer.text[:200])


def test_bulk_addresses_with_odd_headers(house: House) -> None:
    site, file = house.appliance, house.file["id"]
    site.jobs_done(file)
    path = f"{site.url}/dataset/{house.public['id']}/resource/{file}"
    odd = [
        "",
        "bytes",
        "bytes=-",
        "bytes=--1",
        "bytes=0-0,1-1",
        "bytes=99999999999999999999-",
        "bytes=1-0",
        "bytes=-0",
        "x" * 4000,
        '"',
        'W/"',
        "*",
        "Thu, 99 Foo",
        "é",
    ]
    for header, value, end in itertools.product(
        ("Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Accept-Encoding", "Cookie", "Accept-Language"),
        odd, ("/download", "/columns.bin", "/export.csv", "/event/999999999.json"),
    ):  # fmt: skip
        answer = house.people["ada"].http.get(
            path + end,
            headers={header: value.encode(), "Range" if header == "If-Range" else "X-Odd": "bytes=0-1"},
            timeout=30,
            stream=True,
        )
        answer.close()
        assert answer.status_code < 500 or answer.status_code in BUSY, (header, value, end)


def test_browser_uploads_with_odd_values(house: House) -> None:
    site, http, draft = house.appliance.url, house.people["ada"].http, house.people["ada"].draft("lab")["id"]
    for key, odd in itertools.product(("dataset", "name", "size", "sha256"), ODD):
        body = {"dataset": draft, "name": "odd.txt", "size": 3} | {key: odd}
        answer = http.post(f"{site}/upload/browser", data=json.dumps(body), timeout=30)
        assert answer.status_code < 500 or answer.status_code in BUSY, (key, odd, answer.text)
    for raw in (b"[" * 100_000, b'{"name": "\\ud800.txt", "size": 1}', b"\xff", b"[]", b"1"):
        assert http.post(f"{site}/upload/browser", data=raw, timeout=30).status_code in {400, 403, 404, 409}
    made = http.post(
        f"{site}/upload/browser", json={"dataset": draft, "name": "odd2.txt", "size": 3}, timeout=30
    ).json()
    for offset, checksum, content in itertools.product(
        ("", "-1", "x", "9" * 30, "0", "1"), (None, "", "sha256 x", "md5 AAAA", "sha256 " + "A" * 44), (b"", b"abcd")
    ):
        headers = {"Upload-Offset": offset} | ({} if checksum is None else {"Upload-Checksum": checksum})
        answer = http.patch(site + made["url"], data=content, headers=headers, timeout=30)
        assert answer.status_code < 500, (offset, checksum, answer.text)
    for entry in (
        {"sha256": []},
        {"sha256": "x"},
        {"description": {"a": 1}},
        {"sp:x": 1},
        {"sp:cells:organism": [[]]},
        {"id": "x"},
    ):
        assert http.post(site + made["url"] + "/finish", json=entry, timeout=30).status_code < 500


def _raw(house: House, *requests: bytes) -> bytes:
    """Everything that the server says to these bytes on one connection."""
    context = ssl.create_default_context(cafile=str(house.appliance.certificate))
    plain = socket.create_connection(("127.0.0.1", house.appliance.settings.server.port), timeout=10)
    with context.wrap_socket(plain, server_hostname="localhost") as sock:
        for one in requests:
            sock.sendall(one)
        said = b""
        while piece := sock.recv(65536):
            said += piece
    return said


HOST = b"Host: localhost\r\n"
LAST = b"GET /robots.txt HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n", b"Content-Length: 0x5\r\n", b"Content-Length: -1\r\n", b"Content-Length: " + b"9" * 40 + b"\r\n",
        b"Transfer-Encoding: chunked, identity\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding : chunked\r\n", b"X: y\n Transfer-Encoding: chunked\r\n", b"X: a\rb\r\n",
        b" Content-Length: 5\r\n", b"Content-Length: 5\r\n folded\r\n", b"Content_Length: 5\r\n\0: x\r\n", b"Host: evil.example\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [b"/api/3/action/status_show", b"/user/login"])
def test_two_readings_of_one_request_are_refused(house: House, head: bytes, path: bytes) -> None:
    """One answer, and then the end: what follows is not taken for another request."""
    said = _raw(house, b"POST " + path + b" HTTP/1.1\r\n" + HOST + head + b"\r\n" + b"0\r\n\r\n" + LAST)
    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), said[:80]
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "chunk",
    [
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5 \nhello\r\n",
        b"5\r\nhelloX\r\n",
        b"f" * 17 + b"\r\n",
        b"5\nhello\n",
        b"\r\n",
        b"5;" + b"x" * 9000 + b"\r\nhello\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"/api/3/action/status_show", b"/user/login"])
def test_chunks_have_one_reading(house: House, chunk: bytes, path: bytes) -> None:
    head = (
        b"POST "
        + path
        + b" HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    said = _raw(house, head + chunk + b"0\r\n\r\n" + LAST)
    assert said.count(b"HTTP/1.1 ") <= 1
    assert b"Disallow" not in said
    assert b"HTTP/1.1 5" not in said


def test_a_body_is_not_the_next_request(house: House) -> None:
    smuggled = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
    for path in (b"/user/login", b"/robots.txt", b"/api/3/action/status_show", b"/nothing/here"):
        for method in (b"GET", b"POST", b"PUT"):
            head = method + b" " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(smuggled)
            said = _raw(house, head + smuggled + LAST)
            assert b"dcor_uptime" not in said, (method, path)


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"localhost:80@evil.example",
        b"localhost.evil.example",
        b"",
        b"localhost evil",
        b"[::1",
        b"localhost:x",
    ],
)
def test_other_names_are_not_answered(house: House, host: bytes) -> None:
    for line in (
        b"GET /user/login HTTP/1.1\r\nHost: " + host,
        b"GET https://" + host + b"/user/login HTTP/1.1\r\nHost: localhost",
    ):
        said = _raw(house, line + b"\r\nConnection: close\r\n\r\n")
        assert said.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400")), (line, said[:80])


def test_a_client_cannot_say_where_it_comes_from(house: House) -> None:
    """The address in the audit log and in the limits is that of the connection."""
    told = b"".join(
        name + b": 6.6.6.6\r\n"
        for name in (
            b"X-Forwarded-For",
            b"X-Real-IP",
            b"X_Forwarded_For",
            b"Forwarded",
            b"X-Forwarded-Host",
            b"X-Forwarded-Proto",
        )
    )
    body = b"login=ada&password=wrong"
    head = (
        b"POST /user/login HTTP/1.1\r\n"
        + HOST
        + told
        + b"Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
        % len(body)
    )
    assert _raw(house, head + body).startswith(b"HTTP/1.1 401")
    with house.appliance.context.db.read() as conn:
        addresses = {
            row["address"] for row in conn.execute("SELECT address FROM audit WHERE action = 'session.refused'")
        }
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/3/action/user_create", "application/json"),
        ("/api/3/action/status_show", "application/json"),
        ("/api/3/action/user_create", "multipart/form-data; boundary=b"),
        ("/user/login", "application/x-www-form-urlencoded"),
    ],
)
def test_a_stranger_cannot_make_us_hold_much(house: House, path: str, kind: str) -> None:
    nobody, url = house.visitor("").http, house.appliance.url
    filled = (
        b"[{}," * 3_000_000
        if "json" in kind
        else b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 4_000_000
    )
    answer = nobody.post(url + path, data=filled, headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code in {400, 413}


def test_a_user_cannot_make_us_hold_a_million_values(house: House) -> None:
    body = b'{"id": "x", "a": [' + b"{}," * 1_500_000 + b"{}]}"
    answer = house.people["ada"].http.post(house.appliance.url + "/api/3/action/package_patch", data=body, timeout=60)
    assert answer.status_code == 413
