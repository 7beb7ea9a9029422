"""Twenty minutes of ordinary use: memory, descriptors and the write-ahead log stay what they are, and every upload is what was sent.

SOAK_REQUESTS, SOAK_UPLOADS and SOAK_MINUTES (the least time, over which the work is spread) make it shorter for a trial.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.furnished import PASSWORD, Visitor
from tests.support.samples import synthetic
from tests.support.server import ApartAppliance, Person
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]
REQUESTS = int(os.environ.get("SOAK_REQUESTS", "100000"))
UPLOADS = int(os.environ.get("SOAK_UPLOADS", "1000"))
MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
#: People at work at once.
PEOPLE = 4
#: Share of the work until whose end caches fill.
WARM_UP = 0.3
MOST_GROWTH, MOST_WAL = 1.05, 64 << 20
#: Descriptors that may be open besides those of the beginning, when nothing is under way (connections of the database).
SPARE_DESCRIPTORS = 8


def held(pid: int) -> int:
    """Memory of a process, shared pages counted in parts [bytes]."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]) * 1024


def descriptors(pid: int) -> int:
    """Number of files and sockets that a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@dataclass
class Watch:
    """Looks at the service every few seconds: (share of the work that is done, bytes of memory)."""

    appliance: ApartAppliance
    done: Counter[str]
    memory: list[tuple[float, int]] = field(default_factory=list)
    wal: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until it is stopped."""
        log = Path(f"{self.appliance.settings.database}-wal")
        while not self.stopping.wait(max(MINUTES / 4, 0.2)):
            self.memory.append((self.done["requests"] / REQUESTS, held(self.appliance.pid)))
            self.wal = max(self.wal, log.stat().st_size if log.exists() else 0)

    def between(self, first: float, last: float) -> int:
        """Median of the memory in a part of the work [bytes]."""
        return int(statistics.median(size for share, size in self.memory if first <= share <= last))


class Worker:
    """One person with a program and a browser."""

    def __init__(self, appliance: ApartAppliance, number: int, done: Counter[str]) -> None:
        self.appliance, self.done, self.number = appliance, done, number
        self.chance = random.Random(number)
        self.name = f"worker{number}"
        self.person: Person = appliance.person(self.name, password=PASSWORD)
        self.person.circle(f"circle{number}")
        self.browser = Visitor(appliance, self.name)
        self.files: dict[str, tuple[str, str]] = {}  # resource → (dataset, sha256)
        self.drafts: list[str] = []
        self.measurement = synthetic().read_bytes()
        self.errors: Counter[str] = Counter()

    def upload(self, number: int) -> None:
        """A file: by form, in pieces, or (now and then) a measurement, for which jobs run."""
        draft = self.person.draft(f"circle{self.number}", title=f"File {number} of {self.name}")["id"]
        content = os.urandom(self.chance.randrange(1_000, 300_000))
        if number % 20 == 0:
            content, name = self.measurement, "M1.rtdc"
        else:
            name = "notes.txt"
        if number % 2:
            made = self.person.upload("resource_create", {"package_id": draft}, "upload", name, content).result["id"]
        else:
            made = self._in_pieces(draft, name, content)
        self.files[made] = (draft, hashlib.sha256(content).hexdigest())
        self.drafts.append(draft)

    def _in_pieces(self, draft: str, name: str, content: bytes) -> str:
        url, http = self.appliance.url, self.person.http
        asked = {"dataset": draft, "name": name, "size": len(content)}
        address = url + http.post(f"{url}/upload/browser", json=asked, timeout=120).json()["url"]
        for start in range(0, len(content), 100_000):
            piece, headers = content[start : start + 100_000], {"Upload-Offset": str(start)}
            assert http.patch(address, data=piece, headers=headers, timeout=120).status_code == 204
        return str(http.post(f"{address}/finish", json={}, timeout=120).json()["id"])

    def request(self) -> None:
        """One of what people and programs ask for."""
        resource_id, (draft, _sum) = self.chance.choice(list(self.files.items()))
        words = f"File {self.chance.randrange(UPLOADS)}"
        kind = self.chance.randrange(10)
        base = f"/dataset/{draft}/resource/{resource_id}"
        if kind < 5:
            action, values = [
                ("package_search", {"q": words, "include_drafts": True, "include_private": True}),
                ("package_show", {"id": draft}),
                ("resource_show", {"id": resource_id}),
                ("organization_list_for_user", {}),
                ("status_show", {}),
            ][kind]
            self._note(action, self.person.get(action, **values).status)
        elif kind < 8:
            path = ["/dataset", f"/dataset/{draft}", base][kind - 5]
            options = {"params": {"q": words}} if kind == 5 else {}
            self._note("page", self.browser.get(path, **options).status_code)
        elif kind == 8:
            answer = self.person.fetch(f"{base}/download/x", headers={"Range": "bytes=0-65535"})
            self._note("download", answer.status_code)
        else:
            answer = self.person.get("dcserv", id=resource_id, query="size", version="2").status
            self._note("dcserv", 200 if answer in (403, 404, 409) else answer)  # not every file is a measurement

    def _note(self, what: str, status: int) -> None:
        if status not in (200, 206):
            self.errors[f"{what} {status}"] += 1

    def close(self) -> None:
        """Leave no connection."""
        self.person.http.close()
        self.browser.http.close()


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[ApartAppliance]:
    running = ApartAppliance(tmp_path / "data")
    yield running
    running.stop()


