"""DCOR-Aid's own code against direct uploads, early refusals and interrupted downloads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Appliance
from tests.web.transfer.conftest import Ward

dcoraid_api = pytest.importorskip("dcoraid.api")
errors = pytest.importorskip("dcoraid.api.errors")


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    appliance = Appliance(tmp_path_factory.mktemp("direct") / "data", **{"depot.direct_upload": True})
    yield Ward(appliance, tmp_path_factory.mktemp("files"), size=1000)
    appliance.stop()


@pytest.fixture
def api(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client; parts go by the system's trust, which here is the appliance's certificate."""
    certificate = str(ward.appliance.certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    server = ward.appliance.url.removeprefix("https://")
    return dcoraid_api.CKANAPI(server=server, api_key=ward.editor.token, ssl_verify=certificate)


def test_single_part(ward: Ward, api: Any, tmp_path: Path) -> None:
    path = tmp_path / "direct.txt"
    path.write_bytes(os.urandom(3_000_000))
    draft = ward.editor.draft("ward")
    _, tag = dcoraid_api.resource_add(draft["id"], path, api, resource_dict={})
    resource = ward.editor.get("package_show", id=draft["id"]).result["resources"][0]
    assert (resource["etag"], resource["url_type"]) == (tag, "s3_upload")
    assert resource["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_several_parts(ward: Ward, api: Any, tmp_path: Path) -> None:
    """1 GiB and two bytes: two parts of half of that."""
    path = tmp_path / "parts.txt"
    with path.open("wb") as file:
        file.write(os.urandom(1 << 20))
        file.truncate((1 << 30) + 2)
    draft = ward.editor.draft("ward")
    _, tag = dcoraid_api.resource_add(draft["id"], path, api)
    resource = ward.editor.get("package_show", id=draft["id"]).result["resources"][0]
    assert (resource["etag"], resource["size"]) == (tag, (1 << 30) + 2)
    assert tag.endswith("-2")
    path.unlink()


@pytest.mark.parametrize("size", [1000, 300_000_000])
def test_early_refusal_of_a_legacy_upload_is_understood(ward: Ward, api: Any, tmp_path: Path, size: int) -> None:
    """The server answers before it has the body; the client, which reads no answer before it has sent all, still gets it."""
    from dcoraid.api.dataset import resource_add_upload_legacy_indirect_ckan as legacy

    path = tmp_path / "notes.txt"
    with path.open("wb") as file:
        file.truncate(size)
    with pytest.raises(errors.APIConflictError, match="already exists"):
        legacy(api=api, resource_path=path, dataset_id=ward.draft["id"], resource_name="notes.txt")
    path.unlink()
