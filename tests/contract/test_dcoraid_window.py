"""DCOR-Aid 1.1.3 as its users see it, on a virtual display: set up by the access file, upload, killed and started again, share, download, renew.

Needs ``xvfb-run`` and a package index for the first run; the environment is kept beside those of `tests.contract.matrix`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.matrix import environments
from tests.contract.matrix.run import Site, site
from tests.contract.matrix.versions import Release
from tests.support.samples import synthetic
from tests.support.server import Person

_DRIVER = Path(environments.__file__).with_name("drive_dcoraid_gui.py")
_WITH_WINDOW = Release("dcoraid", "1.1.3", ("3.12", "3.11"), extras="GUI")
_DEADLINE = 240  # [s]


class Desk:
    """Somebody's account with DCOR-Aid; each part of the story is a process of its own."""

    def __init__(self, served: Site, folder: Path) -> None:
        self.served, self.folder = served, folder
        self.python = environments.python_of(_WITH_WINDOW)
        self.home = folder / "home"
        self.home.mkdir()
        self.given: dict[str, Any] = served.asked(folder)

    def begin(self, part: str) -> subprocess.Popen[str]:
        """Start a part."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "XDG_", "QT_"))}
        environment |= {"HOME": str(self.home), "REQUESTS_CA_BUNDLE": self.given["certificate"]}
        environment["QT_QPA_PLATFORM"] = "xcb;offscreen"  # the latter where libraries for the former are missing
        command = ["xvfb-run", "-a", str(self.python), "-I", str(_DRIVER), part, json.dumps(self.given)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=self.folder,
            start_new_session=True,
        )  # fmt: skip

    def run(self, part: str) -> dict[str, Any]:
        """Run a part to its end; what it found."""
        process = self.begin(part)
        out, err = process.communicate(timeout=_DEADLINE)
        lines = [line for line in out.splitlines() if line.startswith("{")]
        assert lines, (process.returncode, err[-2000:])
        return json.loads(lines[-1])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    if shutil.which("xvfb-run") is None:
        pytest.skip("there is no xvfb-run")
    try:
        environments.python_of(_WITH_WINDOW)
    except environments.Unavailable as reason:
        pytest.skip(str(reason))
    with site() as served:
        yield Desk(served, tmp_path_factory.mktemp("desk"))


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_the_window_from_access_file_to_download(desk: Desk) -> None:
    owner = desk.served.owner
    found = desk.run("wizard")
    assert (found["server"], found["scenario"]) == (desk.served.host, "medical")
    assert [title for _, title, _ in found["messages"]] == ["DCOR-Aid restart required"]

    copy = desk.folder / "measured.rtdc"
    shutil.copy(synthetic(events=3000), copy)
    described = {
        "title": "From the window",
        "authors": "A. Author",
        "license_id": "CC0-1.0",
        "owner_org": "matrix",
        "private": True,
    }
    task = desk.folder / "one.dcoraid-task"
    task.write_text(json.dumps({
        "dataset_dict": described,
        "upload_job": {"task_id": "one", "resource_paths": [str(copy)], "resource_names": ["measured.rtdc"], "resource_supplements": [{}]},
    }))  # fmt: skip
    desk.given["task"] = str(task)
    process = desk.begin("upload")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["state"] in ("transfer", "online", "verify", "done")
    os.killpg(process.pid, 9)  # the power went off
    process.wait(60)

    found = desk.run("resume")
    assert found["state"] == "done", found
    shown = owner.get("package_show", id=found["dataset"]).result
    assert (shown["state"], [one["name"] for one in shown["resources"]]) == ("active", ["measured.rtdc"])

    colleague = desk.served.appliance.person("colleague")
    owner.post("group_create", name="shelf", title="Shelf").result  # noqa: B018
    assert colleague.get("package_show", id=shown["id"]).status == 404
    desk.given |= {"share": {"dataset": shown["name"], "collection": "shelf"}, "colleague": "colleague"}
    found = desk.run("share")
    assert not found["messages"]
    for who in found["shared"].values():
        assert any("colleague" in name for name in who), found
    assert colleague.get("package_show", id=shown["id"]).result["id"] == shown["id"]
    members = owner.get("group_show", id="shelf", include_users=True).result["users"]
    assert {one["name"]: one["capacity"] for one in members} == {"owner": "admin", "colleague": "member"}

    resource = shown["resources"][0]
    desk.given["resource"] = resource["id"]
    found = desk.run("download")
    assert found["state"] == "done", found
    original = owner.fetch(f"/dataset/{shown['id']}/resource/{resource['id']}/download/measured.rtdc").content
    assert hashlib.sha256(Path(found["path"]).read_bytes()).digest() == hashlib.sha256(original).digest()

    found = desk.run("renew")
    assert found["renewed"]
    assert Person(desk.served.appliance, "owner", found["token"]).get("user_show").result["name"] == "owner"
