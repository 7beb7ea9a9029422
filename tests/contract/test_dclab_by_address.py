"""dclab opens a resource by its address alone, as users paste it: on port 443 and under a name with a dot."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import dclab
import numpy as np
import pytest
from dclab.rtdc_dataset.fmt_dcor import api as dcor_api
from dclab.rtdc_dataset.fmt_dcor import base as dcor_base

from tests.support.ports import own_loopback
from tests.support.samples import synthetic
from tests.support.server import INSTALLED, Appliance, appliance_at

HOST = own_loopback()  # a host needs a dot for DCOR basins, and dclab looks names up by itself


@pytest.fixture(scope="module")
def on_443(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """An appliance on the port that dclab's patterns demand, where this machine lets us have it."""
    patch = pytest.MonkeyPatch()
    if INSTALLED not in os.environ:  # an installed one has it already
        try:
            socket.create_server((HOST, 443)).close()
        except OSError as error:
            patch.undo()
            pytest.skip(f"port 443 can not be had here: {error.strerror}")
    running = appliance_at(
        tmp_path_factory.mktemp("appliance") / "data",
        **{"server.hostname": HOST, "server.bind": HOST, "server.port": 443, "policy.anonymous_access": True},
    )
    patch.setenv("REQUESTS_CA_BUNDLE", str(running.certificate))
    yield running
    running.stop()
    patch.undo()


@pytest.fixture(scope="module")
def resources(on_443: Appliance) -> dict[str, str]:
    """Ids of the same measurement in a public and in a private dataset, and the token of their owner."""
    owner = on_443.person("owner")
    owner.circle("laboratory")
    ids = {"token": owner.token}
    for visibility in ("public", "private"):
        dataset = owner.draft("laboratory", title=f"A {visibility} one", private=visibility == "private")
        ids[visibility] = owner.add(dataset["id"], synthetic())["id"]
        owner.activate(dataset["id"])
        on_443.jobs_done(ids[visibility])
    return ids


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_a_pasted_address_opens(
    visibility: str, on_443: Appliance, resources: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = on_443.settings.server.hostname
    (tmp_path / f"{host}.cert").write_bytes(on_443.certificate.read_bytes())
    monkeypatch.setattr(dcor_base, "DCOR_CERTS_SEARCH_PATHS", [tmp_path])
    monkeypatch.setattr(dcor_api.APIHandler, "api_keys", [resources["token"]] if visibility == "private" else [])
    with (
        dclab.new_dataset(f"https://{host}/api/3/action/dcserv?id={resources[visibility]}") as remote,
        dclab.new_dataset(synthetic()) as local,
    ):
        assert remote.config["experiment"]["sample"] == local.config["experiment"]["sample"]
        np.testing.assert_array_equal(remote["deform"][:], local["deform"][:])
        np.testing.assert_array_equal(remote["image"][7], local["image"][7])
        assert {"volume", "index"} <= set(remote.features_scalar)
        perishable = {basin.get("perishable") for basin in remote.basins_get_dicts() if basin["format"] == "http"}
        assert perishable == {visibility == "private"}


def test_without_a_token_a_private_one_stays_shut(on_443: Appliance, resources: dict[str, str]) -> None:
    answer = on_443.nobody.get("dcserv", id=resources["private"], query="metadata", version=2)
    assert (answer.status, answer.reason) == (404, "NOT FOUND")
