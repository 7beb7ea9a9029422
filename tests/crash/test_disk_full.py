"""The data volume fills up at many points of an upload, an activation and the jobs: what was acknowledged stays, all goes on afterwards."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from appliance.store import artefacts, jobs, resources
from tests.support.samples import synthetic
from tests.support.server import Answer, Appliance
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.soak, pytest.mark.timeout(3600)]
#: Bytes that are left on the volume.
POINTS = [0, 4096, 8192, *range(20_000, 400_000, 20_000), *range(400_000, 4_000_000, 400_000)]
SIZE = 300_000


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for what jobs may write."""
    root = tmp_path / "small"
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", str(root)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield root
    subprocess.run(["umount", "-l", str(root)], check=True)


class Ballast:
    """Takes room on a volume."""

    def __init__(self, volume: Path) -> None:
        self._volume, self._path = volume, volume / "ballast"

    def leave(self, room: int) -> None:
        """Fill up until `room` bytes are left."""
        self.remove()
        for _ in range(100):  # jobs write meanwhile
            state = os.statvfs(self._volume)
            with self._path.open("wb") as file, suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - room))
                return
        raise AssertionError("the volume cannot be filled")

    def remove(self) -> None:
        """Give all of it back."""
        self._path.unlink(missing_ok=True)


class Work:
    """What is tried on the full volume; `files` and `active`: what was acknowledged."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self.ada = appliance.person("ada")
        self.circle = self.ada.circle("lab")["id"]
        self.url = appliance.url
        self.files: dict[str, str] = {}
        self.active: set[str] = set()
        self.statuses: Counter[tuple[str, int]] = Counter()

    def _noted(self, what: str, answer: Answer) -> Answer:
        self.statuses[what, answer.status] += 1
        assert answer.status in {200, 503, 507}, (what, answer.status, answer.body)
        return answer

    def _kept(self, resource_id: str, content: bytes) -> None:
        self.files[resource_id] = hashlib.sha256(content).hexdigest()

    def form(self, draft: str, number: int) -> None:
        """A file by form."""
        content = os.urandom(SIZE)
        answer = self.ada.upload("resource_create", {"package_id": draft}, "upload", f"form{number}.txt", content)
        if self._noted("form", answer).status == 200:
            self._kept(answer.result["id"], content)

    def browser(self, draft: str, number: int) -> None:
        """A file in pieces."""
        content = os.urandom(SIZE)
        asked = {"dataset": draft, "name": f"pieces{number}.txt", "size": SIZE}
        begun = self.ada.http.post(f"{self.url}/upload/browser", json=asked, timeout=60)
        self.statuses["browser begin", begun.status_code] += 1
        if begun.status_code != 201:
            assert begun.status_code in {503, 507}, begun.text
            return
        address = self.url + begun.json()["url"]
        for offset in range(0, SIZE, 100_000):
            piece, headers = content[offset : offset + 100_000], {"Upload-Offset": str(offset)}
            sent = self.ada.http.patch(address, data=piece, headers=headers, timeout=60)
            self.statuses["browser piece", sent.status_code] += 1
            if sent.status_code != 204:
                assert sent.status_code in {503, 507}, sent.text
                return
        made = self.ada.http.post(f"{address}/finish", json={}, timeout=60)
        self.statuses["browser finish", made.status_code] += 1
        assert made.status_code in {201, 503, 507}, made.text
        if made.status_code == 201:
            self._kept(made.json()["id"], content)

    def measurement(self, draft: str, number: int) -> None:
        """A measurement, whose jobs start, and its dataset's activation."""
        content = synthetic().read_bytes()
        fields = {"package_id": draft}
        answer = self._noted("measurement", self.ada.upload("resource_create", fields, "upload", "M1.rtdc", content))
        if answer.status == 200:
            self._kept(answer.result["id"], content)
            found = self.ada.post("package_revise", match={"id": draft}, update={"state": "active"})
            self.statuses["activation", found.status] += 1
            assert found.status in {200, 503, 507}, found.body
            if found.status == 200:
                self.active.add(draft)


def test_a_volume_that_is_full_at_any_point_loses_nothing(volume: Path) -> None:
    appliance = Appliance(volume / "data", **{"depot.direct_upload": True})
    ballast = Ballast(volume)
    try:
        work = Work(appliance)
        points = 0
        for number, room in enumerate(POINTS):
            ballast.remove()
            drafts = [work.ada.draft("lab", title=f"full {number} {which}")["id"] for which in range(3)]
            steps: list[Callable[[str, int], None]] = [work.form, work.browser, work.measurement]
            for step, draft in zip(steps, drafts, strict=True):
                ballast.leave(room)
                step(draft, number)
                points += 1
        ballast.remove()
        _whole(appliance, work)
        assert any(status == 507 for _what, status in work.statuses)
        assert any(status == 200 for _what, status in work.statuses)
        print(f"{points} points: {dict(sorted(work.statuses.items()))}")
    finally:
        ballast.remove()
        appliance.stop()


def _whole(appliance: Appliance, work: Work) -> None:
    """With room again: all jobs end well, all that was acknowledged is there, nothing else lies about, and work goes on."""
    context = appliance.context
    draft = work.ada.draft("lab", title="afterwards")["id"]
    work.form(draft, -1)
    work.browser(draft, -1)

    def over() -> bool:
        with context.db.write() as tx:  # nobody waits for pauses
            tx.execute("UPDATE job SET available = created WHERE state = 'queued'")
        context.wake_jobs()
        with context.db.read() as conn:
            counts = jobs.counts(conn)
        return counts["queued"] + counts["running"] == 0

    assert wait_until(over, 600, step=0.5)
    depot, known = context.depot, set()
    with context.db.read() as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        failed: list[dict[str, Any]] = [job for job in jobs.list_(conn, limit=-1) if job["state"] == "failed"]
        assert failed == [], [(job["kind"], job["error"], job["log"]) for job in failed]
        for resource_id, digest in work.files.items():
            assert resources.get(conn, resource_id) is not None
            assert hashlib.sha256(depot.path(resource_id).read_bytes()).hexdigest() == digest
        for (resource_id,) in conn.execute("SELECT id FROM resource").fetchall():
            known.add(depot.path(resource_id))
            for kind, made in artefacts.of_resource(conn, resource_id).items():
                known.add(depot.path(resource_id, kind))
                assert hashlib.sha256(depot.path(resource_id, kind).read_bytes()).hexdigest() == made["sha256"]
        for dataset_id in work.active:
            assert conn.execute("SELECT state FROM dataset WHERE id = ?", (dataset_id,)).fetchone()[0] == "active"
    lying = {path for path in (appliance.root / "depot" / "resources").rglob("*") if path.is_file()}
    assert lying == known
