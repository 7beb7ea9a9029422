"""The systemd units: accepted by systemd, tightly sandboxed, and the service still does its work under their rules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installer.confined import allowed, settings
from tests.support.samples import synthetic

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
LOOSEST = 15  # tenths of systemd's exposure score

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with the units and a program where they expect it."""
    root = tmp_path_factory.mktemp("image")
    folder = root / "etc/systemd/system"
    shutil.copytree(UNITS, folder)
    program = root / "opt/dcor/current/bin/dcor"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    system = root / "usr/lib/systemd/system"
    system.mkdir(parents=True)
    for target in Path("/usr/lib/systemd/system").glob("*.target"):
        if target.is_file():
            shutil.copy(target, system)
    return root


def test_systemd_accepts_every_unit(image: Path) -> None:
    units = [str(path) for path in (image / "etc/systemd/system").iterdir() if path.suffix in (".service", ".timer")]
    done = subprocess.run(
        ["systemd-analyze", f"--root={image}", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_exposure_is_low(image: Path, service: str) -> None:
    command = [
        "systemd-analyze",
        f"--root={image}",
        "security",
        "--offline=true",
        f"--threshold={LOOSEST}",
        "--no-pager",
        service,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_service_may_listen_below_1024_and_nothing_else() -> None:
    unit = settings(UNITS / "dcor.service")
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"]
    assert (unit["Type"], unit["NoNewPrivileges"], unit["ProtectSystem"]) == (["notify"], ["yes"], ["strict"])
    assert int(unit["WatchdogSec"][0]) > 0
    assert int(unit["StartLimitBurst"][0]) >= 20  # systemd counts an administrator's restarts among the failed ones
    assert {"landlock_restrict_self", "seccomp", "clone", "openat"} <= allowed(unit["SystemCallFilter"])
    assert not {"mount", "ptrace", "setuid", "chroot", "bpf", "reboot"} & allowed(unit["SystemCallFilter"])


def test_every_timer_has_its_service_and_a_command_that_exists() -> None:
    from appliance.cli.root import cli

    timers = sorted(UNITS.glob("*.timer"))
    assert len(timers) >= 4
    for timer in timers:
        words = settings(timer.with_suffix(".service"))["ExecStart"][0].split()
        assert words[0] == "/opt/dcor/current/bin/dcor"
        command = cli.get_command(None, words[1])  # type: ignore[arg-type]
        for word in words[2:]:
            if not word.startswith("-"):
                command = command.commands[word]  # type: ignore[union-attr]
            else:
                assert word in [name for parameter in command.params for name in parameter.opts]  # type: ignore[union-attr]


def confined(unit: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.installer.confined", str(UNITS / unit), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_the_rules_really_hold() -> None:
    tried = "import os, socket\nfor what in (lambda: os.unshare(0x10000000) if hasattr(os, 'unshare') else os.setuid(0), lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW), lambda: os.setuid(0)):\n try: what(); print('did')\n except OSError: print('no')"
    assert confined("dcor.service", sys.executable, "-c", tried).stdout.split() == ["no", "no", "no"]


def test_a_job_in_its_own_sandbox_works_under_the_rules(tmp_path: Path) -> None:
    done = confined(
        "dcor.service",
        sys.executable,
        "-m",
        "appliance",
        "--data",
        str(tmp_path / "none"),
        "condense",
        str(synthetic()),
        str(tmp_path / "out.rtdc"),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.rtdc").stat().st_size > 0


@pytest.mark.slow
def test_the_whole_service_works_under_the_rules(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from tests.support.samples import synthetic
from tests.support.server import Appliance
appliance = Appliance(Path(sys.argv[1]))
ada = appliance.person("ada", password="a good long phrase")
ada.circle("lab")
draft = ada.draft("lab")
resource = ada.add(draft["id"], synthetic())
jobs = appliance.jobs_done(resource["id"])
assert all(job["state"] == "done" for job in jobs), jobs
assert ada.activate(draft["id"])["state"] == "active"
assert appliance.nobody.fetch("/").status_code == 200
appliance.stop()
print("did it")
"""
    done = confined("dcor.service", sys.executable, "-c", script, str(tmp_path / "data"))
    assert done.stdout.split("\n")[-2:] == ["did it", ""], done.stderr
