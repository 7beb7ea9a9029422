"""DCOR-Aid starts with a token that was revoked, and says that it is the token."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
from dcoraid.api import CKANAPI, APIAuthorizationError
from dcoraid.dbmodel.db_api_cached import CachedAPIInterrogator
from dcoraid.upload.queue import DCORAidQueueWarning, UploadQueue

from tests.support.samples import synthetic
from tests.support.server import Appliance


@pytest.fixture(params=["revoked", "unknown"])
def api(request: pytest.FixtureRequest, shared: Appliance) -> CKANAPI:
    """The client with a token that opens nothing; Ada has a circle and a collection."""
    ada = shared.person("ada")
    if ada.get("organization_show", id="lab").status != 200:
        ada.circle("lab")
        ada.post("group_create", name="study").result  # noqa: B018
    token = "never-made-by-anybody-0123456789"
    if request.param == "revoked":
        token = ada.token
        assert ada.post("api_token_revoke", token=token).status == 200
    return CKANAPI(shared.url, api_key=token, ssl_verify=str(shared.certificate), check_ckan_version=False)


def test_it_starts_and_names_the_token(api: CKANAPI, tmp_path: Path) -> None:
    database = CachedAPIInterrogator(api=api, cache_location=tmp_path)
    assert database.get_circles() == []
    assert database.get_collections() == []
    assert api.is_available()
    assert api.is_available(with_correct_version=True)
    assert not api.is_available(with_api_key=True)  # shown as "API token incorrect"
    with pytest.raises(APIAuthorizationError, match="API token is unknown, expired or withdrawn"):
        api.get("user_show")
    with pytest.raises(APIAuthorizationError, match="API token is unknown, expired or withdrawn"):
        api.post("package_create", {"title": "x"})
    assert api.user_id is None


def test_a_queued_upload_stays_in_its_queue(api: CKANAPI, shared: Appliance, tmp_path: Path) -> None:
    ada = shared.person("ada")
    made = ada.draft("lab", title="Queued")
    task = {
        "dataset_dict": {"id": made["id"]},
        "upload_job": {
            "task_id": "one", "dataset_id": made["id"], "resource_paths": [str(synthetic())], "resource_names": ["a.rtdc"],
            "resource_supplements": [{}],
        },
    }  # fmt: skip
    queued = tmp_path / "jobs" / "queued" / f"{made['id']}.json"
    queued.parent.mkdir(parents=True)
    queued.write_text(json.dumps(task))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        queue = UploadQueue(api=api, path_persistent_job_list=tmp_path / "jobs", cache_dir=tmp_path / "cache")
        queue.daemon_compress.terminate()
        queue.daemon_upload.terminate()
        queue.daemon_verify.terminate()
    assert [one.category for one in said if issubclass(one.category, DCORAidQueueWarning)] == [DCORAidQueueWarning]
    assert queued.exists()
