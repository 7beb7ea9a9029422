"""Uploads of parts to signed addresses, with parts of 1 MiB in place of 1 GiB."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from appliance.model import multipart_parts
from appliance.store import uploads
from appliance.web.transfer.upload_locks import LOCKS
from tests.support.server import Appliance, wait_for
from tests.web.transfer.conftest import stored_crc32

MIB = 1 << 20


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.web.transfer.conftest import Ward

    original, multipart_parts.MAX_PART = multipart_parts.MAX_PART, MIB
    appliance = Appliance(tmp_path_factory.mktemp("direct") / "data", **{"depot.direct_upload": True})
    yield Ward(appliance, tmp_path_factory.mktemp("files"), size=1000)
    appliance.stop()
    multipart_parts.MAX_PART = original


def begin(ward: Any, size: int) -> dict[str, Any]:
    return ward.editor.get("resource_upload_s3_urls", organization_id=ward.circle["id"], file_size=size).result


def send(ward: Any, method: str, url: str, data: Any) -> requests.Response:
    return requests.request(method, url, data=data, verify=str(ward.appliance.certificate), timeout=60)


def xml(digests: list[str]) -> str:
    listed = "".join(
        f"<Part>\n<PartNumber>{n}</PartNumber>\n<ETag>{d}</ETag>\n</Part>" for n, d in enumerate(digests, 1)
    )
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"


def attach(ward: Any, draft: str, resource_id: str, name: str) -> Any:
    entry = {"id": resource_id, "name": name, "s3_available": True}
    return ward.editor.post("package_revise", match={"id": draft}, update__resources__extend=[entry])


def pieces(content: bytes) -> list[bytes]:
    ranges = [multipart_parts.part_range(len(content), n + 1) for n in range(multipart_parts.part_count(len(content)))]
    return [content[offset : offset + length] for offset, length in ranges]


def test_several_parts_in_any_order_and_again(ward: Any) -> None:
    content = os.urandom(3 * MIB + 5)
    started = begin(ward, len(content))
    cut = pieces(content)
    assert len(started["upload_urls"]) == len(cut) == 4
    digests = [hashlib.md5(piece).hexdigest() for piece in cut]
    for number in (2, 0, 3, 1, 2):
        answer = send(ward, "PUT", started["upload_urls"][number], cut[number])
        assert answer.headers["ETag"].strip('"') == digests[number]
    expected = multipart_parts.etag(digests)
    for _ in range(2):
        answer = send(ward, "POST", started["complete_url"], xml(digests))
        assert answer.headers["ETag"].strip('"') == expected
    draft = ward.editor.draft("ward")
    package = attach(ward, draft["id"], started["resource_id"], "direct.txt").result["package"]
    resource = package["resources"][0]
    assert (resource["id"], resource["size"], resource["etag"]) == (started["resource_id"], len(content), expected)
    assert ward.appliance.context.depot.path(resource["id"]).read_bytes() == content
    assert stored_crc32(ward, resource["id"]) == zlib.crc32(content)
    assert send(ward, "PUT", started["upload_urls"][0], cut[0]).status_code == 404
    assert send(ward, "POST", started["complete_url"], xml(digests)).headers["ETag"].strip('"') == expected


def test_single_part_needs_no_completion(ward: Any) -> None:
    content = os.urandom(MIB)
    started = begin(ward, len(content))
    assert (len(started["upload_urls"]), started["complete_url"]) == (1, None)
    for _ in range(2):
        assert send(ward, "PUT", started["upload_urls"][0], content).status_code == 200
    draft = ward.editor.draft("ward")
    resource = attach(ward, draft["id"], started["resource_id"], "one.txt").result["package"]["resources"][0]
    assert resource["sha256"] == hashlib.sha256(content).hexdigest()
    assert resource["etag"] == hashlib.md5(content).hexdigest()
    assert stored_crc32(ward, resource["id"]) == zlib.crc32(content)


def test_incomplete_upload_does_not_become_a_resource(ward: Any) -> None:
    content = os.urandom(2 * MIB)
    started = begin(ward, len(content))
    send(ward, "PUT", started["upload_urls"][0], content[:MIB])
    digest = hashlib.md5(content[:MIB]).hexdigest()
    for listed in ([digest], [digest, digest], []):
        answer = send(ward, "POST", started["complete_url"], xml(listed))
        assert "<error>" in answer.text.lower()
    draft = ward.editor.draft("ward")
    assert attach(ward, draft["id"], started["resource_id"], "no.txt").status == 403


@pytest.mark.parametrize("size", [MIB - 1, MIB + 1])
def test_wrong_size_is_refused(ward: Any, size: int) -> None:
    started = begin(ward, 2 * MIB)
    assert send(ward, "PUT", started["upload_urls"][0], bytes(size)).status_code == 400
    chunks = iter([bytes(size)])
    assert send(ward, "PUT", started["upload_urls"][0], chunks).status_code in {400, 413}


def test_chunked_parts_are_taken(ward: Any) -> None:
    content = os.urandom(2 * MIB)
    started = begin(ward, len(content))
    answer = send(ward, "PUT", started["upload_urls"][0], iter([content[:1000], content[1000:MIB]]))
    assert answer.headers["ETag"].strip('"') == hashlib.md5(content[:MIB]).hexdigest()


def test_signature_is_bound_to_part_and_purpose(ward: Any) -> None:
    started = begin(ward, 2 * MIB)
    url = started["upload_urls"][0]
    assert send(ward, "PUT", url.replace("/1?", "/2?"), bytes(MIB)).status_code == 403
    assert send(ward, "PUT", url.partition("?")[0], bytes(MIB)).status_code == 403
    assert send(ward, "POST", url.replace("/1?", "/complete?"), "").status_code == 403


def test_begin_refuses_in_the_words_of_clients(ward: Any) -> None:
    ask = ward.editor.get
    assert "No `organization_id` provided" in ask("resource_upload_s3_urls", file_size=5).message
    assert "not a member of the circle" in ask("resource_upload_s3_urls", organization_id="ward", file_size=5).message
    stranger = ward.stranger.get("resource_upload_s3_urls", organization_id=ward.circle["id"], file_size=5)
    assert (stranger.status, stranger.reason) == (403, "FORBIDDEN")
    big = ask("resource_upload_s3_urls", organization_id=ward.circle["id"], file_size=10**12)
    assert big.status == 413


class Slow:
    """A connection that sends a part as the test wants."""

    def __init__(self, ward: Any, url: str, length: int) -> None:
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=str(ward.appliance.certificate))
        sock = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.raw = context.wrap_socket(sock, server_hostname=parts.hostname)
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        self.raw.sendall(head.encode())

    def send(self, data: bytes) -> None:
        self.raw.sendall(data)

    def answer(self) -> bytes:
        return self.raw.recv(65536)


def test_second_client_is_refused_while_the_first_is_sending(ward: Any) -> None:
    content = os.urandom(MIB)
    started = begin(ward, MIB)
    first = Slow(ward, started["upload_urls"][0], MIB)
    first.send(content[:1000])
    upload_id = urlsplit(started["upload_urls"][0]).path.split("/")[2]
    wait_for(lambda: LOCKS.holds(upload_id))
    assert send(ward, "PUT", started["upload_urls"][0], os.urandom(MIB)).status_code == 409
    first.send(content[1000:])
    assert hashlib.md5(content).hexdigest().encode() in first.answer()
    with ward.appliance.context.db.read() as conn:
        assert uploads.completed(conn, started["resource_id"]).etag == hashlib.md5(content).hexdigest()


def test_silent_first_client_loses_its_part(ward: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOCKS, "patience", 0.0)
    content = os.urandom(MIB)
    started = begin(ward, MIB)
    first = Slow(ward, started["upload_urls"][0], MIB)
    first.send(os.urandom(1000))
    upload_id = urlsplit(started["upload_urls"][0]).path.split("/")[2]
    wait_for(lambda: LOCKS.holds(upload_id))
    answer = send(ward, "PUT", started["upload_urls"][0], content)
    assert answer.headers["ETag"].strip('"') == hashlib.md5(content).hexdigest()
    first.send(os.urandom(MIB - 1000))
    assert b" 409 " in first.answer()
    draft = ward.editor.draft("ward")
    attach(ward, draft["id"], started["resource_id"], "race.txt").result  # noqa: B018
    assert ward.appliance.context.depot.path(started["resource_id"]).read_bytes() == content


def test_racing_clients_give_one_right_file(ward: Any) -> None:
    contents = [os.urandom(MIB) for _ in range(4)]
    started = begin(ward, MIB)
    tags: list[str] = []

    def put(content: bytes) -> None:
        answer = send(ward, "PUT", started["upload_urls"][0], content)
        if answer.status_code == 200:
            assert answer.headers["ETag"].strip('"') == hashlib.md5(content).hexdigest()
            tags.append(answer.headers["ETag"].strip('"'))

    threads = [threading.Thread(target=put, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    draft = ward.editor.draft("ward")
    resource = attach(ward, draft["id"], started["resource_id"], "r.txt").result["package"]["resources"][0]
    stored = ward.appliance.context.depot.path(resource["id"]).read_bytes()
    assert resource["etag"] == hashlib.md5(stored).hexdigest()
    assert resource["etag"] in tags


def test_an_address_dies_with_the_right_of_whoever_asked_for_it(ward: Any) -> None:
    content = os.urandom(MIB // 2)
    helper = ward.appliance.member("circle", ward.circle["name"], "helper", "editor")
    started = helper.get("resource_upload_s3_urls", organization_id=ward.circle["id"], file_size=len(content)).result
    url = started["upload_urls"][0]
    assert send(ward, "PUT", url, content).status_code == 200
    ward.editor.post("member_delete", id=ward.circle["id"], object=helper.id, object_type="user")
    assert send(ward, "PUT", url, content).status_code == 403
    ward.editor.post("member_create", id=ward.circle["id"], object=helper.id, object_type="user", capacity="editor")
    assert send(ward, "PUT", url, content).status_code == 200
    ward.appliance.admin.post("user_delete", id=helper.id)
    assert send(ward, "PUT", url, content).status_code == 403


def test_a_file_in_the_middle_of_a_form_gets_the_etag_of_its_parts_by_a_job(ward: Any) -> None:
    """What follows the file makes its size unknown, and with it the parts; the checksum job knows better."""
    draft = ward.editor.draft("ward")
    content = os.urandom(2 * MIB + 17)
    form = [("package_id", (None, draft["id"])), ("upload", ("a.txt", content)), ("description", (None, "x" * 500))]
    answer = ward.editor.http.post(ward.appliance.url + "/api/3/action/resource_create", files=form, timeout=60)
    resource = answer.json()["result"]
    ward.appliance.jobs_done(resource["id"])
    shown = ward.editor.get("resource_show", id=resource["id"]).result
    digests = [hashlib.md5(piece, usedforsecurity=False).hexdigest() for piece in pieces(content)]
    assert shown["etag"] == multipart_parts.etag(digests)
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
