"""bandit finds nothing in our code but what docs/code-analysis.md explains."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
ROW = re.compile(r"\| (B\d+) [^|]*\| ([^ |]+) \| (\d+) \| ([^|]{10,}) \|")


def explained() -> Counter[tuple[str, str]]:
    text = (TOP / "docs" / "code-analysis.md").read_text(encoding="utf-8")
    return Counter({(rule, path): int(number) for rule, path, number, _why in ROW.findall(text)})


def test_every_finding_is_explained_and_every_explanation_is_of_a_finding() -> None:
    pytest.importorskip("bandit")
    command = [
        sys.executable,
        "-m",
        "bandit",
        "-q",
        "-c",
        "pyproject.toml",
        "-f",
        "json",
        "-r",
        "appliance",
        "installer",
    ]
    said = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    found = json.loads(said.stdout)
    assert found["errors"] == []
    assert found["metrics"]["_totals"]["loc"] > 10_000
    results = Counter((one["test_id"], one["filename"].removeprefix("./")) for one in found["results"])
    assert results == explained()


def test_rules_that_are_left_out_have_a_reason() -> None:
    lines = (TOP / "pyproject.toml").read_text().splitlines()
    skipped = tomllib.loads("\n".join(lines))["tool"]["bandit"]["skips"]
    assert skipped
    for rule in skipped:
        (line,) = [line for line in lines if f'"{rule}"' in line]
        assert re.search(r"# .{20,}", line), line
