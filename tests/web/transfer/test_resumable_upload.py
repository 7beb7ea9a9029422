"""Uploads that go on where they broke off."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from typing import Any

import pytest
import requests

from appliance.web.transfer import resumable_upload
from tests.web.transfer.conftest import stored_crc32


class Client:
    """What our pages do, in Python."""

    def __init__(self, ward: Any, name: str, content: bytes) -> None:
        self.http = ward.editor.http
        self.base = ward.appliance.url
        self.content = content
        self.draft = ward.editor.draft("ward")["id"]
        self.asked = {"dataset": self.draft, "name": name, "size": len(content)}
        self.begun = self.create().json()
        self.url = self.base + self.begun["url"]

    def create(self) -> requests.Response:
        return self.http.post(f"{self.base}/upload/browser", json=self.asked, timeout=60)

    def patch(self, offset: int, data: Any, **headers: str) -> requests.Response:
        return self.http.patch(self.url, data=data, headers={"Upload-Offset": str(offset), **headers}, timeout=60)

    def offset(self) -> int:
        return int(self.http.head(self.url, timeout=60).headers["Upload-Offset"])

    def finish(self, **values: Any) -> requests.Response:
        return self.http.post(f"{self.url}/finish", json=values, timeout=60)


def checksum(data: bytes) -> dict[str, str]:
    return {"Upload-Checksum": "sha256 " + base64.b64encode(hashlib.sha256(data).digest()).decode()}


def test_pieces_with_checksums(ward: Any) -> None:
    content = os.urandom(1_000_000)
    client = Client(ward, "pieces.txt", content)
    for offset in range(0, len(content), 300_000):
        piece = content[offset : offset + 300_000]
        answer = client.patch(offset, piece, **checksum(piece))
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(offset + len(piece)))
    answer = client.finish(sha256=hashlib.sha256(content).hexdigest(), description="made here")
    assert answer.status_code == 201
    resource = answer.json()
    assert resource["description"] == "made here"
    assert (resource["sha256"], resource["etag"]) == (
        hashlib.sha256(content).hexdigest(),
        hashlib.md5(content).hexdigest(),
    )
    assert ward.appliance.context.depot.path(resource["id"]).read_bytes() == content
    assert stored_crc32(ward, resource["id"]) == zlib.crc32(content)
    assert client.http.head(client.url, timeout=60).status_code == 404


def test_damaged_piece_does_not_count(ward: Any) -> None:
    client = Client(ward, "damaged.txt", os.urandom(1000))
    answer = client.patch(0, client.content[:500], **checksum(b"other"))
    assert answer.status_code == 460
    assert client.offset() == 0


def test_stream_that_breaks_off_goes_on(ward: Any) -> None:
    content = os.urandom(3_000_000)
    client = Client(ward, "stream.txt", content)

    def broken() -> Any:
        yield content[:1_000_000]
        raise OSError("the cable")

    with pytest.raises((requests.RequestException, OSError)):
        client.patch(0, broken())
    client.http.close()
    reached = wait_offset(client)
    assert 0 < reached <= 1_000_000
    assert client.create().json()["id"] == client.begun["id"]
    assert client.create().status_code == 200
    assert client.patch(reached, content[reached:]).status_code == 204
    resource = client.finish().json()
    assert resource["sha256"] == hashlib.sha256(content).hexdigest()
    assert stored_crc32(ward, resource["id"]) == zlib.crc32(content)
    assert ward.appliance.context.depot.path(resource["id"]).read_bytes() == content


def wait_offset(client: Client) -> int:
    from tests.support.server import wait_for

    return int(wait_for(client.offset))


def test_hashes_survive_a_restart_by_reading_or_by_a_job(ward: Any) -> None:
    content = os.urandom(500_000)
    client = Client(ward, "restart.txt", content)
    client.patch(0, content[:200_000])
    resumable_upload._HASHES._known.clear()
    client.patch(200_000, content[200_000:])
    assert client.finish(sha256="0" * 64).status_code == 409
    resource = client.finish(sha256=hashlib.sha256(content).hexdigest()).json()
    assert resource["etag"] == hashlib.md5(content).hexdigest()
    assert stored_crc32(ward, resource["id"]) == zlib.crc32(content)


def test_offset_must_be_the_right_one(ward: Any) -> None:
    client = Client(ward, "offset.txt", os.urandom(1000))
    answer = client.patch(5, b"x")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "0")
    assert client.patch(0, bytes(1001)).status_code == 400
    assert client.finish().status_code == 409


def test_strangers_see_nothing(ward: Any) -> None:
    client = Client(ward, "mine.txt", b"abc")
    for method in ("HEAD", "PATCH", "DELETE"):
        answer = ward.stranger.http.request(method, client.url, headers={"Upload-Offset": "0"}, timeout=60)
        assert answer.status_code == 404
    assert ward.stranger.http.post(f"{client.base}/upload/browser", json=client.asked, timeout=60).status_code == 404
    assert (
        ward.appliance.nobody.http.post(f"{client.base}/upload/browser", json=client.asked, timeout=60).status_code
        == 403
    )


def test_list_and_give_up(ward: Any) -> None:
    client = Client(ward, "left.txt", b"abc")
    url = f"{client.base}/upload/browser?dataset={client.draft}"
    assert [one["name"] for one in client.http.get(url, timeout=60).json()] == ["left.txt"]
    client.patch(0, b"a")
    assert client.http.delete(client.url, timeout=60).status_code == 204
    assert client.http.get(url, timeout=60).json() == []
    assert not ward.appliance.context.depot.part(client.begun["id"]).exists()


def test_names_are_checked_before_anything_is_sent(ward: Any) -> None:
    draft = ward.editor.draft("ward")["id"]
    for name in ("a.exe", "", "x y.txt"):
        asked = {"dataset": draft, "name": name, "size": 5}
        assert ward.editor.http.post(f"{ward.appliance.url}/upload/browser", json=asked, timeout=60).status_code == 409
