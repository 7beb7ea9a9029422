"""DCscope under a virtual screen, for tests that open what this server gives in the real program."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.contract.matrix import environments
from tests.contract.matrix.versions import Release

_RELEASE = Release("dcscope", "2.28.4", ("3.12", "3.11"))


def python_or_skip() -> Path:
    """The Python of an environment that has DCscope. Skips the test where it cannot run."""
    if shutil.which("xvfb-run") is None:
        pytest.skip("there is no xvfb-run")
    if os.geteuid() != 0:
        pytest.skip("DCscope's addresses have no port, and only root may serve on 443")
    try:
        return environments.python_of(_RELEASE)
    except environments.Unavailable as reason:
        pytest.skip(str(reason))
