"""dclab reads every feature of an archived measurement through the appliance, and the same values as before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dclab
import numpy as np
import pytest
from dclab.rtdc_dataset import fmt_dcor
from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR
from dclab.rtdc_dataset.fmt_dcor import api as dcor_api

from appliance.archive import access
from tests.archive.conftest import Archived, settings_of
from tests.support.ceph import SECRET_KEY, Ceph
from tests.support.samples import synthetic
from tests.support.server import ApartAppliance


@pytest.fixture
def apart(ceph: Ceph, tmp_path: Path) -> Iterator[Archived]:
    """An appliance in a process of its own: HDF5 in this one waits for what it answers."""
    bucket = ceph.bucket()
    appliance = ApartAppliance(tmp_path / "data", **settings_of(ceph, bucket))
    access.set_secret(appliance.settings, SECRET_KEY)
    owner = appliance.person("ada")
    owner.circle("lab")
    yield Archived(appliance, ceph, bucket, owner)
    appliance.stop()


def test_all_features(apart: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    one = apart.file(synthetic(), "blood.rtdc")
    assert apart.mover.run().moved == 2
    assert not apart.here(one)
    appliance = apart.appliance
    monkeypatch.setattr(dcor_api.APIHandler, "api_keys", [])
    monkeypatch.setattr(fmt_dcor, "DCOR_CERTS_SEARCH_PATHS", [])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(appliance.certificate))
    host = appliance.url.removeprefix("https://")
    read = set()
    with (
        RTDC_DCOR(one, host=host, api_key=apart.owner.token, cert_path=str(appliance.certificate)) as remote,
        dclab.new_dataset(synthetic()) as local,
    ):
        for name in local.features_innate:
            if name == "trace":
                for trace in local["trace"]:
                    assert np.array_equal(remote["trace"][trace][0], local["trace"][trace][0]), trace
            elif name in local.features_scalar:
                assert np.array_equal(remote[name][:], local[name][:], equal_nan=True), name
            else:
                assert np.array_equal(remote[name][3], local[name][3]), name
            read.add(name)
    assert {"image", "mask", "deform"} <= read
