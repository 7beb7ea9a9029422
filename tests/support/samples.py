"""Measurements for tests: synthetic ones always, real ones where the folder with them is there."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

#: Made on import, before a service of this process moves the place for temporary files.
_FOLDER = Path(tempfile.mkdtemp(prefix="dcor-test-samples-"))
REAL = Path(__file__).parents[3] / "shared" / "data"


@cache
def synthetic(*options: str, events: int = 60) -> Path:
    """A synthetic measurement, made once a run by the demonstration's generator with these options of its."""
    arguments = ["--events", str(events), *options]
    path = _FOLDER / f"synthetic_{hashlib.sha256(' '.join(arguments).encode()).hexdigest()[:8]}.rtdc"
    subprocess.run(
        [sys.executable, "-m", "appliance.demo.synthetic", str(path), *arguments], check=True, stdout=subprocess.DEVNULL
    )
    return path


def clear() -> None:
    """Remove what was made."""
    shutil.rmtree(_FOLDER, ignore_errors=True)


def real() -> list[Path]:
    """Real files of several instruments and years; none where the folder is missing."""
    return sorted(REAL.glob("*.rtdc")) if REAL.is_dir() else []


def measurements() -> list[Path]:
    """A synthetic file and all real ones."""
    return [synthetic(), *real()]
