"""An environment for each release, made once and kept in a cache folder outside of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.contract.matrix.versions import Release

#: Environment variable with the folder of the cache.
CACHE = "DCOR_TEST_CLIENTS"
_DEADLINE = 900  # [s], to install one


class Unavailable(Exception):
    """A release can not be run here; the words say why."""


def cache() -> Path:
    """The folder that holds the environments."""
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "dcor-test-clients")


def python_of(release: Release) -> Path:
    """The interpreter of a release's environment, which is made unless it is there. Raises Unavailable."""
    folder = cache() / release.name
    python = folder / "bin" / "python"
    if (folder / "complete").is_file():
        return python
    reasons = []
    for version in release.pythons:
        found = _interpreter(version)
        if found is None:
            reasons.append(f"there is no Python {version}")
            continue
        reason = _install(release, found, folder)
        if not reason:
            (folder / "complete").write_text(version)
            return python
        reasons.append(f"Python {version}: {reason}")
    raise Unavailable("; ".join(reasons))


def _interpreter(version: str) -> str | None:
    """A Python of this version: on the PATH, of pyenv, or of uv."""
    variable = os.environ.get(f"DCOR_TEST_PYTHON{version.replace('.', '')}")
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    candidates = [variable, *(str(path) for path in kept), shutil.which(f"python{version}")]
    if uv := shutil.which("uv"):
        asked = subprocess.run([uv, "python", "find", version], capture_output=True, text=True)
        candidates.append(asked.stdout.strip())
    return next((one for one in candidates if one and _is(one, version)), None)


def _is(python: str, version: str) -> bool:
    asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() == version


def _install(release: Release, interpreter: str, folder: Path) -> str:
    """Make the environment; returns why it can not be, "" when it can."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = str(folder / "bin" / "python")
    wheels = [f"--no-binary={','.join(release.builds)}"] if release.builds else ["--only-binary=:all:"]
    pip = [python, "-m", "pip", "install", "-q", "--prefer-binary"]
    steps = [[interpreter, "-m", "venv", str(folder)]]
    if release.builds:
        steps.append([*pip, "-U", "pip", "setuptools<70", "wheel"])
    steps.append([*pip, *wheels, release.requirement])
    steps.append([python, "-c", f"import dclab, {release.package}"])
    limits = folder.parent / "build-limits.txt"
    limits.write_text("cython<3\n")  # the sources of that time
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "PIP_CONSTRAINT": str(limits) if release.builds else ""
    }
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=_DEADLINE, env=environment)
        except subprocess.TimeoutExpired:
            return "installing took too long"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["failed"])[-1][:200]
    return ""
