"""Machines that lack what the sandbox is made of, or are short of processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.health.base import Level, Premises
from appliance.health.machine import sandbox as sandbox_check
from appliance.health.overview import overview, state_of
from appliance.jobs import landlock, seccomp
from appliance.jobs.confinement import Confinement
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import SandboxError

from .conftest import HERE, Appliance

Make = Callable[..., Sandbox]


@pytest.fixture
def lacking(tmp_path: Path) -> Iterator[Make]:
    """A sandbox on a machine that lacks something."""
    made: list[Sandbox] = []

    def make(what: str, *, allow_weak: bool = False) -> Sandbox:
        folder = tmp_path / "tasks"
        folder.mkdir()
        shutil.copyfile(HERE / "crippled_tasks.py", folder / "crippled_tasks.py")
        (folder / "lacks").write_text(what)
        sandbox = Sandbox(tmp_path / "scratch", allow_weak=allow_weak, tasks="crippled_tasks", tasks_folder=folder)
        made.append(sandbox)
        return sandbox

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"measurement")
    return path


@pytest.mark.parametrize("what", ["landlock", "filter"])
def test_no_file_is_opened_without_walls(lacking: Make, file: Path, what: str) -> None:
    sandbox = lacking(what)
    with pytest.raises(SandboxError, match=r"jobs\.allow_weak_sandbox") as caught:
        sandbox.run("nothing", file, {}, timeout=20)
    assert caught.value.permanent
    with pytest.raises(SandboxError):
        sandbox.open(Confinement(read=(str(file),)), serve=True)
    assert sandbox.capabilities()["complete"] is False


def test_a_setting_allows_it(lacking: Make, file: Path) -> None:
    assert "pid" in lacking("landlock", allow_weak=True).run("nothing", file, {}, timeout=20).answer


def test_the_child_itself_refuses_as_well(lacking: Make, file: Path) -> None:
    """Should the service be wrong about what the kernel offers."""
    sandbox = lacking("landlock")
    sandbox.warm_up()
    sandbox._capabilities["complete"] = True
    with pytest.raises(SandboxError, match="without a result"):
        sandbox.run("nothing", file, {}, timeout=20)


def test_administrators_are_told(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    premises = Premises(appliance.root, appliance.settings)
    premises.db = appliance.db
    complete = overview(premises)["sandbox"]
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr(seccomp, "supported", lambda: True)
    assert [one.level for one in sandbox_check(premises)] == [Level.PROBLEM, Level.WARNING]
    refused = overview(premises)
    assert refused["sandbox"]["used"] is False
    assert "no Landlock" in refused["sandbox"]["summary"]
    assert state_of(refused | {"running": True}) == "problem"
    allowed = Premises(appliance.root, appliance.settings.replace(**{"jobs.allow_weak_sandbox": True}))
    allowed.db = appliance.db
    assert [one.level for one in sandbox_check(allowed)] == [Level.WARNING]
    assert overview(allowed)["sandbox"] == refused["sandbox"] | {"used": True}
    assert complete["used"] or not complete["complete"]


def test_a_fork_that_fails_costs_one_attempt(lacking: Make, file: Path) -> None:
    """The process that forks, and every other child, go on."""
    sandbox = lacking("processes")
    with pytest.raises(SandboxError) as caught:
        sandbox.run("nothing", file, {}, timeout=20)
    assert (caught.value.kind, caught.value.permanent) == ("lost", False)
    process = sandbox._process
    assert "pid" in sandbox.run("nothing", file, {}, timeout=20).answer
    with pytest.raises(SandboxError):
        sandbox.run("nothing", file, {}, timeout=20)
    assert "pid" in sandbox.run("nothing", file, {}, timeout=20).answer
    assert sandbox._process is process
