"""A small appliance without a web side, and files to run jobs on."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.jobs.registry import JobKind
from appliance.jobs.runner import JobRunner
from appliance.jobs.sandbox import Sandbox
from appliance.model import media, names
from appliance.settings import Settings, load
from appliance.store import data_root, datasets, jobs, resources
from appliance.store.database import Database
from appliance.store.depot import Depot
from tests.support.waiting import wait_until

HERE = Path(__file__).parent
REAL = Path(__file__).parents[3] / "shared" / "data"


class Appliance:
    """Data root, database, depot, and shortcuts to fill them.

    :cvar kernel: the sandbox that runners share, so that libraries are imported once for all tests; None: each has its own.
    """

    kernel: Sandbox | None = None

    def __init__(self, root: Path) -> None:
        data_root.create(root)
        self.root = root
        self.settings: Settings = load(root, env={})
        self.db = Database(self.settings.database)
        self.db.create()
        self.depot = Depot(root)
        with self.db.write() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO community (id, kind, name, created) VALUES ('c1', 'circle', 'lab', '2024')"
            )

    def dataset(self, name: str = "cells", *, private: bool = True, state: str = "draft") -> str:
        """A dataset's id."""
        values = {
            "name": name,
            "title": name,
            "private": int(private),
            "state": state,
            "circle_id": "c1",
            "creator_id": "u1",
        }
        with self.db.write() as tx:
            dataset_id = datasets.create(tx, values)
            datasets.touch(tx, dataset_id)
        return dataset_id

    def add(
        self,
        dataset_id: str,
        source: Path,
        name: str | None = None,
        *,
        hashed: bool = True,
        queue: bool = True,
        user_id: str = "",
    ) -> str:
        """Put a file into a dataset as an upload does. → resource id."""
        resource_id, name = names.new_id(), name or source.name
        part = self.depot.new_part()
        shutil.copyfile(source, part.path)
        self.depot.publish(part, resource_id)
        content = source.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest() if hashed else None
        etag = hashlib.md5(content).hexdigest() if hashed else None
        mimetype, format_ = media.kind(name)
        with self.db.write() as tx:
            resources.create(
                tx,
                resource_id,
                dataset_id,
                name,
                size=len(content),
                sha256=sha256,
                etag=etag,
                mimetype=mimetype,
                format_=format_,
                crc32=zlib.crc32(content) if hashed else None,
            )
            row = resources.get(tx, resource_id)
            assert row is not None
            if queue:
                jobs.enqueue_pipeline(tx, row, user_id=user_id)
        return resource_id

    def enqueue(self, kind: str, **values: object) -> str:
        """Queue one job in a transaction of its own. → its id."""
        with self.db.write() as tx:
            return jobs.enqueue(tx, kind, **values)  # type: ignore[arg-type]

    def job(self, job_id: str) -> dict[str, object]:
        """A job's row as a dict."""
        with self.db.read() as conn:
            row = jobs.get(conn, job_id)
            assert row is not None
            return jobs.as_dict(conn, row)

    def states(self, resource_id: str) -> dict[str, str]:
        """kind → state of a resource's jobs."""
        with self.db.read() as conn:
            return {job["kind"]: job["state"] for job in jobs.for_resource(conn, resource_id)}

    def runner(
        self, *, sandbox: Sandbox | None = None, extra: dict[str, JobKind] | None = None, lease: float = 60.0
    ) -> JobRunner:
        """A runner without the clock's jobs, not started."""
        return JobRunner(
            self.db,
            self.depot,
            self.settings,
            sandbox=sandbox or self.kernel,
            extra=extra,
            lease=lease,
            scheduled=False,
        )

    def run_all(self, seconds: float = 60.0, **options: object) -> None:
        """Run what is queued until nothing is due."""
        runner = self.runner(**options)  # type: ignore[arg-type]
        runner.start()
        try:
            assert wait_until(runner.idle, seconds), "jobs did not end"
        finally:
            runner.stop(5.0)


@pytest.fixture(scope="session", autouse=True)
def _kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    Appliance.kernel = Sandbox(tmp_path_factory.mktemp("kernel"))
    yield
    Appliance.kernel.close()
    Appliance.kernel = None


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    """A fresh appliance."""
    made = Appliance(tmp_path / "data")
    yield made
    made.db.close()


@pytest.fixture(scope="session")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic measurement with images, masks and traces."""
    from appliance.demo import synthetic

    path = tmp_path_factory.mktemp("files") / "synthetic.rtdc"
    synthetic.write(path, events=60)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose tasks misbehave."""
    sandbox = Sandbox(tmp_path_factory.mktemp("scratch"), tasks="hostile_tasks", tasks_folder=HERE)
    yield sandbox
    sandbox.close()
