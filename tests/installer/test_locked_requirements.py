"""What is installed from the network is pinned, with hashes, and is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[2]
INSTALLED, TESTED = TOP / "installer" / "requirements.txt", TOP / "tests" / "requirements.txt"
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>.*))?")


def pins(path: Path) -> dict[str, list[tuple[str, list[str]]]]:
    """Name → (version, hashes) of every line."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    text = path.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, _, rest = line.partition(" --hash=")
        matched = _PIN.fullmatch(head.strip())
        assert matched, line
        hashes = re.findall(r"sha256:[0-9a-f]{64}", rest)
        found.setdefault(canonicalize_name(matched["name"]), []).append((matched["version"], hashes))
    return found


@pytest.mark.parametrize("path", [INSTALLED, TESTED], ids=["installer", "tests"])
def test_every_line_is_a_version_with_hashes_and_names_no_place(path: Path) -> None:
    found = pins(path)
    assert len(found) > 40
    for name, versions in found.items():
        for version, hashes in versions:
            assert hashes, (name, version)
    assert "://" not in path.read_text()
    assert not re.search(r"^-", path.read_text(), re.MULTILINE), "options would lead somewhere else"


def test_the_lists_have_what_pyproject_asks_for() -> None:
    wanted = [Requirement(one) for one in PROJECT["dependencies"]]
    tested = wanted + [Requirement(one) for one in PROJECT["optional-dependencies"]["test"]]
    for path, requirements in ((INSTALLED, wanted), (TESTED, tested)):
        found = pins(path)
        for one in requirements:
            versions = [version for version, _hashes in found[canonicalize_name(one.name)]]
            assert all(one.specifier.contains(version, prereleases=True) for version in versions), (one, versions)


def test_what_these_need_in_turn_is_in_the_lists() -> None:
    found, seen = pins(INSTALLED), set()
    pending = [Requirement(one) for one in PROJECT["dependencies"]]
    while pending:
        one = pending.pop()
        name = canonicalize_name(one.name)
        if name in seen:
            continue
        seen.add(name)
        assert name in found, name
        for text in metadata.requires(name) or ():
            needed = Requirement(text)
            extras = one.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                pending.append(needed)
    assert len(seen) > 30


def test_both_lists_agree() -> None:
    tested = pins(TESTED)
    assert {name: found for name, found in pins(INSTALLED).items() if tested.get(name) != found} == {}


def test_these_tests_run_with_the_versions_of_the_list() -> None:
    found = pins(INSTALLED)
    differing = {}
    for name, versions in found.items():
        if name in ("pip", "setuptools"):
            continue
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:  # for another system
            continue
        if here not in [version for version, _hashes in versions]:
            differing[name] = here
    assert differing == {}


def test_nothing_is_installed_from_the_network_without_the_list() -> None:
    """Every `pip install` and `pip wheel` of the installer either checks hashes or is kept from the network or its dependencies."""
    checked = 0
    for path in [*(TOP / "installer").rglob("*.sh"), TOP / "tests" / "run.sh"]:
        for line in re.sub(r"\\\n", " ", path.read_text()).splitlines():
            if re.search(r"(-m pip|\$pip)\b.*", line) and re.search(r"\b(install|wheel|download) ", line + " "):
                if line.lstrip().startswith(("#", "pip=")):
                    continue
                for call in re.split(r"&&", line):
                    if re.search(r"(-m pip|\$pip)", call):
                        checked += 1
                        assert any(word in call for word in ("--require-hashes", "--no-index", "--no-deps")), (
                            path.name,
                            call,
                        )
    assert checked >= 4
