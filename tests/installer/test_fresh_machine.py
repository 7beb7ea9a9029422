"""From nothing to disaster recovery on machines without a network: install, main job, backup, burn, restore, update, roll back.

The machines are name spaces with an overlay over this one (root needed); see machine.sh.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.samples import synthetic

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
    keys = [
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", "release.pem"],
        ["openssl", "pkey", "-in", "release.pem", "-pubout", "-out", "release.pub"],
    ]
    for command in keys:
        subprocess.run(command, cwd=folder, check=True)
    python = system_python()
    assert python is not None
    build = [
        str(TOP / "installer" / "bundle.sh"),
        "--python",
        python,
        "--out",
        str(folder),
        "--key",
        str(folder / "release.pem"),
    ]
    subprocess.run(build, check=True, timeout=900)
    next(folder.glob("dcor-appliance-*.tar")).rename(folder / "bundle.tar")
    shutil.copy(synthetic(), folder / "sample.rtdc")
    shutil.copy(HERE / "main_job.py", folder)
    contract = " ".join(sorted(path.stem for path in (TOP / "tests" / "contract").glob("test_*.py")))
    (folder / "checkout").write_text(f"python='{sys.executable}' top='{TOP}' contract='{contract}'\n")
    text = (HERE / "scenario_a.sh").read_text()
    (folder / "functions.sh").write_text(text[text.index("step()") : text.index("cert=")])
    variant(folder, "newer.tar", "0.1.1", python)
    variant(folder, "unsigned.tar", "0.1.3", python, sign=False)

    def breaks(source: Path) -> None:
        (source / "appliance" / "service.py").write_text(
            (source / "appliance" / "service.py").read_text() + "\nraise RuntimeError('forced')\n"
        )

    variant(folder, "broken.tar", "0.1.2", python, change=breaks)
    return folder


def variant(
    folder: Path,
    name: str,
    version: str,
    python: str,
    *,
    sign: bool = True,
    change: Callable[[Path], None] = lambda _source: None,
) -> None:
    """Another release: the same bundle with the program's wheel built from a changed copy of the source."""
    work = folder / f"work-{version}"
    top, source = work / "top", work / "source"
    top.mkdir(parents=True)
    subprocess.run(["tar", "-xf", str(folder / "bundle.tar"), "-C", str(top), "--strip-components=1"], check=True)
    shutil.copytree(TOP / "appliance", source / "appliance", ignore=shutil.ignore_patterns("__pycache__"))
    for one in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / one, source)
    init = source / "appliance" / "__init__.py"
    init.write_text(init.read_text().replace('"0.1.0"', f'"{version}"'))
    change(source)
    shutil.copy(init, top / "appliance" / "__init__.py")
    next((top / "wheelhouse").glob("dcor_appliance-*.whl")).unlink()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            str(top / "wheelhouse"),
            str(source),
        ],
        check=True,
    )
    listing = [
        python,
        str(TOP / "installer" / "components.py"),
        str(top / "wheelhouse"),
        "--requirements",
        str(top / "requirements.txt"),
        "--sbom",
        str(top / "sbom.cdx.json"),
    ]
    subprocess.run(listing, check=True)
    sums = "find . -type f ! -name 'SHA256SUMS*' | sed 's|^\\./||' | LC_ALL=C sort | xargs -d '\\n' sha256sum > ../sums && mv ../sums SHA256SUMS && rm -f SHA256SUMS.sig"
    subprocess.run(["sh", "-c", sums], cwd=top, check=True)
    if sign:
        subprocess.run(
            [
                "openssl",
                "pkeyutl",
                "-sign",
                "-inkey",
                str(folder / "release.pem"),
                "-rawin",
                "-in",
                "SHA256SUMS",
                "-out",
                "SHA256SUMS.sig",
            ],
            cwd=top,
            check=True,
        )
    subprocess.run(["tar", "-cf", str(folder / name), "-C", str(work), "top"], check=True)
    shutil.rmtree(work)


def on_a_fresh_machine(script: str, shared: Path, state: Path) -> dict[str, int]:
    """Run a scenario; returns the seconds of each step. Fails with everything it said."""
    command = [str(HERE / "machine.sh"), str(state), str(shared), str(HERE / script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2000)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout, done.stdout
    steps = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("STEP ")]
    assert steps[-1][1] == "end", done.stdout + done.stderr
    seconds = {name: int(after[0]) - int(moment) for (moment, name), after in itertools.pairwise(steps)}
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
    assert passed >= 90
    assert all(any(reason in why for reason in MAY_BE_SKIPPED) for why in skipped), skipped
    assert second["failing-update"] < 120  # installation of the bundle included; the way back alone takes seconds
