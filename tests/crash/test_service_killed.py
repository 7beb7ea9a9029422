"""kill -9 of the service at random moments of uploads (form, browser, signed address) and activations.

What was acknowledged is there after the next start, with the bytes that were sent; what was not is either whole or not there.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance.store import artefacts, jobs, resources, uploads
from appliance.store.database import Database
from appliance.store.depot import Depot
from tests.support.samples import synthetic
from tests.support.server import Appliance
from tests.support.waiting import wait_until
from tests.web.transfer.test_transfer_faults import Process

SIZE = 400_000
#: Kills of the long run.
MANY = int(os.environ.get("SOAK_KILLS", "200"))


class Client:
    """Somebody who works with the service and notes what it has acknowledged.

    :ivar files: by resource id, the SHA-256 of what was sent; :ivar active: ids of datasets; :ivar offsets: acknowledged bytes of unfinished
        browser uploads by address; :ivar parts: acknowledged signed uploads that belong to no dataset yet (resource id → SHA-256).
    """

    def __init__(self, appliance: Appliance, chance: random.Random) -> None:
        self.ada = appliance.person("ada")
        self.circle = self.ada.circle("lab")["id"]
        self.url, self.verify, self.chance = appliance.url, str(appliance.certificate), chance
        self.files: dict[str, str] = {}
        self.active: set[str] = set()
        self.offsets: dict[str, tuple[int, bytes]] = {}
        self.parts: dict[str, str] = {}
        self.number = 0
        self.measurement = synthetic().read_bytes()

    def steps(self) -> list[Callable[[], None]]:
        """What there is to do."""
        return [self.form, self.browser, self.signed, self.activation]

    def _draft(self) -> str:
        self.number += 1
        return str(self.ada.draft("lab", title=f"killed {self.number}")["id"])

    def form(self) -> None:
        """A file by form."""
        content = os.urandom(SIZE)
        answer = self.ada.upload("resource_create", {"package_id": self._draft()}, "upload", "form.txt", content)
        self.files[answer.result["id"]] = hashlib.sha256(content).hexdigest()

    def browser(self) -> None:
        """A file in pieces: a new one, or one that was interrupted."""
        if not self.offsets:
            content = os.urandom(SIZE)
            asked = {"dataset": self._draft(), "name": "pieces.txt", "size": SIZE}
            begun = self.ada.http.post(f"{self.url}/upload/browser", json=asked, timeout=60).json()
            self.offsets[self.url + begun["url"]] = (0, content)
        address, (acknowledged, content) = next(iter(self.offsets.items()))
        found = self.ada.http.head(address, timeout=60)
        if found.status_code == 404:  # its end was not acknowledged, but had happened
            del self.offsets[address]
            return
        offset = int(found.headers["Upload-Offset"])
        assert acknowledged <= offset <= SIZE
        while offset < SIZE:
            piece = content[offset : offset + 150_000]
            sent = self.ada.http.patch(address, data=piece, headers={"Upload-Offset": str(offset)}, timeout=60)
            assert sent.status_code == 204, sent.text
            offset += len(piece)
            self.offsets[address] = (offset, content)
        digest = hashlib.sha256(content).hexdigest()
        made = self.ada.http.post(f"{address}/finish", json={"sha256": digest}, timeout=60)
        assert made.status_code == 201, made.text
        del self.offsets[address]
        self.files[made.json()["id"]] = digest

    def signed(self) -> None:
        """A file to a signed address, attached afterwards."""
        if not self.parts:
            content = os.urandom(SIZE)
            begun = self.ada.get("resource_upload_s3_urls", organization_id=self.circle, file_size=SIZE).result
            sent = requests.put(begun["upload_urls"][0], data=content, verify=self.verify, timeout=60)
            assert sent.status_code == 200, sent.text
            self.parts[begun["resource_id"]] = hashlib.sha256(content).hexdigest()
        resource_id, digest = next(iter(self.parts.items()))
        entry = {"id": resource_id, "name": "signed.txt", "s3_available": True}
        answer = self.ada.post("package_revise", match={"id": self._draft()}, update__resources__extend=[entry])
        if answer.status == 403:  # an attachment that was not acknowledged had happened
            assert self.ada.get("resource_show", id=resource_id).result["sha256"] == digest
        else:
            assert answer.status == 200, answer.body
        del self.parts[resource_id]
        self.files[resource_id] = digest

    def activation(self) -> None:
        """A measurement, and its dataset made public."""
        draft = self._draft()
        answer = self.ada.upload("resource_create", {"package_id": draft}, "upload", "M1.rtdc", self.measurement)
        self.files[answer.result["id"]] = hashlib.sha256(self.measurement).hexdigest()
        answer = self.ada.post("package_revise", match={"id": draft}, update={"state": "active"})
        assert answer.status == 200, answer.body
        self.active.add(draft)


def check(root: Path, client: Client) -> None:
    """What is on the disk after a kill, before the next start: nothing acknowledged is missing, no row is without its file."""
    db, depot = Database(root / "dcor.sqlite"), Depot(root)
    with db.read() as conn:
        assert conn.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        for resource_id, digest in client.files.items():
            row = resources.get(conn, resource_id)
            assert row is not None, "an acknowledged file is gone"
            assert row["sha256"] in {digest, None}
        for row in conn.execute("SELECT id, size, sha256 FROM resource"):
            path = depot.path(row["id"])
            assert path.stat().st_size == row["size"]
            if row["sha256"]:
                assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
            for kind, made in artefacts.of_resource(conn, row["id"]).items():
                assert hashlib.sha256(depot.path(row["id"], kind).read_bytes()).hexdigest() == made["sha256"], kind
        for dataset_id in client.active:
            assert conn.execute("SELECT state FROM dataset WHERE id = ?", (dataset_id,)).fetchone()[0] == "active"
        for resource_id in client.parts:
            assert uploads.completed(conn, resource_id) is not None or resources.get(conn, resource_id) is not None
    db.close()


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(4, id="quick", marks=pytest.mark.slow),
        pytest.param(MANY, id="soak", marks=pytest.mark.soak),
    ],
)
def test_kills_at_random_moments_lose_nothing_acknowledged(tmp_path: Path, kills: int) -> None:
    chance = random.Random(kills)
    root = tmp_path / "data"
    appliance = Appliance(root, **{"depot.direct_upload": True, "policy.public_datasets": True})
    client = Client(appliance, chance)
    began = time.monotonic()
    for step in client.steps():
        step()
    longest = (time.monotonic() - began) / len(client.steps())
    port = appliance.settings.server.port
    appliance.stop()
    process, interrupted, done = Process(root, port), 0, 0
    while interrupted < kills:
        step = chance.choice(client.steps())
        failed: list[BaseException] = []
        worker = threading.Thread(target=_run, args=(step, failed))
        worker.start()
        worker.join(chance.uniform(0, 1.5 * longest))
        if not worker.is_alive():  # it was faster
            assert failed == [] or isinstance(failed[0], OSError | requests.RequestException), failed
            done += 1
            if chance.random() < 0.5:
                continue
        process.kill()
        worker.join()
        interrupted += 1
        broken = [one for one in failed if not _is_broken_connection(one)]
        assert broken == [], broken
        client.ada.http.close()
        check(root, client)
        process = Process(root, port)
    try:
        _finish(root, client)
    finally:
        process.process.terminate()
        process.process.wait()
    print(
        f"{interrupted} kills, {done} steps done in between, {len(client.files)} files, {len(client.active)} activations"
    )


def _run(step: Callable[[], None], failed: list[BaseException]) -> None:
    try:
        step()
    except Exception as error:
        failed.append(error)


def _is_broken_connection(error: BaseException) -> bool:
    return isinstance(error, OSError | requests.RequestException)


def _finish(root: Path, client: Client) -> None:
    """What was interrupted goes on, jobs end, and everything can be fetched."""
    for step in client.steps():
        step()
    db = Database(root / "dcor.sqlite")

    def over() -> bool:
        with db.read() as conn:
            counts = jobs.counts(conn)
        return counts["queued"] + counts["running"] == 0

    assert wait_until(over, 1800)
    with db.read() as conn:
        assert jobs.counts(conn)["failed"] == 0
    db.close()
    for resource_id, digest in client.files.items():
        found: dict[str, Any] = client.ada.get("resource_show", id=resource_id).result
        fetched = client.ada.http.get(found["url"], timeout=60)
        assert hashlib.sha256(fetched.content).hexdigest() == found["sha256"] == digest
    check(root, client)
