"""Run CKAN's own tests against a live service, sort what differs, and write the result into docs/clients.md.

CKAN is installed from the package index into an environment of its own; nothing of it is part of this project. Ends with 1 when a
test differs that is in no kind of `kinds`, or one that is in a kind passes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from appliance.web.api.registry import ACTIONS
from tests.contract.ckan_suite.page import write
from tests.contract.ckan_suite.served import served
from tests.contract.matrix.environments import cache

VERSION = "2.11.6"
FOLDERS = ("action", "auth")
_TOP = Path(__file__).parents[3]


def main() -> int:
    """Run; say in numbers what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract.ckan_suite", description=__doc__)
    parser.add_argument(
        "folders", nargs="*", default=FOLDERS, help="action, auth; the page is written when both are run"
    )
    chosen = parser.parse_args().folders
    python = _environment()
    with tempfile.TemporaryDirectory(prefix="dcor-ckan-") as folder, served(Path(folder)) as environment:
        outcomes = {one: _run(python, one, Path(folder), environment) for one in chosen}
    return write(outcomes, page=set(chosen) == set(FOLDERS))


def _environment() -> Path:
    """The interpreter of an environment with CKAN, which is made unless it is there."""
    folder = cache() / f"ckan-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        wanted = [f"ckan[requirements]=={VERSION}", "pytest", "freezegun", "factory_boy", "faker", "pytest-factoryboy"]
        further = ["responses", "beautifulsoup4", "pillow"]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted, *further], check=True)
        (folder / "complete").touch()
    return python


def _run(python: Path, folder: str, root: Path, environment: dict[str, str]) -> dict[str, str]:
    """What became of each test of a folder of CKAN's tests of its logic."""
    asked = [python, "-c", "import ckan, pathlib; print(pathlib.Path(ckan.__file__).parent)"]
    package = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    report = root / f"{folder}.json"
    variables = {
        "PYTHONPATH": str(_TOP),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "DCOR_SUITE_REPORT": str(report),
        "DCOR_SUITE_ACTIONS": json.dumps(sorted(ACTIONS)),
    }
    plugins = ["-p", "faker.contrib.pytest.plugin", "-p", "tests.contract.ckan_suite.plugin", "-p", "no:cacheprovider"]
    tests = package / "tests" / "logic"
    command = [python, "-m", "pytest", *plugins, "-c", os.devnull, f"--rootdir={tests}", "-q", "--tb=short"]
    command += ["--import-mode=importlib", str(tests / folder)]
    subprocess.run(command, env=os.environ | environment | variables, cwd=root)
    return {name.removeprefix(f"{folder}/"): word for name, word in json.loads(report.read_text()).items()}


if __name__ == "__main__":
    sys.exit(main())
