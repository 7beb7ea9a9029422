"""`dcor pull` and `dcor push` against a real CKAN 2.11 with DCOR's extensions, and a dump of its database.

PostgreSQL, Redis, CKAN, its extensions and their jobs are real; Solr and S3 have stand-ins (`tests.contract.ckan_peer`).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.cli.root import run
from appliance.store import communities
from tests.contract.ckan_peer.content import PEOPLE, Content, add, fill
from tests.contract.ckan_peer.installation import Installation, installed
from tests.contract.matrix.environments import Unavailable
from tests.peer.conftest import Publisher, Root

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
#: Datasets there; 200 take long to fill in, so that is for runs by hand.
COUNT = int(os.environ.get("DCOR_TEST_CKAN_DATASETS", "12"))

#: What is different after a pull, and why. Everything else is equal.
DATASET: Mapping[str, str] = {
    "extras": "an empty list where CKAN omits it",
    "resources": "compared one by one",
}
FILE: Mapping[str, str] = {
    "url": "this server's address",
    "s3_url": "this server's address",
}
#: These are filled in here where CKAN leaves them empty: it knows no type of a file that it took by parts.
FILLED = frozenset({"format", "mimetype"})


@dataclass
class Mirror:
    """What was pulled, and the report of the first pull."""

    root: Root
    first: dict[str, Any]


@pytest.fixture(scope="module")
def ckan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    try:
        with installed(tmp_path_factory.mktemp("ckan")) as found:
            yield found
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def content(ckan: Installation, files: Path) -> Content:
    return fill(ckan, files, COUNT)


def pull(ckan: Installation, root: Root, folder: Path, *options: str, ask: bool = True) -> dict[str, Any]:
    """Run `dcor pull`; → its report."""
    storage = ["--token-stdin", "--files-from", ckan.storage] if ask else []
    links = ["--links", str(folder / "links.txt")]
    said, code = _said(
        ["--data", str(root.root), "pull", ckan.url, *storage, "--users", "--json", *links, *options], ckan.token
    )
    assert code in (0, 1), said
    found: dict[str, Any] = json.loads(said)
    return found


def _said(arguments: list[str], line: str) -> tuple[str, int]:
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr("sys.stdin", io.StringIO(f"{line}\n"))
        patch.setattr("sys.stdout", out)
        code = run(arguments)
        return out.getvalue(), code


@pytest.fixture(scope="module")
def mirror(ckan: Installation, content: Content, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    folder = tmp_path_factory.mktemp("mirror")
    root = Root(folder / "data")
    yield Mirror(root, pull(ckan, root, folder))
    root.state.close()


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """What is not equal in two descriptions of a dataset, beyond what `DATASET` and `FILE` name."""
    found = _different(there, here, DATASET)
    if there.get("extras", []) != here["extras"]:
        found["extras"] = (there.get("extras"), here["extras"])
    files = {one["id"]: one for one in here["resources"]}
    if [one["id"] for one in there["resources"]] != [one["id"] for one in here["resources"]]:
        found["resources"] = sorted(files)
        return found
    for file in there["resources"]:
        if different := _different(file, files[file["id"]], FILE):
            found[file["name"]] = different
    return found


def _different(there: Mapping[str, Any], here: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: (there.get(key), here.get(key))
        for key in (there.keys() | here.keys()) - known.keys()
        if there.get(key) != here.get(key) and not (key in FILLED and not there.get(key))
    }


def packages(ckan: Installation, content: Content) -> dict[str, dict[str, Any]]:
    return {id_: ckan.ask("package_show", id=id_) for id_ in content.datasets.values()}


def test_every_dataset_is_equal(ckan: Installation, content: Content, mirror: Mirror) -> None:
    assert [one for one in mirror.first["left_out"] if one["kind"] != "user"] == []
    assert len(mirror.first["taken"]["datasets"]) == COUNT
    assert mirror.first["unverified"] == []
    there = packages(ckan, content)
    assert {True, False} == {one["private"] for one in there.values()}
    assert {"draft", "active"} == {one["state"] for one in there.values()}
    found = {id_: differences(one, mirror.root.package(id_)) for id_, one in there.items()}
    assert {id_: one for id_, one in found.items() if one} == {}


def test_every_file_is_equal(ckan: Installation, content: Content, mirror: Mirror) -> None:
    there = {file["id"]: file["sha256"] for one in packages(ckan, content).values() for file in one["resources"]}
    assert dict(mirror.root.rows("SELECT id, sha256 FROM resource")) == there
    for id_, size in mirror.root.rows("SELECT id, size FROM resource"):
        assert mirror.root.site.depot.path(id_).stat().st_size == size


def test_people_and_their_roles_are_equal(ckan: Installation, content: Content, mirror: Mirror) -> None:
    assert sorted(name for name in mirror.first["taken"]["users"] if name in PEOPLE) == sorted(PEOPLE)
    members = "SELECT u.name, m.role FROM member m JOIN user u ON u.id = m.user_id JOIN community c ON c.id = m.community_id WHERE c.name = ?"
    for action, names in (("organization", ("blood", "beads")), ("group", ("study",))):
        for name in names:
            there = ckan.ask(f"{action}_show", id=name, include_users=True)
            assert dict(mirror.root.rows(members, name)) == {one["name"]: one["capacity"] for one in there["users"]}
            with mirror.root.site.db.read() as conn:
                here = dict(communities.find(conn, name, "collection" if action == "group" else "circle"))
            assert [here[key] for key in ("id", "title", "description", "created")] == [
                there[key] for key in ("id", "title", "description", "created")
            ]
            assert json.loads(here["extras"]) == [{"key": one["key"], "value": one["value"]} for one in there["extras"]]
    for id_ in content.datasets.values():
        there = ckan.ask("package_collaborator_list", id=id_)
        shared = mirror.root.rows("SELECT user_id, capacity FROM collaborator WHERE dataset_id = ?", id_)
        assert sorted(shared) == sorted((one["user_id"], one["capacity"]) for one in there)


def test_repeating_it_fetches_what_is_new_or_changed(
    ckan: Installation, content: Content, mirror: Mirror, files: Path, tmp_path: Path
) -> None:
    again = pull(ckan, mirror.root, tmp_path)
    assert again["unchanged"]["datasets"] == COUNT
    assert again["files"] == 0
    token, names = content.tokens["ada"], sorted(content.datasets)
    drafts = [one for one in packages(ckan, content).values() if one["state"] == "draft"]
    ckan.ask("package_patch", id=content.datasets[names[0]], notes="Changed")
    more = add(ckan, token, drafts[0], files / "notes.txt", "more.txt")
    ckan.work()
    third = pull(ckan, mirror.root, tmp_path)
    assert sorted(third["updated"]["datasets"]) == sorted({names[0], drafts[0]["name"]})
    assert (third["files"], third["unchanged"]["datasets"]) == (1, COUNT - len(third["updated"]["datasets"]))
    for id_ in (content.datasets[names[0]], drafts[0]["id"]):
        assert differences(ckan.ask("package_show", id=id_), mirror.root.package(id_)) == {}
    assert mirror.root.rows("SELECT name FROM resource WHERE id = ?", more) == [("more.txt",)]


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_a_dump_of_it_brings_the_same(
    ckan: Installation, content: Content, mirror: Mirror, tmp_path: Path, form: str
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    ckan.dump(old / ("ckan.sql" if form == "plain" else "ckan.dump"), form)
    ckan.objects(old / "buckets")
    root = Root(tmp_path / "data")
    try:
        report = pull(ckan, root, tmp_path, "--from-dump", str(old), ask=False)
        assert [one for one in report["left_out"] if one["kind"] != "user"] == []
        there = packages(ckan, content)
        found = {id_: differences(one, root.package(id_)) for id_, one in there.items()}
        assert {id_: one for id_, one in found.items() if one} == {}
        for query in (
            "SELECT id, sha256, size FROM resource ORDER BY id",
            "SELECT m.community_id, m.user_id, m.role FROM member m ORDER BY 1, 2",
            "SELECT dataset_id, user_id, capacity FROM collaborator ORDER BY 1, 2",
            "SELECT id, name, title, description, extras FROM community ORDER BY id",
            "SELECT id, name, fullname, email, about FROM user WHERE name IN ('ada', 'max', 'eve') ORDER BY id",
        ):
            assert root.rows(query) == mirror.root.rows(query)
    finally:
        root.state.close()


def _worked(ckan: Installation, arguments: list[str], line: str) -> tuple[str, int]:
    """Run a command while CKAN does its jobs: it waits for the checksums that they make."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_said, arguments, line)
        while not running.done():
            ckan.work()
        return running.result()


def test_a_dataset_is_sent_and_activated(
    ckan: Installation, content: Content, files: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCOR_PUBLISH_TARGETS", ckan.url)
    monkeypatch.setenv("DCOR_PUBLISH_STORAGE", ckan.storage)
    sent = {name: (files / name).read_bytes() for name in ("M0.rtdc", "notes.txt")}
    publisher.dataset("Sent Back", sent)
    command = [
        "--data",
        str(publisher.root),
        "push",
        "sent-back",
        "--to",
        ckan.url,
        "--circle",
        "blood",
        "--token-stdin",
        "--json",
    ]
    said, code = _worked(ckan, command, content.tokens["ada"])
    assert code == 0, said
    draft = next(one for one in ckan.ask("package_search", include_drafts=True, include_private=True, rows=1000)["results"] if one["title"] == "Sent Back")  # fmt: skip
    assert draft["state"] == "draft"
    said, code = _said([*command, "--activate", "--yes"], content.tokens["ada"])
    assert code == 0, said
    there = ckan.ask("package_show", id=draft["id"])
    assert there["state"] == "active"
    assert {one["name"]: one["sha256"] for one in there["resources"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in sent.items()
    }
    assert publisher.package("sent-back")["published_as"]
