"""Files and comparisons for tests of the RT-DC kernel."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from appliance.demo import synthetic
from tests.support import rtdc, samples

REAL = samples.real()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`real_file`: each real measurement; the test is skipped where there are none."""
    if "real_file" in metafunc.fixturenames:
        metafunc.parametrize("real_file", REAL or [None], ids=[path.stem for path in REAL] or ["none"])


@pytest.fixture(autouse=True)
def _real_files_needed(request: pytest.FixtureRequest) -> None:
    if "real_file" in request.fixturenames and request.getfixturevalue("real_file") is None:
        pytest.skip("no real measurements here")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic measurement of 120 events with everything in it."""
    path = tmp_path_factory.mktemp("made") / "made.rtdc"
    synthetic.write(path, events=120, seed=3)
    return path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic measurement of 12 small events."""
    return rtdc.sound(tmp_path_factory.mktemp("small") / "small.rtdc")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The folder a task may write into."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def dclab_condense(source: Path, target: Path) -> Path:
    """Condense with dclab's own command. → the file."""
    import dclab.cli

    with contextlib.redirect_stdout(io.StringIO()):
        dclab.cli.condense(source, target)
    return target
