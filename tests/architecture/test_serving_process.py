"""The process that talks to the network never opens a measurement itself: it does not even have the libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.samples import synthetic

_SCRIPT = """
import json, pathlib, sys
from tests.support.server import Appliance
running = Appliance(pathlib.Path(sys.argv[1]))
user = running.person("somebody")
user.circle("lab")
draft = user.draft("lab")
resource = user.add(draft["id"], pathlib.Path(sys.argv[2]))
user.activate(draft["id"])
jobs = running.jobs_done(resource["id"])
version1 = user.get("dcserv", id=resource["id"], query="feature", feature="deform").result
answers = [user.get("dcserv", id=resource["id"], query=query, version=2).status for query in ("metadata", "logs", "tables", "basins")]
page = user.fetch("/dataset/" + draft["name"]).status_code
maps = pathlib.Path("/proc/self/maps")
mapped = maps.read_text() if maps.exists() else ""
running.stop()
print(json.dumps({
    "jobs": [job["state"] for job in jobs], "answers": answers, "values": len(version1), "page": page,
    "modules": [name for name in ("h5py", "dclab", "hdf5plugin") if name in sys.modules],
    "libraries": [name for name in ("libhdf5", "h5py", "dclab") if name in mapped],
}))
"""


def test_the_serving_process_has_no_hdf5(tmp_path: Path) -> None:
    source = synthetic()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, tmp_path / "data", source],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["modules"] == []
    assert found["libraries"] == []
    assert set(found["jobs"]) == {"done"}
    assert found["answers"] == [200] * 4
    assert (found["values"], found["page"]) == (60, 200)
