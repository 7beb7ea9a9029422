"""A network with 200 ms each way, of whose transfers a tenth ends before its time: everything arrives all the same, byte for byte.

SOAK_FILES and SOAK_MEGABYTES say how many files each client sends and how large they are; SOAK_LOSS is the share of transfers that are
lost, SOAK_DELAY the time on the way [s].
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from dcoraid.api import CKANAPI, dataset_create
from dcoraid.download.job import DownloadJob
from dcoraid.upload.job import UploadJob

from tests.support.relay import Relay
from tests.support.server import ApartAppliance, Person

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]
FILES = int(os.environ.get("SOAK_FILES", "40"))
SIZE = int(float(os.environ.get("SOAK_MEGABYTES", "8")) * 1_000_000)
LOSS = float(os.environ.get("SOAK_LOSS", "0.1"))
DELAY = float(os.environ.get("SOAK_DELAY", "0.2"))
#: The service listens here; people come to 127.0.0.1, where the relay is.
BEHIND = "127.0.0.2"
#: How often a person presses "retry", or a page tries again by itself, before that counts as failed.
MOST_TRIES = 60
#: What a browser sends at once.
PIECE = 1 << 20


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApartAppliance, Relay]]:
    """An appliance, and the network between."""
    running = ApartAppliance(tmp_path_factory.mktemp("far") / "data", **{"server.bind": BEHIND})
    relay = Relay(running.settings.server.port, BEHIND, delay=DELAY, loss=LOSS)
    yield running, relay
    relay.stop()
    running.stop()


@pytest.fixture
def said(far: tuple[ApartAppliance, Relay], capsys: pytest.CaptureFixture[str]) -> Iterator[dict[str, Any]]:
    """Figures, which are printed at the end."""
    relay = far[1]
    figures: dict[str, Any] = {"tries": 0}
    began, before = time.monotonic(), relay.passed.cut + relay.passed.silenced
    yield figures
    lost = relay.passed.cut + relay.passed.silenced - before
    with capsys.disabled():
        print(
            f"\n{figures}: {FILES} files of {SIZE / 1e6:.1f} MB both ways, {DELAY * 1e3:.0f} ms each way, {lost} connections lost "
            f"({relay.passed.connections} in all so far, {relay.passed.bytes / 1e6:.0f} MB), {time.monotonic() - began:.0f} s"
        )
    assert lost or LOSS == 0, "the network was a good one; more files, or larger ones"


def again(figures: dict[str, Any], act: Callable[[], Any]) -> Any:
    """What `act` gives as soon as the network lets it."""
    for _ in range(MOST_TRIES):
        try:
            return act()
        except (requests.RequestException, OSError):
            figures["tries"] += 1
    raise AssertionError(f"{MOST_TRIES} tries in a row failed")


def contents(folder: Path) -> list[Path]:
    """Files that cannot be compressed, none like another."""
    paths = [folder / f"file{number}.txt" for number in range(FILES)]
    for path in paths:
        path.write_bytes(os.urandom(SIZE))
    return paths


def digest(path: Path) -> str:
    """Its SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_dcoraid_gets_everything_there_and_back(
    far: tuple[ApartAppliance, Relay], said: dict[str, Any], tmp_path: Path
) -> None:
    """Its own jobs; the test presses "retry" as its user would."""
    appliance, _relay = far
    ada = appliance.person("ada")
    circle = again(said, lambda: ada.circle("aid"))
    server = appliance.url.removeprefix("https://")
    api = CKANAPI(server=server, api_key=ada.token, ssl_verify=str(appliance.certificate))
    about = {"title": "Far away", "authors": "A", "license_id": "CC0-1.0", "owner_org": circle["name"], "private": True}
    dataset = again(said, lambda: dataset_create(about, api=api))
    paths = contents(tmp_path)
    sums = {path.name: digest(path) for path in paths}
    measurement = tmp_path / "last.rtdc"
    measurement.write_bytes(_measurement())
    job = again(said, lambda: UploadJob(api, dataset["id"], [*paths, measurement], cache_dir=tmp_path))
    for _ in range(MOST_TRIES * 10):
        try:
            if job.state in ("init", "compress"):
                job.task_compress_resources()
            job.task_upload_resources()
            job.task_verify_resources()
        except Exception:  # its queue notes any of them and shows "retry"
            job.set_state("error")
        if job.state == "done":
            break
        said["tries"] += 1
        if job.state in ("error", "abort"):
            job.retry_upload()
    assert job.state == "done", job.traceback
    package = again(said, lambda: ada.get("package_show", id=dataset["id"])).result
    stored = {one["name"]: one for one in package["resources"] if one["name"] in sums}
    assert {name: one["sha256"] for name, one in stored.items()} == sums
    (tmp_path / "back").mkdir()
    for name, one in stored.items():
        path = _downloaded(api, one["id"], tmp_path / "back", said)
        assert digest(path) == sums[name]
        path.unlink()