def test_hours_of_use_leave_memory_descriptors_and_log_as_they_were(
    appliance: ApartAppliance, capsys: pytest.CaptureFixture[str]
) -> None:
    done: Counter[str] = Counter()
    workers = [Worker(appliance, number, done) for number in range(PEOPLE)]
    for worker in workers:
        worker.upload(0)
        for _ in range(20):
            worker.request()
    quiet(appliance, workers)
    first = descriptors(appliance.pid)
    watch = Watch(appliance, done)
    watcher = threading.Thread(target=watch.run)
    watcher.start()
    began, failed = time.monotonic(), list[BaseException]()
    numbers = itertools.count()

    def work(worker: Worker) -> None:
        """This one's share, spread over the time."""
        try:
            while (number := next(numbers)) < REQUESTS:
                due = began + number / REQUESTS * MINUTES * 60
                time.sleep(max(0.0, due - time.monotonic()))
                if number % max(REQUESTS // UPLOADS, 1) == 0:
                    worker.upload(number // max(REQUESTS // UPLOADS, 1) + 1)
                    done["uploads"] += 1
                worker.request()
                done["requests"] += 1
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    seconds = time.monotonic() - began
    watch.stopping.set()
    watcher.join()
    assert failed == []
    warm, end = watch.between(WARM_UP, WARM_UP + 0.2), watch.between(0.85, 1.0)
    calm = quiet(appliance, workers, first + SPARE_DESCRIPTORS)
    errors = sum((worker.errors for worker in workers), Counter())
    with capsys.disabled():
        print(
            f"\n{done['requests']} requests and {done['uploads']} uploads in {seconds / 60:.1f} min: memory {warm / 1e6:.0f} MB after warm-up, "
            f"{end / 1e6:.0f} MB at the end ({end / warm - 1:+.1%}); {first} descriptors at first, {calm} at the end; "
            f"write-ahead log at most {watch.wal / 1e6:.1f} MB; answers that were none: {dict(errors) or 'none'}"
        )
    assert errors == Counter()
    for worker in workers:
        for resource_id, (_draft, digest) in worker.files.items():
            assert worker.person.get("resource_show", id=resource_id).result["sha256"] == digest
    assert done["uploads"] >= UPLOADS
    assert watch.wal <= MOST_WAL
    assert calm <= first + SPARE_DESCRIPTORS
    assert end <= warm * MOST_GROWTH


def quiet(appliance: ApartAppliance, workers: list[Worker], most: int = 0) -> int:
    """Wait until no job is open and connections are gone (with `most`: until that few are open). → open descriptors."""
    for worker in workers:
        for resource_id in worker.files:
            appliance.jobs_done(resource_id)
        worker.close()
    seen = descriptors(appliance.pid)

    def settled() -> bool:
        """The same number as a moment ago, or few enough."""
        nonlocal seen
        before, seen = seen, descriptors(appliance.pid)
        return seen <= most if most else seen == before

    wait_until(settled, 120.0, 2.0)
    return seen
