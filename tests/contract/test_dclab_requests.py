"""How many requests dclab needs for a remote measurement: as few as the bytes allow, with nothing asked in vain.

Counted by the server. On a fast machine dclab keeps nothing of what it fetched, so that each read of HDF5 is a request.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

import dclab
import numpy as np
import pytest
from dclab.rtdc_dataset import fmt_dcor
from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR
from dclab.rtdc_dataset.fmt_dcor import api as dcor_api

from tests.support.samples import synthetic
from tests.support.server import Appliance

#: Most requests of each step: without the features of the condensed file in one chunk each, or with references from file to
#: file, each of them was at least a half more.
MOST = {"open": 2, "first feature": 45, "first image": 45, "contour": 30, "all scalar features": 160}


class _Requests:
    """What the server has answered, by status, without the questions of this class."""

    def __init__(self, shared: Appliance) -> None:
        self._admin, self._asked = shared.admin, 0

    def now(self) -> dict[str, int]:
        """Once the answers that nobody waits for have been counted, too."""
        found = self._read()
        while (later := self._read()) != found:
            found = later
            time.sleep(0.2)
        return found

    def _read(self) -> dict[str, int]:
        found = {"200": -self._asked}
        self._asked += 1
        for line in self._admin.fetch("/metrics").text.splitlines():
            if line.startswith("dcor_http_requests_total{"):
                status = line.partition('status="')[2][:3]
                found[status] = found.get(status, 0) + int(float(line.rsplit(" ", 1)[1]))
        return found


def test_no_request_in_vain(shared: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = shared.person("reader")
    owner.circle("reading")
    resource = owner.add(owner.draft("reading", private=True)["id"], synthetic())
    shared.jobs_done(resource["id"])
    monkeypatch.setattr(dcor_api.APIHandler, "api_keys", [])
    monkeypatch.setattr(fmt_dcor, "DCOR_CERTS_SEARCH_PATHS", [])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shared.certificate))
    host = shared.url.removeprefix("https://")
    remote = RTDC_DCOR(resource["id"], host=host, api_key=owner.token, cert_path=str(shared.certificate))
    steps: dict[str, Callable[[], object]] = {
        "open": lambda: len(remote),
        "first feature": lambda: remote["deform"][:],
        "first image": lambda: remote["image"][0],
        "contour": lambda: remote["contour"][3],
        "all scalar features": lambda: [remote[name][:] for name in remote.features_scalar],
    }
    spent, requests = {}, _Requests(shared)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for step, act in steps.items():
            before = requests.now()
            act()
            after = requests.now()
            spent[step] = {status: number - before.get(status, 0) for status, number in after.items()}
            assert sum(number for status, number in spent[step].items() if status[0] in "45") == 0, spent
            assert sum(spent[step].values()) <= MOST[step], spent
    assert not [str(one.message) for one in told if "asin" in str(one.message) or "session" in str(one.message)]
    with dclab.new_dataset(synthetic()) as local:
        np.testing.assert_array_equal(remote["image"][5], local["image"][5])
        np.testing.assert_array_equal(remote["contour"][5], local["contour"][5])
