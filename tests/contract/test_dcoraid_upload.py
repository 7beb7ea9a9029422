"""Chapter 2 of DCOR's manual with the real clients: DCOR-Aid uploads in its health-facility mode, dclab opens the result."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import dclab
import numpy as np
import pytest
from dclab.rtdc_dataset.fmt_dcor import access_token
from dclab.rtdc_dataset.fmt_dcor import base as dcor_base
from dcoraid.api import CKANAPI, dataset_create
from dcoraid.dbmodel import APIInterrogator
from dcoraid.download.job import DownloadJob
from dcoraid.upload.job import UploadJob

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from appliance.security import access_file
from tests.support.samples import measurements
from tests.support.server import Appliance

PASSPHRASE = "a passphrase for this test only"
SUPPLEMENTS = [
    {
        "cells": {"organism": "human", "cell type": "blood", "fixed": False, "live": True},
        "experiment": {"buffer osmolality": 284.0},
    },
    {"chip": {"channel width": 20.04, "production date": "2020-05-17"}},
    {},
]


@pytest.fixture
def facility(shared: Appliance, tmp_path: Path) -> CKANAPI:
    """DCOR-Aid as its wizard sets it up from a .dcor-access file."""
    name = f"nurse-{tmp_path.name}"[:40].lower().replace("_", "-")
    accounts.create(shared.context, OPERATOR, {"name": name, "email": f"{name}@clinic.example"})
    token, _ = accounts.create_token(shared.context, OPERATOR, name, "access file")
    path = tmp_path / "nurse.dcor-access"
    path.write_bytes(access_file.AccessFile(token, shared.certificate.read_bytes()).encrypt(PASSPHRASE))
    certificate = tmp_path / "pinned.cert"
    certificate.write_bytes(access_token.get_certificate(path, PASSPHRASE))
    return CKANAPI(
        server=access_token.get_hostname(path, PASSPHRASE),
        api_key=access_token.get_api_key(path, PASSPHRASE),
        ssl_verify=str(certificate),
    )


def test_the_access_file_lets_dcoraid_in(facility: CKANAPI, shared: Appliance) -> None:
    assert facility.is_available(with_api_key=True, with_correct_version=True)
    assert facility.server == shared.url
    assert facility.get_user_dict()["number_created_packages"] == 0


@pytest.mark.parametrize("source", measurements(), ids=lambda path: path.stem)
def test_chapter_two(
    facility: CKANAPI, shared: Appliance, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = facility.post("organization_create", {"name": f"circle-{facility.user_name}"[:90], "title": "Blood group"})
    first, second, notes = _files(source, tmp_path)
    dataset = dataset_create(
        {
            "title": f"Chapter two {source.stem}",
            "authors": "Nurse A, Doctor B",
            "license_id": "CC0-1.0",
            "owner_org": circle["name"],
            "private": True,
        },
        api=facility,
    )
    assert dataset["state"] == "draft"

    job = UploadJob(
        facility,
        dataset["id"],
        [first, second, notes],
        resource_supplements=SUPPLEMENTS,
        collections=[f"collection-{facility.user_name}"[:90]],
        cache_dir=tmp_path,
    )
    job.task_compress_resources()
    (tmp_path / "sent").mkdir()  # DCOR-Aid removes its compressed copies when it is done
    sent = [Path(shutil.copy(path, tmp_path / "sent")) for path in job.paths]
    job.task_upload_resources()
    job.task_verify_resources()
    assert job.state == "done", job.traceback

    package = facility.get("package_show", id=dataset["id"])
    assert package["state"] == "active"
    assert [group["name"] for group in package["groups"]] == [f"collection-{facility.user_name}"[:90]]
    assert [resource["name"] for resource in package["resources"]] == [first.name, second.name, notes.name]
    assert package["resources"][0]["sp:cells:live"] is True
    assert package["resources"][0]["sp:experiment:buffer osmolality"] == 284.0
    assert package["resources"][1]["sp:chip:channel width"] == 20.04

    for resource in package["resources"]:
        for done in shared.jobs_done(resource["id"]):
            assert done["state"] == "done", done
    resource = facility.get("resource_show", id=package["resources"][0]["id"])
    with dclab.new_dataset(sent[0]) as local:
        assert resource["dc:experiment:event count"] == len(local)
        assert resource["format"] == ("RT-FDC" if "fl1_max" in local.features_innate else "RT-DC")
    assert resource["mimetype"] == "RT-DC"

    found = APIInterrogator(facility).search_dataset_via_api(f"two {source.stem}", circles=[circle["name"]])
    assert [one["id"] for one in found] == [dataset["id"]]

    # dclab's basins, those in downloaded files too, trust what requests trusts; `dcor client-setup` sets this for users
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shared.certificate))
    (tmp_path / f"{shared.settings.server.hostname}.cert").write_bytes(shared.certificate.read_bytes())
    monkeypatch.setattr(dcor_base, "DCOR_CERTS_SEARCH_PATHS", [tmp_path])
    _download_all(facility, package, sent, tmp_path / "downloads")
    for path, one in zip(sent[:2], package["resources"][:2], strict=True):
        _compare(path, one["id"], facility, shared)


def _files(source: Path, folder: Path) -> tuple[Path, Path, Path]:
    first, second, notes = folder / f"M001_{source.name}", folder / "M002_data.rtdc", folder / "notes.txt"
    shutil.copy(source, first)
    shutil.copy(source, second)
    notes.write_text("The patient was well.\n")
    return first, second, notes


def _download_all(api: CKANAPI, package: dict[str, Any], originals: list[Path], folder: Path) -> None:
    """Every file comes back byte for byte, the condensed one besides."""
    folder.mkdir()
    for resource, original in zip(package["resources"], originals, strict=True):
        job = DownloadJob(api, resource["id"], folder)
        job.task_download_resource()
        job.task_verify_resource()
        assert job.state == "done", job.traceback
        assert hashlib.sha256(job.path.read_bytes()).digest() == hashlib.sha256(Path(original).read_bytes()).digest()
    condensed = DownloadJob(api, package["resources"][0]["id"], folder, condensed=True)
    condensed.task_download_resource()
    condensed.task_verify_resource()
    with dclab.new_dataset(condensed.path) as ds:
        assert "deform" in ds.features_innate or "area_um" in ds.features_innate


def _compare(path: Path, resource_id: str, api: CKANAPI, shared: Appliance) -> None:
    """dclab reads the same over the network as from the local file."""
    from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR

    remote = RTDC_DCOR(f"{shared.url}/api/3/action/dcserv?id={resource_id}", api_key=api.api_key, cert_path=api.verify)
    with remote, dclab.new_dataset(path) as local:
        assert len(remote) == len(local)
        for section in ("experiment", "imaging", "setup", "fluorescence"):
            for key, value in local.config.get(section, {}).items():
                assert remote.config[section][key] == value, (section, key)
        assert set(local.features_innate) <= set(remote.features_innate) | set(remote.features_basin)
        for feature in local.features_scalar:
            if feature in local.features_innate:
                np.testing.assert_array_equal(remote[feature][:], local[feature][:], err_msg=feature)
        for feature in ("image", "mask", "image_bg"):
            if feature in local.features_innate:
                np.testing.assert_array_equal(remote[feature][3], local[feature][3], err_msg=feature)
        if "trace" in local.features_innate:
            for name in local["trace"]:
                np.testing.assert_array_equal(remote["trace"][name][0], local["trace"][name][0], err_msg=name)
        for name in local.logs.keys():  # noqa: SIM118 - dclab's logs are no mapping
            assert list(remote.logs[name]) == list(local.logs[name]), name
        for name in local.tables.keys():  # noqa: SIM118
            np.testing.assert_array_equal(remote.tables[name][:], local.tables[name][:], err_msg=name)
