"""axe-core, the accessibility checker: fetched once with npm into the user's cache, never part of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

VERSION = "4"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def source() -> str | None:
    """The script's text; None where it is not at hand and cannot be fetched."""
    if os.environ.get("DCOR_AXE"):
        return Path(os.environ["DCOR_AXE"]).read_text(encoding="utf-8")
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dcor-tests" / f"axe-core-{VERSION}.js"
    if not kept.exists() and not _fetch(kept):
        return None
    return kept.read_text(encoding="utf-8")


def _fetch(target: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [npm, "pack", "--silent", f"axe-core@{VERSION}"], cwd=folder, capture_output=True, timeout=120, check=False
        )
        archives = list(Path(folder).glob("axe-core-*.tgz"))
        if done.returncode or not archives:
            return False
        with tarfile.open(archives[0]) as archive:
            member = archive.extractfile("package/axe.min.js")
            if member is None:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(member.read())
    return True


def violations(page: Any) -> list[str]:
    """What axe finds on the page as it is now, one line each."""
    script = source()
    assert script is not None
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")  # what the header half covers would count as too small
    page.evaluate(script)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{one['id']}: {one['help']} – {'; '.join(node['html'][:160] for node in one['nodes'][:3])}"
        for one in found["violations"]
    ]
