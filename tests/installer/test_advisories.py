"""The table of known advisories was looked through for the versions that are installed."""

from __future__ import annotations

import datetime
import hashlib
import re

from packaging.utils import canonicalize_name

from tests.installer.test_locked_requirements import INSTALLED, TOP, pins

PAGE = TOP / "docs" / "advisories.md"


def looked_through() -> str:
    """SHA-256 of the names and versions in the list."""
    found = sorted(f"{name}=={version}" for name, versions in pins(INSTALLED).items() for version, _hashes in versions)
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def rows() -> list[list[str]]:
    """The cells of each line of the table."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_list_of_versions_is_the_one_that_was_looked_through() -> None:
    digest = looked_through()
    assert f"`{digest}`" in PAGE.read_text(), (
        f"installer/requirements.txt has changed: look through the advisories of the new versions, bring the table in {PAGE.name} up to date, "
        f"and write the date and this sha256 there: {digest}"
    )


def test_every_line_is_about_a_pinned_version() -> None:
    found = pins(INSTALLED)
    assert len(rows()) > 10
    for package, pinned, advisory, affected, reason in rows():
        versions = [version for version, _hashes in found[canonicalize_name(package.split(" ")[0])]]
        assert pinned in versions, (package, pinned, versions)
        assert re.search(r"(CVE|PYSEC|GHSA)-", advisory), advisory
        assert affected
        assert reason


def test_the_date_of_the_check_is_there() -> None:
    said = re.search(r"by hand on\s+\*\*(\d{4}-\d{2}-\d{2})\*\*", PAGE.read_text())
    assert said is not None
    datetime.date.fromisoformat(said[1])
