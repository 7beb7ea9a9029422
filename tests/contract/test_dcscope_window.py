"""DCscope as its users see it, on a virtual display: set up by the access file; a private measurement is found, opened, plotted, looked at.

Needs ``xvfb-run`` and a package index for the first run; the environment is kept beside those of `tests.contract.matrix`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import dclab
import numpy as np
import pytest

from tests.contract.matrix import dcscope
from tests.contract.matrix.run import site

_DRIVER = Path(dcscope.__file__).with_name("drive_dcscope_gui.py")


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_remote_measurement_is_opened_plotted_and_looked_at(tmp_path: Path) -> None:
    python = dcscope.python_or_skip()
    with site() as served:
        served.owner.activate(served.resource["package_id"])
        given = served.asked(tmp_path) | {"search": "measurement of blood"}
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "XDG_", "QT_"))}
        environment |= {
            "HOME": str(tmp_path),
            "REQUESTS_CA_BUNDLE": given["certificate"],
            "QT_QPA_PLATFORM": "xcb;offscreen",
        }
        done = subprocess.run(
            ["xvfb-run", "-a", str(python), "-I", str(_DRIVER), json.dumps(given)],
            capture_output=True, text=True, timeout=600, env=environment, cwd=tmp_path,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, (done.returncode, done.stderr[-3000:])
        found = json.loads(lines[-1])
        with dclab.new_dataset(served.plain) as local:
            assert (found["server"], found["hits"], found["events"]) == (served.host, 1, len(local))
            assert found["deform"] == [pytest.approx(float(np.mean(local["deform"][:]))), len(local)]
            height, width, mean = found["image"]
            assert (height, width) == local["image"].shape[1:3]
            assert mean == pytest.approx(float(local["image"][found["event"]].mean()))
        assert (found["windows"], found["drawn"]) == (1, True)
        height, width, shades = found["painted"]
        assert min(height, width, shades) > 10, "the view of the event shows a picture"
