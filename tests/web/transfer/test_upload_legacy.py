"""Uploads by form, as DCOR-Aid (legacy) and ckanapi send them."""

from __future__ import annotations

import hashlib
import io
import os
import random
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Person, wait_for


def parts(ward: Any) -> list[Path]:
    """Unfinished files on disk."""
    return [path for _, path, _ in ward.appliance.context.depot.parts()]


def files(ward: Any) -> int:
    """Originals on disk."""
    root: Path = ward.appliance.context.depot.root / "depot" / "resources"
    return sum(1 for path in root.rglob("*") if path.is_file())


def upload(person: Person, dataset: str, name: str, content: Any) -> Any:
    fields = {"match__id": dataset, "update__resources__extend": f'[{{"name":"{name}"}}]'}
    return person.upload("package_revise", fields, "update__resources__-1__upload", name, content)


def test_file_is_stored_with_its_hashes_at_once(ward: Any) -> None:
    draft = ward.editor.draft("ward")
    content = os.urandom(5_000_000)
    resource = upload(ward.editor, draft["id"], "a.txt", content).result["package"]["resources"][0]
    assert resource["size"] == len(content)
    assert resource["sha256"] == hashlib.sha256(content).hexdigest()
    assert resource["etag"] == hashlib.md5(content).hexdigest()
    path = ward.appliance.context.depot.path(resource["id"])
    assert path.read_bytes() == content
    assert path.stat().st_nlink == 1
    assert parts(ward) == []


def test_resource_create_takes_a_file(ward: Any) -> None:
    draft = ward.editor.draft("ward")
    answer = ward.editor.upload("resource_create", {"package_id": draft["id"]}, "upload", "b.txt", b"content")
    assert answer.result["size"] == 7


@pytest.mark.parametrize("size", [0, 1, 4 << 20, (4 << 20) + 1])
def test_sizes_around_the_thresholds(ward: Any, size: int) -> None:
    draft = ward.editor.draft("ward")
    content = os.urandom(size)
    answer = upload(ward.editor, draft["id"], "c.txt", content)
    if size:
        assert answer.result["package"]["resources"][0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert parts(ward) == []


class Watched(io.BytesIO):
    """Content that knows how much of it was read."""


@pytest.mark.parametrize(("name", "status"), [("notes.txt", 409), ("x.exe", 409), ("a b.txt", 409), ("fine.txt", 404)])
def test_refusal_leaves_nothing_and_comes_early(ward: Any, name: str, status: int) -> None:
    person = ward.stranger if status == 404 else ward.editor
    before = files(ward)
    answer = upload(person, ward.draft["id"], name, b"x" * 3_000_000)
    assert answer.status == status
    assert (files(ward), parts(ward)) == (before, [])


def test_refusal_of_a_large_body_comes_before_the_body(ward: Any) -> None:
    """Only the head of the form is sent; the answer is there nevertheless."""
    raw = form_connection(ward, ward.stranger, "big.txt", 50_000_000_000)
    assert raw.recv(65536).startswith(b"HTTP/1.1 404 NOT FOUND\r\n")
    raw.close()


def test_file_above_the_limit_is_refused_before_the_body(ward: Any) -> None:
    raw = form_connection(ward, ward.editor, "big.txt", 200_000_000_000)
    assert raw.recv(65536).startswith(b"HTTP/1.1 413 ")
    raw.close()


def form_connection(ward: Any, person: Person, name: str, size: int) -> ssl.SSLSocket:
    """A connection that has sent everything of an upload but the file's bytes."""
    boundary = "b" * 32
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="match__id"\r\n\r\n{ward.draft["id"]}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="update__resources__extend"\r\n\r\n[{{"name":"{name}"}}]\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="update__resources__-1__upload"; filename="{name}"\r\n\r\n'
    ).encode()
    context = ssl.create_default_context(cafile=str(ward.appliance.certificate))
    sock = socket.create_connection(("127.0.0.1", ward.appliance.service.port), timeout=60)
    raw = context.wrap_socket(sock, server_hostname="localhost")
    length = len(head) + size + len(boundary) + 8
    raw.sendall(
        f"POST /api/3/action/package_revise HTTP/1.1\r\nHost: localhost\r\nAuthorization: {person.token}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {length}\r\n\r\n".encode() + head
        + b"first bytes"
    )  # fmt: skip
    return raw


def test_connections_cut_at_random_leave_nothing(ward: Any) -> None:
    chance = random.Random(4711)
    before = files(ward)
    block = bytes(65536)
    for number in range(20):
        raw = form_connection(ward, ward.editor, f"cut{number}.txt", 8_000_000)
        left = chance.randrange(0, 8_000_000)
        while left > 0:
            raw.sendall(block[: min(left, len(block))])
            left -= len(block)
        if number % 2:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset rather than close
        raw.close()
    wait_for(lambda: parts(ward) == [])
    assert files(ward) == before
    with ward.appliance.context.db.read() as conn:
        assert conn.execute("SELECT count(*) FROM resource WHERE name LIKE 'cut%'").fetchone()[0] == 0


def test_many_clients_at_once(ward: Any) -> None:
    draft = ward.editor.draft("ward")
    contents = {f"n{number}.txt": os.urandom(1_500_000) for number in range(8)}
    answers: list[int] = []

    def send(name: str) -> None:
        person = Person(ward.appliance, "editor", ward.editor.token)
        answers.append(upload(person, draft["id"], name, contents[name]).status)

    threads = [threading.Thread(target=send, args=(name,)) for name in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    stored = ward.editor.get("package_show", id=draft["id"]).result["resources"]
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert {r["name"]: r["sha256"] for r in stored} == sums


def test_race_for_one_name_has_one_winner(ward: Any) -> None:
    draft = ward.editor.draft("ward")
    statuses: list[int] = []

    def send() -> None:
        person = Person(ward.appliance, "editor", ward.editor.token)
        statuses.append(upload(person, draft["id"], "same.txt", os.urandom(2_000_000)).status)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409, 409, 409]
    assert len(ward.editor.get("package_show", id=draft["id"]).result["resources"]) == 1
    assert parts(ward) == []
