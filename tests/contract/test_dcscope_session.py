"""DCscope opens the session that a comparison gives, in its window on a virtual display, and its filters select the gate's events.

Needs ``xvfb-run`` and a package index for the first run; the environment is kept beside those of `tests.contract.matrix`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import dclab
import numpy as np
import pytest

from tests.contract.matrix import dcscope
from tests.contract.matrix.run import site
from tests.support.furnished import Visitor

_DRIVER = Path(dcscope.__file__).with_name("drive_dcscope_session.py")
CORNERS = [[40, 0.0], [140, 0.0], [140, 0.12]]
GATES = [
    {"name": "box", "conditions": [{"feature": "area_um", "min": 60, "max": 110}]},
    {"name": "poly", "conditions": [{"x": "area_um", "y": "deform", "points": CORNERS}, {"gate": "box"}]},
]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_comparison_is_opened_with_its_gates(tmp_path: Path) -> None:
    python = dcscope.python_or_skip()
    with site() as served:
        asked = f"/compare.so2?r={served.resource['id']}&g={json.dumps(GATES)}&x=area_um&y=bright_avg"
        answer = Visitor(served.appliance, "owner").get(asked)
        assert answer.status_code == 200, answer.text[:500]
        session = tmp_path / "comparison.so2"
        session.write_bytes(answer.content)
        folder = tmp_path / "certificates"
        folder.mkdir()
        shutil.copy(served.appliance.certificate, folder / f"{served.host}.cert")
        given = {"session": str(session), "certificates": str(folder), "token": served.owner.token}
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "XDG_", "QT_"))}
        environment |= {
            "HOME": str(tmp_path),
            "REQUESTS_CA_BUNDLE": str(served.appliance.certificate),
            "QT_QPA_PLATFORM": "xcb;offscreen",
        }
        done = subprocess.run(
            ["xvfb-run", "-a", str(python), "-I", str(_DRIVER)],
            input=json.dumps(given), capture_output=True, text=True, timeout=600, env=environment, cwd=tmp_path,
        )  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, (done.returncode, done.stderr[-3000:])
        found = json.loads(lines[-1])
        with dclab.new_dataset(served.plain) as local:
            area, deform = (np.asarray(local[name][:]) for name in ("area_um", "deform"))
        inside = (area >= 60) & (area <= 110)
        made = dclab.PolygonFilter(axes=("area_um", "deform"), points=CORNERS)
        both = inside & made.filter(area, deform)
        dclab.PolygonFilter.remove(made.unique_id)
        assert found["slots"] == [served.resource["name"]]
        assert found["filters"] == ["box", "poly"]
        assert found["events"] == {"box": int(inside.sum()), "poly": int(both.sum())}
        assert found["plots"] == [["area_um", "bright_avg"]]
