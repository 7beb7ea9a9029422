"""Releases to install and to update to, and what scenarios on other machines need besides."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from appliance import __version__
from tests.support.samples import synthetic

HERE = Path(__file__).parent
TOP = HERE.parents[1]


def make_keys(folder: Path) -> None:
    """A key pair to sign releases with: release.pem, release.pub."""
    for command in (
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", "release.pem"],
        ["openssl", "pkey", "-in", "release.pem", "-pubout", "-out", "release.pub"],
    ):
        subprocess.run(command, cwd=folder, check=True)


def add_tools(folder: Path) -> None:
    """A measurement, the main job, and the functions that scenarios share."""
    shutil.copy(synthetic(), folder / "sample.rtdc")
    for script in ("main_job.py", "killed_releases.py"):
        shutil.copy(HERE / script, folder)
    text = (HERE / "scenario_a.sh").read_text()
    (folder / "functions.sh").write_text(text[text.index("step()") : text.index("cert=")])


def add_releases(folder: Path, python: str) -> None:
    """Beside bundle.tar: newer.tar 0.2.1 (migrating.tar with another step of the schema), broken.tar 0.2.2 that does not start,
    unsigned.tar 0.2.3."""

    def breaks(source: Path) -> None:
        service = source / "appliance" / "service.py"
        service.write_text(service.read_text() + "\nraise RuntimeError('forced')\n")

    def migrates(source: Path) -> None:
        step = source / "appliance" / "store" / "migrations" / "m9000_shoe_size.py"
        step.write_text(
            '"""A step of a later release."""\n\n\ndef upgrade(conn):\n'
            '    conn.execute("ALTER TABLE user ADD COLUMN shoe_size INTEGER")\n'
        )

    variant(folder, "newer.tar", "0.2.1", python)
    variant(folder, "migrating.tar", "0.2.1", python, change=migrates)
    variant(folder, "broken.tar", "0.2.2", python, change=breaks)
    variant(folder, "unsigned.tar", "0.2.3", python, signed=False)


def variant(
    folder: Path,
    name: str,
    version: str,
    python: str,
    *,
    signed: bool = True,
    change: Callable[[Path], None] = lambda _source: None,
) -> None:
    """Another release: the same bundle with the program's wheel built from a changed copy of the source."""
    work = folder / f"work-{version}"
    top, source = work / "top", work / "source"
    top.mkdir(parents=True)
    subprocess.run(["tar", "-xf", str(folder / "bundle.tar"), "-C", str(top), "--strip-components=1"], check=True)
    shutil.copytree(TOP / "appliance", source / "appliance", ignore=shutil.ignore_patterns("__pycache__"))
    for one in ("installer", "systemd"):
        shutil.rmtree(top / one)
        shutil.copytree(TOP / one, top / one)
    for one in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / one, source)
    init = source / "appliance" / "__init__.py"
    init.write_text(init.read_text().replace(f'"{__version__}"', f'"{version}"'))
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
    sums = "find . -type f ! -path './SHA256SUMS*' | sed 's|^\\./||' | LC_ALL=C sort | xargs -d '\\n' sha256sum > ../sums && mv ../sums SHA256SUMS && rm -f SHA256SUMS.sig"
    subprocess.run(["sh", "-c", sums], cwd=top, check=True)
    if signed:
        sign(top, folder / "release.pem")
    subprocess.run(["tar", "-cf", str(folder / name), "-C", str(work), "top"], check=True)
    shutil.rmtree(work)


def sign(top: Path, key: Path) -> None:
    """Sign an unpacked bundle."""
    command = [
        "openssl",
        "pkeyutl",
        "-sign",
        "-inkey",
        str(key),
        "-rawin",
        "-in",
        "SHA256SUMS",
        "-out",
        "SHA256SUMS.sig",
    ]
    subprocess.run(command, cwd=top, check=True)


def seconds(said: str) -> dict[str, int]:
    """How long each step of a scenario took, of what it said. Fails when it did not come to its end."""
    steps = [line.split()[1:] for line in said.splitlines() if line.startswith("STEP ")]
    assert steps, said
    assert steps[-1][1] == "end", said
    return {name: int(after[0]) - int(moment) for (moment, name), after in itertools.pairwise(steps)}
