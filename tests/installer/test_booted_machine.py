"""The installation on other distributions as they come, booted with their own systemd: the service under all its rules.

debootstrap fetches the distribution, a bundle is made in it, and a fresh copy without a network installs that. Before a
release: `tests/run.sh -m soak tests/installer/test_booted_machine.py`; `DCOR_TEST_TREES` names a folder that keeps the trees.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance import __version__
from tests.installer import bundles
from tests.installer.bundles import HERE, TOP

#: Distribution → its Python.
SUITES = {"trixie": "3.13", "bookworm": "3.11"}
PACKAGES = "python3,systemd,systemd-sysv,dbus,openssl,iproute2,ca-certificates,procps,bindfs"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(
        os.geteuid() != 0 or any(shutil.which(tool) is None for tool in ("debootstrap", "systemd-nspawn", "unshare")),
        reason="needs root, debootstrap and systemd-nspawn (apt-get install debootstrap systemd-container)",
    ),
]


@pytest.fixture(scope="module", params=SUITES)
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distribution's smallest system with Python and systemd."""
    kept = os.environ.get("DCOR_TEST_TREES")
    folder = (Path(kept) if kept else tmp_path_factory.mktemp("trees")) / request.param
    if not (folder / "usr/bin/python3").exists():
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", request.param, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
        if done.returncode != 0:
            pytest.skip(f"{request.param} cannot be had here: {done.stdout[-300:]}")
    said = subprocess.run(["chroot", folder, "python3", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"Python {SUITES[request.param]}.")
    return folder


@pytest.fixture(scope="module")
def shared(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the machine can see: bundles made on its own kind, a sample, scripts."""
    folder = tmp_path_factory.mktemp("shared")
    bundles.make_keys(folder)
    work = tmp_path_factory.mktemp("builder")
    built = subprocess.run(
        [HERE / "builder.sh", tree, work, TOP, folder], capture_output=True, text=True, check=False, timeout=1200
    )
    assert built.returncode == 0, built.stdout + built.stderr
    bundle = next(folder.glob("dcor-appliance-*.tar"))
    shutil.copy(bundle, folder / "bundle.tar")
    bundles.add_tools(folder)
    bundles.add_releases(folder, "python3")
    shutil.copy(folder / "newer.tar", folder / bundle.name.replace(__version__, "0.2.1"))
    return folder


def test_a_booted_machine_from_installation_to_removal(tree: Path, shared: Path, tmp_path: Path) -> None:
    command = [HERE / "booted.sh", tree, tmp_path, shared, HERE / "scenario_systemd.sh"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "console").read_text(errors="replace")[-2000:]
    assert "FAIL" not in done.stdout, done.stdout
    assert "Overall exposure level for dcor.service: 1." in done.stdout
    print(tree.name, bundles.seconds(done.stdout))


def test_the_role_installs_changes_nothing_twice_and_updates(tree: Path, shared: Path, tmp_path: Path) -> None:
    command = [HERE / "booted.sh", tree, tmp_path, shared, HERE / "scenario_ansible.sh"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout, done.stdout
    print(tree.name, bundles.seconds(done.stdout))


#: Kills of the real commands, by action.
KILLS = {"update": 40, "rollback": 60, "bundle": 4, "backup": 25, "restore": 35, "repair": 30, "force": 3, "install": 4}


@pytest.mark.timeout(12_000)
def test_real_updates_rollbacks_and_installations_are_killed(tree: Path, shared: Path, tmp_path: Path) -> None:
    """After each kill the service is back by itself, by its start, or by the one command that a message names."""
    (shared / "kills.json").write_text(json.dumps(KILLS))
    command = [HERE / "booted.sh", tree, tmp_path, shared, HERE / "scenario_kills.sh"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=11_500,
        env={**os.environ, "SECONDS_AT_MOST": "11000"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = [json.loads(line) for line in (shared / "kills.jsonl").read_text().splitlines()]
    assert [one for one in found if "wrong" in one] == []
    assert found[-1]["kills"] >= sum(KILLS.values())
    print(found[-1])
