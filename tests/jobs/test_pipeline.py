"""The whole pipeline, in the real sandbox, on synthetic and real files."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

from appliance.jobs.preview import FILES
from appliance.store import artefacts, jobs, resources, rtdc
from tests.support.rtdc_field import FIELD

from .conftest import REAL, Appliance

REAL_FILES = sorted(REAL.glob("*.rtdc")) if REAL.is_dir() else []


def check_results(appliance: Appliance, resource_id: str) -> None:
    """Everything is there, described by rows, and the files hold what the rows say."""
    from appliance.jobs.artefact_publishing import hash_file

    with appliance.db.read() as conn:
        resource = resources.get(conn, resource_id)
        kernel = rtdc.get(conn, resource_id)
        made = artefacts.of_resource(conn, resource_id)
    assert resource is not None
    assert kernel is not None
    document = json.loads(resource["document"])
    assert document["format"] in {"RT-DC", "RT-FDC"}
    assert document["dc:experiment:event count"] == resource["event_count"] > 0
    assert set(made) == {"condensed", *FILES}
    for kind, row in made.items():
        found = hash_file(appliance.depot.path(resource_id, kind))
        assert (row["size"], row["sha256"], row["etag"]) == (found.size, found.sha256, found.etag)
    assert "image" in kernel["features"]
    assert "volume" in kernel["condensed_features"]
    assert "image" not in kernel["condensed_features"], (
        "it only refers to the original, which is opened sooner without it"
    )
    assert kernel["extracted"]
    assert kernel["sane"] == 1
    assert kernel["preview_alt"]
    assert "dclab-condense" in kernel["condensed_logs"]
    assert kernel["statistics"]["deform"]


def test_synthetic_file(appliance: Appliance, measurement: Path) -> None:
    resource_id = appliance.add(appliance.dataset(), measurement, hashed=False)
    appliance.run_all()
    assert appliance.states(resource_id) == dict.fromkeys(jobs.PIPELINE, "done")
    check_results(appliance, resource_id)


@pytest.mark.skipif(not REAL_FILES, reason="no real files at hand")
def test_real_files(appliance: Appliance) -> None:
    dataset_id = appliance.dataset()
    found = {path.name: appliance.add(dataset_id, path) for path in REAL_FILES}
    appliance.run_all()
    for name, resource_id in found.items():
        assert set(appliance.states(resource_id).values()) == {"done"}, name
        check_results(appliance, resource_id)


def test_second_run_changes_nothing_unless_forced(appliance: Appliance, measurement: Path) -> None:
    resource_id = appliance.add(appliance.dataset(), measurement)
    appliance.run_all()
    before = appliance.depot.path(resource_id, "condensed").stat().st_mtime_ns
    for force in (False, True):
        with appliance.db.write() as tx:
            row = resources.get(tx, resource_id)
            assert row is not None
            made = jobs.enqueue_pipeline(tx, row, force=force)
        appliance.run_all()
        assert [("skipped" in appliance.job(one)["result"]) for one in made] == [not force] * 3  # type: ignore[operator]
        assert (appliance.depot.path(resource_id, "condensed").stat().st_mtime_ns == before) is not force


def test_other_files_are_hashed_only(appliance: Appliance, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    resource_id = appliance.add(appliance.dataset(), text, hashed=False)
    appliance.run_all()
    with appliance.db.read() as conn:
        row = resources.get(conn, resource_id)
    assert row is not None
    assert (row["size"], row["etag"]) == (5, "5d41402abc4b2a76b9719d911017c592")
    assert appliance.states(resource_id) == {"checksum": "done"}


def test_a_hostile_file_fails_once_with_its_reason(appliance: Appliance, measurement: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.rtdc"
    secret.write_bytes(measurement.read_bytes())
    bad = tmp_path / "bad.rtdc"
    bad.write_bytes(measurement.read_bytes())
    with h5py.File(bad, "a") as h5:
        h5["events/stolen"] = h5py.ExternalLink(str(secret), "/events/deform")
    dataset_id = appliance.dataset()
    resource_id, good = appliance.add(dataset_id, bad), appliance.add(dataset_id, measurement)
    appliance.run_all()
    with appliance.db.read() as conn:
        found = {job["kind"]: job for job in jobs.for_resource(conn, resource_id)}
    assert {job["state"] for job in found.values()} == {"failed"}
    assert found["metadata"]["attempts"] == 1
    assert "link" in found["metadata"]["error"].lower()
    assert found["preview"]["error"] == f"metadata failed: {found['metadata']['error']}"
    assert set(appliance.states(good).values()) == {"done"}


def test_what_the_metadata_job_refuses_is_no_valid_measurement_any_more(
    appliance: Appliance, measurement: Path, tmp_path: Path
) -> None:
    """Also when an earlier look found nothing wrong: the dataset cannot be published by this file."""
    bad = tmp_path / "bad.rtdc"
    bad.write_bytes(measurement.read_bytes())
    with h5py.File(bad, "a") as h5:
        h5["my_lab/stolen"] = h5py.ExternalLink("/etc/hostname", "/x")
    resource_id = appliance.add(appliance.dataset(), bad)
    with appliance.db.write() as tx:
        rtdc.set_verdict(tx, resource_id, True, [])
    appliance.run_all()
    with appliance.db.read() as conn:
        kernel = rtdc.get(conn, resource_id)
    assert kernel is not None
    assert (kernel["sane"], kernel["extracted"]) == (0, None)
    assert "external link" in kernel["integrity"]["sanity_errors"][0]


def test_long_logs_and_tables_are_kept_whole(appliance: Appliance, tmp_path: Path) -> None:
    """Beside the file; made again they replace what was there, and go when they are no longer needed."""
    path = tmp_path / "long.rtdc"
    FIELD["log_of_120_000_lines"].build(path)
    resource_id = appliance.add(appliance.dataset(), path)
    appliance.run_all()
    with appliance.db.read() as conn:
        kernel, made = rtdc.get(conn, resource_id), artefacts.of_resource(conn, resource_id)
    assert kernel is not None
    assert "logs" in made
    assert "tables" not in made
    assert kernel["contents"]["logs"]["lengths"]["long"] == 120_000
    whole = json.loads(appliance.depot.path(resource_id, "logs").read_bytes())
    assert len(whole["long"]) == 120_000
    assert kernel["tables"]["short"] == [["x", "n"], [[1.0, 2.0]]]


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_rubbish_fails_with_a_reason(appliance: Appliance, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubbish.rtdc"
    path.write_bytes(content)
    resource_id = appliance.add(appliance.dataset(), path)
    appliance.run_all()
    with appliance.db.read() as conn:
        job = next(job for job in jobs.for_resource(conn, resource_id) if job["kind"] == "metadata")
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert str(appliance.root) not in job["error"]


def test_condensing_can_be_switched_off(appliance: Appliance, measurement: Path) -> None:
    appliance.settings = appliance.settings.replace(**{"jobs.condense": False})
    resource_id = appliance.add(appliance.dataset(), measurement)
    appliance.run_all()
    assert not appliance.depot.path(resource_id, "condensed").exists()
    assert appliance.states(resource_id)["preview"] == "done"


def test_a_resource_removed_meanwhile_is_no_error_to_retry(appliance: Appliance, measurement: Path) -> None:
    resource_id = appliance.add(appliance.dataset(), measurement)
    with appliance.db.write() as tx:
        resources.remove(tx, resource_id)
    appliance.run_all()
    assert set(appliance.states(resource_id).values()) == {"failed"}


def test_a_file_that_does_not_have_its_checksum(appliance: Appliance, measurement: Path) -> None:
    resource_id = appliance.add(appliance.dataset(), measurement, queue=False)
    with appliance.db.write() as tx:
        resources.patch(tx, resource_id, sha256="0" * 64, etag=None)
    job_id = appliance.enqueue("checksum", resource_id=resource_id)
    appliance.run_all()
    assert appliance.job(job_id)["error"] == "the stored file does not match its checksum"


def test_service_process_stays_free_of_hdf5(appliance: Appliance, measurement: Path) -> None:
    """A fresh interpreter runs a pipeline without importing what parses files."""
    import subprocess
    import sys

    appliance.add(appliance.dataset(), measurement)
    script = f"""
import sys, time
from pathlib import Path
from appliance.jobs.runner import JobRunner
from appliance.settings import load
from appliance.store.database import Database
from appliance.store.depot import Depot
root = Path({str(appliance.root)!r})
settings = load(root, env={{}})
runner = JobRunner(Database(settings.database), Depot(root), settings, scheduled=False)
runner.start()
deadline = time.monotonic() + 60
while not runner.idle() and time.monotonic() < deadline:
    time.sleep(0.05)
runner.stop(5)
print(sorted(sys.modules.keys() & {{"h5py", "dclab", "hdf5plugin", "numpy", "PIL"}}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
    with appliance.db.read() as conn:
        assert jobs.counts(conn)["done"] == 3
