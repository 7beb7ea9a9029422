"""What the guide says about looking at the first bundle, with programs that were there before: as written, and that it finds a change."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.installer.bundles import make_keys, sign

GUIDE = Path(__file__).parents[2] / "docs" / "admin-guide.md"
TAR = "dcor-appliance-VERSION-py311-x86_64.tar"


def lines_of_the_guide() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    after = text[text.index("Verify the first bundle before running anything in it") :]
    found = re.search(r"\n((?:    .+\n)+)", after)
    assert found
    return [line.strip() for line in found[1].splitlines()]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A signed bundle in a folder of its own, with the public key beside it."""
    make_keys(tmp_path)
    top = tmp_path / "dcor-appliance-VERSION"
    (top / "installer").mkdir(parents=True)
    (top / "installer" / "install.sh").write_text("#!/bin/sh\necho hello\n")
    subprocess.run("sha256sum installer/install.sh >SHA256SUMS", shell=True, cwd=top, check=True)
    sign(top, tmp_path / "release.pem")
    return tmp_path


def look(bundle: Path) -> subprocess.CompletedProcess[str]:
    subprocess.run(["tar", "-cf", TAR, "dcor-appliance-VERSION"], cwd=bundle, check=True)
    subprocess.run(["rm", "-r", "dcor-appliance-VERSION"], cwd=bundle, check=True)
    script = "set -e\n" + "\n".join(lines_of_the_guide())
    return subprocess.run(["sh", "-c", script], cwd=bundle, capture_output=True, text=True, check=False)


def test_a_genuine_bundle_is_recognised(bundle: Path) -> None:
    said = look(bundle)
    assert (said.returncode, "Signature Verified Successfully" in said.stdout) == (0, True), said
    assert re.search(rf"^[0-9a-f]{{64}}  {TAR}$", said.stdout, re.MULTILINE)


@pytest.mark.parametrize("what", ["file", "list", "signature"])
def test_a_changed_one_is_not(bundle: Path, what: str) -> None:
    top = bundle / "dcor-appliance-VERSION"
    changed = {"file": "installer/install.sh", "list": "SHA256SUMS", "signature": "SHA256SUMS.sig"}[what]
    content = (top / changed).read_bytes()
    (top / changed).write_bytes(content[:-2] + bytes([content[-2] ^ 1, content[-1]]))
    said = look(bundle)
    assert said.returncode != 0
    assert "Signature Verified Successfully" not in said.stdout
