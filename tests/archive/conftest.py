"""A real object storage, and an appliance that archives into it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.archive import access
from appliance.archive.moving import Mover
from appliance.cli.root import run
from tests.support.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ceph]:
    """A store for all tests; whoever stops it starts it again."""
    store = Ceph(tmp_path_factory.mktemp("ceph"))
    yield store
    store.end()


@dataclass
class Archived:
    """An appliance with an archive, somebody with data in it, and the bucket."""

    appliance: Appliance
    ceph: Ceph
    bucket: str
    owner: Person

    @property
    def mover(self) -> Mover:
        """Moves files of this appliance."""
        context = self.appliance.context
        return Mover(context.db, context.depot, context.settings)

    def file(self, content: bytes | Path, name: str, *, private: bool = True, circle: str = "lab") -> str:
        """An active dataset with one file, whose jobs are done. → id of the resource."""
        dataset = self.owner.draft(circle, title=f"Of {name}", private=private)
        path = content
        if isinstance(content, bytes):
            path = self.appliance.root / "tmp" / name
            path.write_bytes(content)
        made = self.owner.add(dataset["id"], path, name)
        self.owner.add(dataset["id"], synthetic(), "beside.rtdc")
        self.owner.activate(dataset["id"])
        for one in self.owner.get("package_show", id=dataset["id"]).result["resources"]:
            self.appliance.jobs_done(one["id"])
        return str(made["id"])

    def here(self, resource_id: str) -> bool:
        """Is the original in the depot?"""
        return self.appliance.context.depot.path(resource_id).is_file()

    def download(self, resource_id: str, **headers: str) -> Any:
        """Its owner downloads it."""
        dataset = self.owner.get("resource_show", id=resource_id).result["package_id"]
        return self.owner.fetch(f"/dataset/{dataset}/resource/{resource_id}/download/x", headers=headers)


def settings_of(ceph: Ceph, bucket: str, **more: Any) -> dict[str, Any]:
    """Settings of an appliance that archives everything at once."""
    return {
        "depot.archive": f"s3://{bucket}/of/tests",
        "archive.endpoint": ceph.endpoint,
        "archive.access_key": ACCESS_KEY,
        "archive.after_days": 0,
        "archive.least_size": 0,
        "archive.timeout": 2,
    } | more


@pytest.fixture
def archived(ceph: Ceph, tmp_path: Path) -> Iterator[Archived]:
    """A fresh one."""
    bucket = ceph.bucket()
    appliance = Appliance(tmp_path / "data", **settings_of(ceph, bucket))
    access.set_secret(appliance.settings, SECRET_KEY)
    owner = appliance.person("ada")
    owner.circle("lab")
    yield Archived(appliance, ceph, bucket, owner)
    appliance.stop()


@pytest.fixture
def noise() -> bytes:
    """Bytes of more than one part, not a multiple of anything."""
    return os.urandom(21_234_567)


@dataclass
class Said:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The machine output."""
        return json.loads(self.out)


Dcor = Callable[..., Said]


@pytest.fixture
def dcor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dcor:
    """Run `dcor` on a data root, in this process."""

    def call(root: Path, *arguments: str, stdin: str = "") -> Said:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = run(["--data", str(root), *arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
