"""Originals move to a real object storage and come back; in between nothing is missing."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO

import pytest

from appliance.archive.object_store import ArchiveAway
from appliance.jobs import orphans
from appliance.jobs.missing import run_missing
from appliance.model.problem import Problem
from appliance.store import archived_files
from tests.archive.conftest import Archived, Dcor
from tests.support.ceph import SECRET_KEY
from tests.support.waiting import wait_for


def test_a_file_leaves_and_is_served_as_before(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    before = archived.download(one)
    assert archived.here(one)
    report = archived.mover.run()
    assert (report.moved, report.problems) == (2, [])
    assert not archived.here(one)
    assert f"of/tests/resources/{one[:3]}/{one[3:6]}/{one[6:]}" in archived.ceph.keys(archived.bucket)
    after = archived.download(one)
    assert after.content == noise
    kept = {"ETag", "Last-Modified", "Content-Type", "Content-Disposition", "Content-Length", "Accept-Ranges"}
    assert {key: after.headers[key] for key in kept} == {key: before.headers[key] for key in kept}


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (1_048_575, 1_048_576), (5, 3_000_000), (20_000_000, 21_234_566), (0, 20_999_999)],
)
def test_ranges(archived: Archived, noise: bytes, start: int, end: int) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    for _attempt in ("from the storage", "kept"):
        answer = archived.download(one, Range=f"bytes={start}-{end}")
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(noise)}"
        assert answer.content == noise[start : end + 1]


def test_what_needs_no_bytes_asks_nobody(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    etag = archived.download(one).headers["ETag"]
    archived.mover.run()
    archived.ceph.stop()
    try:
        assert archived.download(one, **{"If-None-Match": etag}).status_code == 304
        assert archived.download(one, Range="bytes=99999999-").status_code == 416
        dataset = archived.owner.get("resource_show", id=one).result["package_id"]
        head = archived.owner.http.head(f"{archived.appliance.url}/dataset/{dataset}/resource/{one}/download/x")
        assert (head.status_code, int(head.headers["Content-Length"])) == (200, len(noise))
    finally:
        archived.ceph.start()


def test_the_storage_is_away_and_comes_back(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    assert archived.download(one, Range="bytes=0-9").content == noise[:10]
    archived.ceph.stop()
    try:
        away = archived.download(one)
        assert away.status_code == 503
        assert "object storage cannot be used at the moment" in away.text
        assert "Retry-After" in away.headers
        assert archived.download(one, Range="bytes=0-99").content == noise[:100], "what was read is kept"
        with pytest.raises(ArchiveAway):
            archived.mover.recall(one)
        assert not archived.here(one)
        assert archived.owner.get("package_search", q="noise").status == 200
    finally:
        archived.ceph.start()
    assert _in_time(archived, one) == noise


def test_a_frozen_storage_blocks_nobody_else(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    here = archived.file(noise, "here.tif")
    archived.ceph.freeze()
    try:
        assert archived.download(one).status_code == 503
        assert archived.download(here).content == noise
    finally:
        archived.ceph.thaw()
    assert _in_time(archived, one) == noise


def test_a_file_comes_back(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    before = archived.download(one).headers
    archived.mover.run()
    assert archived.mover.recall(one)
    assert archived.here(one)
    archived.ceph.stop()
    try:
        after = archived.download(one)
        assert hashlib.sha256(after.content).digest() == hashlib.sha256(noise).digest()
        assert after.headers["Last-Modified"] == before["Last-Modified"]
        assert not archived.mover.recall(one), "it is here already"
    finally:
        archived.ceph.start()


def test_another_object_is_never_served(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    key = next(key for key in archived.ceph.keys(archived.bucket) if key.endswith(one[6:]))
    archived.ceph.client().put_object(Bucket=archived.bucket, Key=key, Body=bytes(len(noise)))
    assert archived.download(one).status_code == 503
    with pytest.raises(Problem, match="missing or was changed"):
        archived.mover.recall(one)
    assert not archived.here(one)


def test_a_damaged_file_stays(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    path = archived.appliance.context.depot.path(one)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    report = archived.mover.run()
    assert report.moved == 1, "the other file"
    assert "checksum" in report.problems[0]
    assert archived.here(one)
    assert not any(key.endswith(one[6:]) for key in archived.ceph.keys(archived.bucket))


def test_the_whole_dataset_as_an_archive(archived: Archived, noise: bytes) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    dataset = archived.owner.get("resource_show", id=one).result["package_id"]
    packed = archived.owner.fetch(f"/dataset/{dataset}/download.zip")
    with zipfile.ZipFile(BytesIO(packed.content)) as found:
        assert found.testzip() is None
        assert noise in [found.read(name) for name in found.namelist()]
    archived.ceph.stop()
    try:
        assert archived.owner.fetch(f"/dataset/{dataset}/download.zip").status_code == 503
    finally:
        archived.ceph.start()


def test_jobs_have_what_they_need(archived: Archived, noise: bytes) -> None:
    archived.file(noise, "noise.tif")
    archived.mover.run()
    context = archived.appliance.context
    ids = _stored(archived)
    assert len(ids) == 2
    run_missing(context.db, context.settings, force=True)
    context.wake_jobs()
    for one in ids:
        assert {job["state"] for job in archived.appliance.jobs_done(one)} == {"done"}, one
        assert not archived.here(one), "a job needs only a copy for a while"


def test_nothing_is_missing(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    context = archived.appliance.context
    assert orphans.missing_files(context.db, context.depot) == []
    assert dcor(archived.appliance.root, "scrub", "--json").json["bad"] == []
    assert archived.owner.get("dcserv", id=_measurement(archived, one), query="valid").result is True
    found = dcor(archived.appliance.root, "inspect", "--json").json
    assert [line for line in found["findings"] if line["check"] == "files" and line["level"] != "ok"] == []


def test_scrub_and_inspect_look_at_the_objects(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    root = archived.appliance.root
    good = dcor(root, "scrub", "--json")
    assert (good.code, good.json["archived"], good.json["bad"]) == (0, 2, [])
    key = next(key for key in archived.ceph.keys(archived.bucket) if key.endswith(one[6:]))
    archived.ceph.client().delete_object(Bucket=archived.bucket, Key=key)
    bad = dcor(root, "scrub", "--json")
    assert bad.code == 1
    assert bad.json["bad"] == [{"resource_id": one, "kind": "original", "reason": "is missing in the object storage"}]
    assert one in json.dumps(dcor(root, "alarm", "list", "--json").json)
    assert _archive_level(dcor, archived) == "ok"
    archived.ceph.stop()
    try:
        away = dcor(root, "scrub", "--json")
        assert (away.json["archived"], away.json["archive_away"]) == (0, "no connection")
        assert _archive_level(dcor, archived) == "problem"
    finally:
        archived.ceph.start()


def test_another_bucket_in_the_settings_is_told(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    archived.file(noise, "noise.tif")
    archived.mover.run()
    assert dcor(archived.appliance.root, "config", "set", "depot.archive", f"s3://{archived.ceph.bucket()}").code == 0
    assert _archive_level(dcor, archived) == "problem"
    said = dcor(archived.appliance.root, "archive", "recall", "--all")
    assert said.code == 1
    assert f"it is in {archived.ceph.endpoint}/{archived.bucket}" in said.err


def test_the_command_line(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    one = archived.file(noise, "noise.tif")
    root = archived.appliance.root
    assert dcor(root, "archive", "check").code == 0
    assert dcor(root, "archive", "status", "--json").json["due_files"] == 2
    assert len(dcor(root, "archive", "run", "--dry-run", "--json").json) == 2
    assert archived.here(one)
    assert dcor(root, "archive", "run", "--json").json["moved"] == 2
    status = dcor(root, "archive", "status", "--json").json
    assert (status["stored_files"], status["due_files"]) == (2, 0)
    assert dcor(root, "resource", "show", one, "--json").json["archived"].endswith(one[6:])
    assert dcor(root, "archive", "recall", "--file", one, "--json").json == {"recalled": [one]}
    assert archived.here(one)
    assert dcor(root, "archive", "recall", "--all", "--json").code == 0
    assert dcor(root, "archive", "status", "--json").json["recalled_files"] == 2


def test_the_secret_is_in_no_clear_place(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    root = archived.appliance.root
    said = dcor(root, "archive", "secret", "--password-stdin", stdin=f"{SECRET_KEY}\n")
    assert said.code == 0
    archived.file(noise, "noise.tif")
    archived.mover.run()
    kept = root / "secrets" / "archive.key"
    assert kept.stat().st_mode & 0o777 == 0o600
    for path in root.rglob("*"):
        if path.is_file() and path != kept and path.stat().st_size < 1 << 26:
            assert SECRET_KEY.encode() not in path.read_bytes(), path
    assert SECRET_KEY not in said.out + said.err + json.dumps(dcor(root, "config", "show", "--json").json)


def test_objects_of_purged_files_are_kept_until_they_are_pruned(archived: Archived, noise: bytes, dcor: Dcor) -> None:
    one = archived.file(noise, "noise.tif")
    archived.mover.run()
    dataset = archived.owner.get("resource_show", id=one).result["package_id"]
    for action in ("package_delete", "dataset_purge"):
        assert archived.appliance.admin.post(action, id=dataset).status == 200
    archived.mover.run()
    assert len(archived.ceph.keys(archived.bucket)) == 2
    root = archived.appliance.root
    assert dcor(root, "archive", "prune", "--yes", "--json").json["removed"] == []
    assert len(dcor(root, "archive", "prune", "--older-than-days", "0", "--yes", "--json").json["removed"]) == 2
    assert archived.ceph.keys(archived.bucket) == []


def _stored(archived: Archived) -> set[str]:
    with archived.appliance.context.db.read() as conn:
        return archived_files.stored_ids(conn)


def _archive_level(dcor: Dcor, archived: Archived) -> str:
    findings = dcor(archived.appliance.root, "inspect", "--json").json["findings"]
    return next(str(line["level"]) for line in findings if line["check"] == "archive")


def _measurement(archived: Archived, beside: str) -> str:
    dataset = archived.owner.get("resource_show", id=beside).result["package_id"]
    files = archived.owner.get("package_show", id=dataset).result["resources"]
    return next(str(file["id"]) for file in files if file["name"] == "beside.rtdc")


def _in_time(archived: Archived, one: str) -> bytes:
    """The content as soon as the storage is asked again."""

    def ask() -> bytes | None:
        answer = archived.download(one)
        return answer.content if answer.status_code == 200 else None

    return bytes(wait_for(ask, 30))
