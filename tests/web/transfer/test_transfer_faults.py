"""What goes wrong with large files: no power, no room, no patience, no end of connections."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance.store.database import Database
from tests.support.server import Appliance, Person, wait_for
from tests.web.transfer.conftest import Ward


def raw_tls(appliance: Appliance) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(appliance.certificate))
    sock = socket.create_connection(("127.0.0.1", appliance.service.port), timeout=90)
    return context.wrap_socket(sock, server_hostname="localhost")


def form_head(draft: str, name: str) -> bytes:
    return (
        f'--bbbb\r\nContent-Disposition: form-data; name="package_id"\r\n\r\n{draft}\r\n'
        f'--bbbb\r\nContent-Disposition: form-data; name="upload"; filename="{name}"\r\n\r\n'
    ).encode()


def post_head(person: Person, length: int | None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return (
        f"POST /api/3/action/resource_create HTTP/1.1\r\nHost: localhost\r\nAuthorization: {person.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=bbbb\r\n{framing}\r\n\r\n"
    ).encode()


def test_many_idle_connections_do_not_hinder_those_who_work(ward: Ward) -> None:
    silent = [socket.create_connection(("127.0.0.1", ward.appliance.service.port)) for _ in range(100)]
    idle = [raw_tls(ward.appliance) for _ in range(100)]
    failures: list[str] = []

    def work(number: int) -> None:
        person = Person(ward.appliance, "editor", ward.editor.token)
        draft = person.draft("ward")
        content = os.urandom(3_000_000)
        answer = person.upload("resource_create", {"package_id": draft["id"]}, "upload", f"w{number}.txt", content)
        resource = answer.result
        fetched = person.fetch(f"/dataset/{draft['id']}/resource/{resource['id']}/download/x")
        if fetched.content != content:
            failures.append(fetched.text[:100])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert time.monotonic() - began < 60
    for sock in (*silent, *idle):
        sock.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    root = tmp_path / "small"
    root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(root)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield root
    subprocess.run(["umount", "-l", str(root)], check=True)


@pytest.mark.root
def test_full_disk_is_said_and_leaves_everything_usable(small_disk: Path, tmp_path: Path) -> None:
    appliance = Appliance(small_disk / "data")
    try:
        ward = Ward(appliance, tmp_path)
        announced = raw_tls(appliance)
        announced.sendall(post_head(ward.editor, 100_000_000) + form_head(ward.draft["id"], "announced.txt") + b"x")
        assert announced.recv(65536).startswith(b"HTTP/1.1 507 ")
        announced.close()

        chunked = raw_tls(appliance)
        chunked.sendall(post_head(ward.editor, None))
        for block in (form_head(ward.draft["id"], "chunked.txt"), *[bytes(1 << 20)] * 100):
            try:
                chunked.sendall(b"%x\r\n%b\r\n" % (len(block), block))
            except OSError:
                break
        assert chunked.recv(65536).startswith(b"HTTP/1.1 507 ")
        chunked.close()

        wait_for(lambda: list(appliance.context.depot.parts()) == [])
        answer = ward.editor.upload("resource_create", {"package_id": ward.draft["id"]}, "upload", "ok.txt", b"fits")
        assert answer.result["size"] == 4
        assert ward.editor.fetch(f"{ward.base}/download/x").content == ward.content
    finally:
        appliance.stop()


class Process:
    """An appliance in a process that can be killed."""

    def __init__(self, root: Path, port: int) -> None:
        command = [sys.executable, "-m", "appliance", "--data", str(root), "serve"]
        command += ["--bind", "127.0.0.1", "--port", str(port), "--http-port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = port

        def listening() -> bool:
            assert self.process.poll() is None
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for(listening, 900)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.mark.slow
def test_kill_in_mid_upload_loses_nothing_acknowledged(tmp_path: Path) -> None:
    root = tmp_path / "data"
    first = Appliance(root, **{"depot.direct_upload": True})
    ward = Ward(first, tmp_path)
    port = first.settings.server.port
    verify = str(first.certificate)
    first.stop()

    process = Process(root, port)
    size = 40_000_000
    content = os.urandom(size)
    begun = ward.editor.http.post(
        f"{first.url}/upload/browser", json={"dataset": ward.draft["id"], "name": "b.txt", "size": size}, timeout=60
    ).json()
    url = first.url + begun["url"]
    half = size // 2
    ward.editor.http.patch(url, data=content[:half], headers={"Upload-Offset": "0"}, timeout=60)
    stored = ward.editor.upload(
        "resource_create", {"package_id": ward.draft["id"]}, "upload", "kept.txt", content
    ).result

    def interrupted() -> Iterator[bytes]:
        yield content[half : half + 5_000_000]
        process.kill()
        yield content[half + 5_000_000 :]

    with pytest.raises((requests.RequestException, OSError)):
        ward.editor.http.patch(url, data=interrupted(), headers={"Upload-Offset": str(half)}, timeout=60)
    left = len(list((root / "tmp" / "parts").iterdir()))
    assert left == 1

    process = Process(root, port)
    try:
        person = Person(first, "editor", ward.editor.token)
        offset = int(person.http.head(url, timeout=60).headers["Upload-Offset"])
        assert half <= offset <= size
        person.http.patch(url, data=content[offset:], headers={"Upload-Offset": str(offset)}, timeout=60)
        resource = person.http.post(
            f"{url}/finish", json={"sha256": hashlib.sha256(content).hexdigest()}, timeout=60
        ).json()
        for one in (stored["id"], resource["id"]):
            fetched = requests.get(
                f"{first.url}/dataset/{ward.draft['id']}/resource/{one}/download/x",
                headers={"Authorization": ward.editor.token},
                verify=verify,
                timeout=60,
            )
            assert fetched.content == content
    finally:
        process.kill()
    db = Database(root / "dcor.sqlite")
    with db.read() as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


@pytest.mark.slow
def test_one_byte_a_second_is_slow_and_silence_is_not(ward: Ward) -> None:
    """With the limits of the product: 60 s."""
    slow, stalled = raw_tls(ward.appliance), raw_tls(ward.appliance)
    tail = b"\r\n--bbbb--\r\n"
    for raw, name in ((slow, "slow.txt"), (stalled, "stalled.txt")):
        head = form_head(ward.draft["id"], name)
        raw.sendall(post_head(ward.editor, len(head) + 75 + len(tail)) + head)
    for _ in range(75):
        slow.sendall(b"x")
        time.sleep(1)  # the pace of the client is what is tested
    slow.sendall(tail)
    assert slow.recv(65536).startswith(b"HTTP/1.1 200 OK")
    stalled.settimeout(5)
    assert stalled.recv(1) == b""
    assert list(ward.appliance.context.depot.parts()) == []


@pytest.mark.slow
def test_five_gigabytes_in_and_out_with_an_interruption(ward: Ward, tmp_path: Path) -> None:
    size, block = 5_000_000_000, os.urandom(1 << 20)
    raw = raw_tls(ward.appliance)
    draft = ward.editor.draft("ward")
    head, tail = form_head(draft["id"], "five.txt"), b"\r\n--bbbb--\r\n"
    raw.sendall(post_head(ward.editor, len(head) + size + len(tail)) + head)
    digest, left = hashlib.sha256(), size
    while left:
        piece = block[:left]
        raw.sendall(piece)
        digest.update(piece)
        left -= len(piece)
    sent = time.monotonic()
    raw.sendall(tail)
    assert raw.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert time.monotonic() - sent < 30  # the file is not read again, which takes minutes on a slow disk
    resource: dict[str, Any] = ward.editor.get("package_show", id=draft["id"]).result["resources"][0]
    assert (resource["size"], resource["sha256"]) == (size, digest.hexdigest())
    assert resource["etag"].endswith("-5")

    url = f"/dataset/{draft['id']}/resource/{resource['id']}/download/five.txt"
    target = tmp_path / "five"
    with target.open("wb") as file, ward.editor.fetch(url, stream=True) as answer:
        for piece in answer.iter_content(1 << 20):
            file.write(piece)
            if file.tell() > size // 2:
                break
    have = target.stat().st_size
    with target.open("ab") as file, ward.editor.fetch(url, stream=True, headers={"Range": f"bytes={have}-"}) as answer:
        assert answer.status_code == 206
        for piece in answer.iter_content(1 << 20):
            file.write(piece)
    with target.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == digest.hexdigest()
    target.unlink()
