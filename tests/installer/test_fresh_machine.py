"""From nothing to disaster recovery on machines without a network: install, main job, backup, burn, restore, update, roll back.

The machines are name spaces with an overlay over this one (root needed); see machine.sh.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.installer import bundles

#: What a test of clients may miss on the restored machine: settings of its own, a Python of 2019, a picture in a file.
MAY_BE_SKIPPED = ("settings of its own", "no Python 3.8", "can not be installed here", "no pictures in this file")
HERE = Path(__file__).parent
TOP = HERE.parents[1]


def system_python() -> str | None:
    """A Python ≥ 3.11 that every account may run: the fresh machine's."""
    for name in ("/usr/bin/python3", "/usr/bin/python3.13", "/usr/bin/python3.12", "/usr/bin/python3.11"):
        if (
            Path(name).exists()
            and subprocess.run(
                [name, "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"], check=False
            ).returncode
            == 0
        ):
            return name
    return None


def can_make_machines() -> bool:
    """Is this root, with name spaces and overlays?"""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = "mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"
    return (
        subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", probe], capture_output=True, check=False
        ).returncode
        == 0
    )


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2300),
    pytest.mark.skipif(
        not can_make_machines() or system_python() is None,
        reason="needs root, name spaces, an overlay and the system's Python with venv",
    ),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both machines can see: bundles of four releases, a sample, scripts."""
    folder = tmp_path_factory.mktemp("shared")
    folder.chmod(0o755)
    bundles.make_keys(folder)
    python = system_python()
    assert python is not None
    build = [str(TOP / "installer" / "bundle.sh"), "--python", python, "--out", str(folder)]
    subprocess.run([*build, "--key", str(folder / "release.pem")], check=True, timeout=900)
    next(folder.glob("dcor-appliance-*.tar")).rename(folder / "bundle.tar")
    bundles.add_tools(folder)
    bundles.add_releases(folder, python)
    contract = " ".join(sorted(path.stem for path in (TOP / "tests" / "contract").glob("test_*.py")))
    (folder / "checkout").write_text(f"python='{sys.executable}' top='{TOP}' contract='{contract}'\n")
    return folder


def on_a_fresh_machine(script: str, shared: Path, state: Path) -> dict[str, int]:
    """Run a scenario; returns the seconds of each step. Fails with everything it said."""
    command = [str(HERE / "machine.sh"), str(state), str(shared), str(HERE / script), str(TOP), sys.prefix]
    data = TOP.parent / "shared"
    command += [str(data)] if data.is_dir() else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2000)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout, done.stdout
    seconds = bundles.seconds(done.stdout)
    print(script, seconds)
    return seconds


def contract_results(folder: Path) -> tuple[int, list[str]]:
    """How many tests of clients passed on the restored machine, and why the others were skipped."""
    cases = [case for path in sorted(folder.glob("*.xml")) for case in ElementTree.parse(path).iter("testcase")]
    skipped = [f"{case.get('name')}: {mark.get('message')}" for case in cases for mark in case.iter("skipped")]
    return len(cases) - len(skipped), skipped


def test_install_work_backup_burn_restore_update_and_roll_back(shared: Path, tmp_path: Path) -> None:
    first = on_a_fresh_machine("scenario_a.sh", shared, tmp_path / "a")
    assert first["install"] < 300  # five minutes; about 25 s on a quiet machine
    second = on_a_fresh_machine("scenario_b.sh", shared, tmp_path / "b")
    passed, skipped = contract_results(shared / "contract")
    print(f"{passed} tests of clients passed after the restore; skipped: {skipped}")
    assert passed >= 45  # twice as many where the real measurements are at hand
    assert all(any(reason in why for reason in MAY_BE_SKIPPED) for why in skipped), skipped
    assert second["failing-update"] < 120  # installation of the bundle included; the way back alone takes seconds