def _measurement() -> bytes:
    from tests.support.samples import synthetic

    return synthetic().read_bytes()


def _downloaded(api: CKANAPI, resource_id: str, folder: Path, said: dict[str, Any]) -> Path:
    job = DownloadJob(api, resource_id, folder)
    for _ in range(MOST_TRIES):
        try:
            job.task_download_resource()
            job.task_verify_resource()
        except Exception:  # its queue notes any of them and shows "retry"
            job.set_state("error")
        if job.state == "done":
            return Path(job.path)
        said["tries"] += 1
        if job.state in ("error", "abort"):
            job.retry_download()
    raise AssertionError(job.traceback)


def test_a_browser_gets_everything_there_and_back(
    far: tuple[ApartAppliance, Relay], said: dict[str, Any], tmp_path: Path
) -> None:
    """In pieces, asking after each break how far it came; back by ranges, as a browser resumes."""
    appliance, _relay = far
    bob = appliance.person("bob")
    again(said, lambda: bob.circle("browser"))
    draft = again(said, lambda: bob.draft("browser", title="In pieces"))["id"]
    for path in contents(tmp_path):
        content, wanted = path.read_bytes(), digest(path)
        resource_id = _sent(bob, appliance.url, draft, path.name, content, said)
        shown = again(said, lambda resource_id=resource_id: bob.get("resource_show", id=resource_id)).result
        assert (shown["sha256"], shown["size"]) == (wanted, SIZE)
        address = f"{appliance.url}/dataset/{draft}/resource/{resource_id}/download/{path.name}"
        assert hashlib.sha256(_fetched(bob, address, said)).hexdigest() == wanted


def _sent(person: Person, url: str, draft: str, name: str, content: bytes, said: dict[str, Any]) -> str:
    """A resumable upload. → the resource's id."""
    asked = {"dataset": draft, "name": name, "size": len(content)}
    begun = again(said, lambda: _good(person.http.post(f"{url}/upload/browser", json=asked, timeout=15)).json())
    address = url + begun["url"]

    def rest() -> None:
        """From where it stopped; a piece whose answer was lost has arrived."""
        offset = int(_good(person.http.head(address, timeout=15)).headers["Upload-Offset"])
        while offset < len(content):
            piece = content[offset : offset + PIECE]
            headers = {"Upload-Offset": str(offset)}
            _good(person.http.patch(address, data=piece, headers=headers, timeout=15))
            offset += len(piece)

    again(said, rest)

    def finish() -> str:
        """Or what the first answer, which was lost, said."""
        answer = person.http.post(f"{address}/finish", json={"sha256": hashlib.sha256(content).hexdigest()}, timeout=15)
        if answer.status_code == 404:
            there = person.get("package_show", id=draft).result["resources"]
            return next(str(one["id"]) for one in there if one["name"] == name)
        return str(_good(answer).json()["id"])

    return str(again(said, finish))


def _good(answer: requests.Response) -> requests.Response:
    """The answer; one that says "later", as a connection that ended before leaves the upload busy for a moment, is like none."""
    if answer.status_code in (409, 423, 429, 503):
        raise requests.ConnectionError(answer.text)
    assert answer.status_code < 300, answer.text
    return answer


def _fetched(person: Person, address: str, said: dict[str, Any]) -> bytes:
    found = bytearray()

    def rest() -> None:
        """What is missing."""
        headers = {"Range": f"bytes={len(found)}-"} if found else {}
        with person.http.get(address, headers=headers, stream=True, timeout=15) as answer:
            assert answer.status_code == (206 if found else 200), answer.status_code
            for piece in answer.iter_content(PIECE):
                found.extend(piece)
        if len(found) < SIZE:
            raise requests.ConnectionError

    again(said, rest)
    return bytes(found)
