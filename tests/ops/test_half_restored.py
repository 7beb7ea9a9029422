"""A restore that root was at, killed before the data root was given to its owner: the service says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import root_marker
from tests.ops.place import Place
from tests.support.memory_folder import memory_folder

OWNER = 12345


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the rights of root")
@pytest.mark.parametrize("command", ["serve", "status", "user list"])
def test_settings_that_are_still_of_root_are_no_riddle(place: Place, command: str) -> None:
    with memory_folder() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = folder / "data"
        shutil.copytree(place.root, root, symlinks=True)
        for path in (root, *root.rglob("*")):
            os.chown(path, OWNER, OWNER, follow_symlinks=False)
        (root / root_marker.RESTORING).write_text("2026-12-01_120000\n")
        os.chown(root / "dcor.toml", 0, 0)
        (root / "dcor.toml").chmod(0o600)
        done = subprocess.run(
            [sys.executable, "-m", "appliance", "--data", str(root), *command.split()],
            capture_output=True,
            text=True,
            check=False,
            user=OWNER,
            group=OWNER,
            cwd=folder,
            env=os.environ | {root_marker.MACHINE_VARIABLE: str(folder / "machine")},
        )
    assert done.returncode == 1
    assert "dcor --data" in done.stderr
    assert "backup restore --replace" in done.stderr
