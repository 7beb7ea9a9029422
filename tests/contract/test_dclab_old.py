"""The oldest dclab that can still be installed (0.48.7, which speaks version 1 of dcserv) reads what today's reads.

Needs Python 3.8 as ``python3.8`` (or its path in ``DCOR_TEST_PYTHON38``) and a package index; without them it is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.samples import measurements
from tests.support.server import Appliance

_SCRIPT = """
import json, sys
import dclab, numpy as np
from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR
import dclab.rtdc_dataset.fmt_dcor as module
url, token, certificates, files = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
module.DCOR_CERTS_SEARCH_PATHS.append(certificates)
wrong = []
for resource, path in files:
    remote = RTDC_DCOR(url + "/api/3/action/dcserv?id=" + resource, api_key=token)
    with dclab.new_dataset(path) as local:
        if len(remote) != len(local):
            wrong.append((path, "size"))
        for feature in set(local.features_innate) - {"trace", "contour"}:
            where = 2 if feature in ("image", "mask", "image_bg") else slice(None)
            if not np.array_equal(remote[feature][where], local[feature][where]):
                wrong.append((path, feature))
        for name in local["trace"].keys() if "trace" in local else ():
            if not np.array_equal(remote["trace"][name][1], local["trace"][name][1]):
                wrong.append((path, name))
        if "volume" not in remote:
            wrong.append((path, "volume"))
print(json.dumps([dclab.__version__, wrong]))
"""


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has dclab 0.48.7."""
    found = os.environ.get("DCOR_TEST_PYTHON38") or shutil.which("python3.8")
    if not found:
        pytest.skip("there is no Python 3.8")
    folder = tmp_path_factory.mktemp("old") / "venv"
    python = folder / "bin" / "python"
    for command in (
        [found, "-m", "venv", folder],
        [python, "-m", "pip", "install", "-q", "--only-binary=:all:", "dclab[dcor]==0.48.7"],
    ):
        if subprocess.run(command, capture_output=True, timeout=280).returncode:
            pytest.skip("dclab 0.48.7 can not be installed here")
    return python


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_old_dclab_reads_the_same(shared: Appliance, old_python: Path, tmp_path: Path) -> None:
    person = shared.person("old-hand")
    person.circle("old-lab")
    files = []
    for path in measurements():
        draft = person.draft("old-lab", private=True)
        resource = person.add(draft["id"], path)
        shared.jobs_done(resource["id"])
        files.append((resource["id"], str(path)))
    (tmp_path / f"{shared.url.partition('://')[2]}.cert").write_bytes(shared.certificate.read_bytes())
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "REQUESTS_CA_BUNDLE": str(shared.certificate)
    }
    done = subprocess.run(
        [old_python, "-c", _SCRIPT, shared.url, person.token, str(tmp_path), json.dumps(files)],
        capture_output=True, text=True, env=environment, timeout=200, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["0.48.7", []]
