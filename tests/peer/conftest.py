"""A furnished appliance to pull from, and fresh ones to pull into."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.actions import datasets
from appliance.cli.common import CliState
from appliance.cli.init import prepare
from appliance.cli.root import run
from appliance.model import names
from appliance.model.multipart_parts import EtagHasher
from appliance.model.viewer import OPERATOR
from appliance.store import communities, documents, resources, rtdc
from appliance.store import datasets as datasets_store
from tests.support.furnished import House
from tests.support.peers import Between, Reply, between
from tests.support.ports import free_port
from tests.support.server import Appliance

Pull = Callable[..., "Said"]


@dataclass
class Said:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The machine output."""
        return json.loads(self.out)

    @property
    def reasons(self) -> str:
        """Why things were left out."""
        return "; ".join(f"{one['kind']} {one['name']}: {one['reason']}" for one in self.json["left_out"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The source: people, a circle, a collection, datasets in every state; no job is open."""
    appliance = Appliance(tmp_path_factory.mktemp("source") / "data")
    house = House(appliance)
    house.share(house.private["id"], "eve", "member")
    root = house.people["root"]
    for one in (house.public, house.private):
        root.post("member_create", id="study", object=one["id"], object_type="package", capacity="public")
    for file in (house.file, house.private_file, house.draft_file):
        appliance.jobs_done(file["id"])
    yield house
    appliance.stop()


@pytest.fixture
def source(house: House) -> Iterator[Between]:
    """The source behind a server that counts, and can spoil."""
    with between(house.appliance.url, str(house.appliance.certificate)) as found:
        yield found


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Appliance]:
    """A fresh appliance."""
    running = Appliance(tmp_path / "target")
    yield running
    running.stop()


@pytest.fixture
def pull(
    request: pytest.FixtureRequest,
    house: House,
    source: Between,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Pull:
    """Run `dcor pull` on the data root of `target` (beside its service) or `still`, with an administrator's token and without waits."""
    monkeypatch.setattr("appliance.peer.client.WAITS", (0.0, 0.0))
    served = "target" in request.fixturenames
    root: Path = request.getfixturevalue("target" if served else "still").root

    def call(*options: str, token: str | None = None, as_json: bool = True) -> Said:
        token = house.appliance.admin.token if token is None else token
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
        capsys.readouterr()
        machine = ["--json"] if as_json else []
        links = ["--links", str(tmp_path / "links.txt")]
        code = run(["--data", str(root), "pull", source.url, "--token-stdin", *links, *machine, *options])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


class Root:
    """A data root that no service works on: what is pulled into it lies still."""

    def __init__(self, folder: Path) -> None:
        prepare(
            folder,
            {"server.hostname": "localhost", "server.port": free_port(), "server.http_port": 0, "depot.reserve": 0},
            [],
            try_out=True,
        )
        self.root = folder
        self.state = CliState(folder)
        self.site = self.state.site
        self.url = self.site.settings.site_url
        with self.site.db.write() as tx:
            documents.set_site_url(tx, self.url)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with self.site.db.read() as conn:
            return [tuple(row) for row in conn.execute(query, values)]

    def dump(self) -> list[str]:
        """The whole database as text."""
        with self.site.db.read() as conn:
            return list(conn.iterdump())

    def package(self, ref: str) -> dict[str, Any]:
        """A dataset as clients would get it."""
        with self.site.db.read() as conn:
            found: dict[str, Any] = json.loads(datasets.show(conn, OPERATOR, ref))
        return found

    @property
    def parts(self) -> list[Path]:
        """Files that are under way."""
        return list((self.root / "tmp" / "parts").glob("*"))


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Root]:
    """A fresh data root without a service."""
    found = Root(tmp_path / "still")
    yield found
    found.state.close()


class Publisher(Root):
    """A data root with datasets whose jobs are done, as far as publishing asks."""

    def dataset(self, title: str, files: Mapping[str, bytes], **values: Any) -> tuple[str, list[str]]:
        """An active dataset: (its id, the ids of its files)."""
        ids = []
        with self.site.db.write() as tx:
            if communities.find(tx, "lab", "circle") is None:
                communities.create(tx, "circle", "lab")
            circle = communities.find(tx, "lab", "circle")
            assert circle is not None
            columns = {
                "name": title.lower().replace(" ", "-"), "title": title, "authors": "Ada L.", "license_id": "CC0-1.0",
                "circle_id": circle["id"], "state": "active", "private": 1, "creator_id": "",
            }  # fmt: skip
            dataset_id = datasets_store.create(tx, columns | values)
            for name, content in files.items():
                resource_id = names.new_id()
                part = self.site.depot.new_part()
                os.write(part.fd, content)
                self.site.depot.publish(part, resource_id)
                etag = EtagHasher(len(content))
                etag.update(content)
                resources.create(
                    tx, resource_id, dataset_id, name, size=len(content), sha256=hashlib.sha256(content).hexdigest(),
                    etag=etag.etag(), mimetype="RT-DC", format_="RT-DC",
                )  # fmt: skip
                rtdc.put(tx, resource_id, sane=1)
                rtdc.mark_extracted(tx, resource_id)
                ids.append(resource_id)
            datasets_store.touch(tx, dataset_id)
        return dataset_id, ids


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    """A fresh data root to publish from; no service works on it."""
    found = Publisher(tmp_path / "publisher")
    yield found
    found.state.close()


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """An appliance to publish to; it takes files by parts."""
    running = Appliance(tmp_path_factory.mktemp("receiving") / "data", **{"depot.direct_upload": True})
    yield running
    running.stop()


@pytest.fixture
def circle(receiving: Appliance) -> str:
    """A circle of Kim's there, for this test alone."""
    kim = receiving.person("kim")
    name = f"open-{len(kim.get('organization_list').result)}"
    kim.circle(name)
    return name


@pytest.fixture
def target_between(receiving: Appliance) -> Iterator[Between]:
    """It, behind a server that counts, and can spoil; what it says of itself leads there."""
    with between(receiving.url, str(receiving.certificate)) as found:
        found.hook = lambda path, request, reply: leads_back(receiving, found, path, reply)
        yield found


def leads_back(receiving: Appliance, found: Between, path: str, reply: Reply) -> None:
    """Addresses for files lead through the server in between, too."""
    if path.endswith("resource_upload_s3_urls") and isinstance(reply.body, dict):
        reply.body = json.loads(json.dumps(reply.body).replace(receiving.url, found.url))


@pytest.fixture
def push(
    publisher: Publisher,
    receiving: Appliance,
    target_between: Between,
    circle: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Said]:
    """Run `dcor push` on the publisher's data root, with Kim's token and without waits."""
    monkeypatch.setattr("appliance.peer.client.WAITS", (0.0, 0.0))
    monkeypatch.setenv("DCOR_PUBLISH_TARGETS", target_between.url)
    kim = receiving.person("kim")

    def call(*options: str, token: str | None = None, to: str = "", into: str = "", as_json: bool = True) -> Said:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{kim.token if token is None else token}\n"))
        capsys.readouterr()
        machine = ["--json"] if as_json else []
        chosen = ["--to", to or target_between.url, "--circle", into or circle]
        code = run(["--data", str(publisher.root), "push", *chosen, "--token-stdin", *machine, *options])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
