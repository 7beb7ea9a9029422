"""Care of the data root: nothing is lost, what is wrong is found and told."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.actions import deletion
from appliance.actions.site import Site
from appliance.jobs import missing, orphans, prune, schedule, scrub
from appliance.jobs.registry import JobFailed
from appliance.model import times
from appliance.model.viewer import OPERATOR
from appliance.store import alarms, artefacts, audit, datasets, file_checks, jobs, resources
from appliance.store import site_statistics as figures

from .conftest import Appliance


@pytest.fixture
def files(appliance: Appliance, tmp_path: Path) -> list[str]:
    """Ten resources of 10 kB."""
    dataset_id, found = appliance.dataset(), []
    for number in range(10):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(os.urandom(10_000))
        found.append(appliance.add(dataset_id, path))
    return found


def flip_bit(path: Path, position: int = 5000) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def age(appliance: Appliance, days: int, *resource_ids: str) -> None:
    """Make resources look as if they were uploaded and last checked so long ago."""
    with appliance.db.write() as tx:
        for resource_id in resource_ids:
            tx.execute(
                "UPDATE resource SET created = ? WHERE id = ?", (times.ahead(-timedelta(days=days)), resource_id)
            )
            tx.execute("DELETE FROM file_check WHERE resource_id = ?", (resource_id,))


def another_day(appliance: Appliance) -> None:
    """Let a day pass for everything that was checked."""
    with appliance.db.write() as tx:
        for row in tx.execute("SELECT resource_id, kind, checked FROM file_check").fetchall():
            earlier = times.text(times.parse(row["checked"]) - timedelta(days=1))
            tx.execute(
                "UPDATE file_check SET checked = ? WHERE resource_id = ? AND kind = ?",
                (earlier, row["resource_id"], row["kind"]),
            )
        for row in tx.execute("SELECT id, created FROM resource").fetchall():
            tx.execute(
                "UPDATE resource SET created = ? WHERE id = ?",
                (times.text(times.parse(row["created"]) - timedelta(days=1)), row["id"]),
            )


def open_alarms(appliance: Appliance) -> list[tuple[str, str]]:
    with appliance.db.read() as conn:
        return [(alarm["kind"], alarm["object_id"]) for alarm in alarms.open_(conn)]


# Scrub


def test_scrub_reads_everything_within_its_days(appliance: Appliance, files: list[str]) -> None:
    age(appliance, 20, *files)
    for _day in range(27):
        scrub.scrub(appliance.db, appliance.depot, days=30)
        another_day(appliance)
    with appliance.db.read() as conn:
        assert file_checks.oldest(conn, 1)[0]["checked"] > times.ahead(-timedelta(days=29)), "every file in good time"
    assert open_alarms(appliance) == []


def test_scrub_does_a_share_a_day(appliance: Appliance, files: list[str]) -> None:
    age(appliance, 4, *files)
    assert scrub.scrub(appliance.db, appliance.depot, days=8).files == 2  # 100 kB over five days
    assert scrub.scrub(appliance.db, appliance.depot, days=8).files == 0, "today's share is done"
    another_day(appliance)
    assert scrub.scrub(appliance.db, appliance.depot, days=8).files > 0


def test_scrub_reads_what_gets_overdue_even_beyond_its_share(appliance: Appliance, files: list[str]) -> None:
    age(appliance, 29, *files)
    assert scrub.scrub(appliance.db, appliance.depot, days=30).files == 10


@pytest.mark.parametrize("position", [0, 5000, 9999])
def test_every_flipped_bit_is_found_and_told_once(appliance: Appliance, files: list[str], position: int) -> None:
    path = appliance.depot.path(files[3])
    flip_bit(path, position)
    for _ in range(2):
        report = scrub.scrub(appliance.db, appliance.depot, everything=True)
        assert [bad["resource_id"] for bad in report.bad] == [files[3]]
        assert report.files == 10
    assert open_alarms(appliance) == [("scrub", f"{files[3]}/original")]
    with appliance.db.read() as conn:
        assert audit.count(conn, audit.Filter(action="scrub.bad")) == 1
    flip_bit(path, position)
    scrub.scrub(appliance.db, appliance.depot, everything=True)
    assert open_alarms(appliance) == []


def test_missing_and_truncated_files_are_found(appliance: Appliance, files: list[str]) -> None:
    appliance.depot.path(files[0]).unlink()
    appliance.depot.path(files[1]).write_bytes(b"")
    found = {
        bad["resource_id"]: bad["reason"] for bad in scrub.scrub(appliance.db, appliance.depot, everything=True).bad
    }
    assert found == {files[0]: "is missing", files[1]: "does not have its checksum any more"}


def test_a_bad_artefact_is_kept_aside_and_made_again(appliance: Appliance, files: list[str]) -> None:
    condensed = appliance.depot.path(files[0], "condensed")
    condensed.write_bytes(b"rotten")
    with appliance.db.write() as tx:
        artefacts.put(tx, files[0], "condensed", size=6, sha256="0" * 64, etag="0")
    scrub.scrub(appliance.db, appliance.depot, everything=True)
    assert not condensed.exists()
    assert [path.read_bytes() for path in (appliance.root / "quarantine").iterdir()] == [b"rotten"]
    assert appliance.states(files[0]) == {"condense": "queued"}


def test_scrub_stops_when_asked_and_keeps_what_it_did(appliance: Appliance, files: list[str]) -> None:
    calls = iter(range(100))
    with pytest.raises(JobFailed):
        scrub.scrub(appliance.db, appliance.depot, everything=True, cancelled=lambda: next(calls) > 8)
    with appliance.db.read() as conn:
        assert 0 < conn.execute("SELECT count(*) FROM file_check").fetchone()[0] < 10


def test_scrub_as_a_job(appliance: Appliance, files: list[str]) -> None:
    flip_bit(appliance.depot.path(files[0]))
    job_id = appliance.enqueue("scrub", arguments={"all": True})
    appliance.run_all()
    result = appliance.job(job_id)["result"]
    assert (result["files"], len(result["bad"])) == (10, 1)  # type: ignore[index, call-overload]


# Orphans


def test_orphans_go_to_quarantine_and_missing_files_are_told(appliance: Appliance, files: list[str]) -> None:
    stray = appliance.depot.path("99999999-2222-4333-8444-555555555555", "condensed")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"whose?")
    appliance.depot.path(files[0]).unlink()
    dry = orphans.sweep(appliance.db, appliance.depot, dry_run=True, young=-1)
    assert (dry["count"], dry["missing"]) == (1, [f"{files[0]}/original"])
    assert stray.exists()
    report = orphans.sweep(appliance.db, appliance.depot, young=-1)
    assert report["count"] == 1
    assert not stray.exists()
    (aside,) = (appliance.root / "quarantine").iterdir()
    assert aside.read_bytes() == b"whose?"
    assert aside.name.endswith("-99999999-2222-4333-8444-555555555555.condensed.rtdc")
    assert open_alarms(appliance) == [("missing file", f"{files[0]}/original")]
    assert all(appliance.depot.path(one).exists() for one in files[1:])
    appliance.depot.path(files[0]).write_bytes(b"back")
    orphans.sweep(appliance.db, appliance.depot)
    assert open_alarms(appliance) == []


def test_young_files_and_linked_old_ones_are_left_alone(appliance: Appliance) -> None:
    stray = appliance.depot.path("99999999-2222-4333-8444-555555555555")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"just published, its row is on the way")
    os.utime(stray, (0, 0))
    assert orphans.sweep(appliance.db, appliance.depot)["count"] == 0


def test_pending_uploads_are_no_orphans(appliance: Appliance) -> None:
    resource_id = "99999999-2222-4333-8444-555555555555"
    path = appliance.depot.path(resource_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    with appliance.db.write() as tx:
        tx.execute(
            "INSERT INTO upload (id, resource_id, user_id, kind, size, part_size, parts, created, expires) VALUES ('u', ?, 'x', 'direct', 1, 1, 1, '', '9')",
            (resource_id,),
        )
    assert orphans.sweep(appliance.db, appliance.depot, young=-1)["count"] == 0


# Prune


def test_only_stale_drafts_are_pruned(appliance: Appliance, tmp_path: Path) -> None:
    names = {
        name: appliance.dataset(name, state=state)
        for name, state in (("old", "draft"), ("new", "draft"), ("kept", "active"))
    }
    text = tmp_path / "a.txt"
    text.write_text("a")
    resource_id = appliance.add(names["old"], text)
    with appliance.db.write() as tx:
        for name in ("old", "kept"):
            tx.execute("UPDATE dataset SET modified = ? WHERE id = ?", (times.ahead(-timedelta(days=22)), names[name]))
    assert [row["name"] for row in prune.stale_drafts(appliance.db)] == ["old"]
    dry = appliance.enqueue("prune_drafts", arguments={"days": 21, "dry_run": True})
    appliance.run_all()
    assert [one["name"] for one in appliance.job(dry)["result"]["would_purge"]] == ["old"]  # type: ignore[index, call-overload]
    assert appliance.depot.path(resource_id).exists()
    real = appliance.enqueue("prune_drafts", arguments={"days": 21})
    appliance.run_all()
    assert appliance.job(real)["state"] == "done", appliance.job(real)
    with appliance.db.read() as conn:
        assert {name: datasets.find(conn, one) is None for name, one in names.items()} == {
            "old": True,
            "new": False,
            "kept": False,
        }
    assert not appliance.depot.path(resource_id).exists()
    assert len(list((appliance.root / "quarantine").iterdir())) == 1


def test_nothing_is_pruned_unless_configured(appliance: Appliance) -> None:
    for kind in ("prune_drafts", "purge_playground"):
        job_id = appliance.enqueue(kind)
        appliance.run_all()
        assert "skipped" in appliance.job(job_id)["result"]  # type: ignore[operator]


def test_playground_purges_all_that_is_old(appliance: Appliance) -> None:
    appliance.settings = appliance.settings.replace(**{"jobs.playground_purge_days": 7})
    old, new = appliance.dataset("old", state="active"), appliance.dataset("new")
    with appliance.db.write() as tx:
        tx.execute("UPDATE dataset SET created = ? WHERE id = ?", (times.ahead(-timedelta(days=8)), old))
    appliance.enqueue("purge_playground")
    appliance.run_all()
    with appliance.db.read() as conn:
        assert datasets.find(conn, old) is None
        assert datasets.find(conn, new) is not None


# Missing, statistics, schedule


def test_what_is_missing_is_queued_behind_everything_else(
    appliance: Appliance, measurement: Path, tmp_path: Path
) -> None:
    dataset_id = appliance.dataset()
    bare = appliance.add(dataset_id, measurement, "bare.rtdc", queue=False)
    done = appliance.add(dataset_id, measurement, "done.rtdc")
    appliance.run_all()
    made = missing.run_missing(appliance.db, appliance.settings)
    assert [(appliance.job(one)["kind"], appliance.job(one)["resource_id"]) for one in made] == [
        (kind, bare) for kind in ("metadata", "condense", "preview")
    ]
    assert all(int(str(appliance.job(one)["priority"])) < min(jobs.PRIORITY.values()) for one in made)
    assert missing.run_missing(appliance.db, appliance.settings) == [], "queued already"
    appliance.run_all()
    assert missing.run_missing(appliance.db, appliance.settings) == []
    forced = missing.run_missing(appliance.db, appliance.settings, force=True, only=[done])
    assert [appliance.job(one)["kind"] for one in forced] == list(jobs.PIPELINE)


def test_statistics_are_kept_for_pages(appliance: Appliance, files: list[str]) -> None:
    appliance.enqueue("statistics")
    appliance.run_all()
    with appliance.db.read() as conn:
        found = figures.latest(conn)
    assert found is not None
    assert found["total"]["resources"] == 10
    assert found["circles"][0]["bytes"] == 100_000
    assert found["free"] > 0


def test_the_clock_queues_each_kind_once_in_its_time(appliance: Appliance) -> None:
    known = {"scrub", "statistics"}
    assert set(schedule.enqueue_due(appliance.db, appliance.settings, known)) == known
    assert schedule.enqueue_due(appliance.db, appliance.settings, known) == []
    with appliance.db.write() as tx:
        tx.execute(
            "UPDATE job SET created = ?, state = 'done' WHERE kind = 'statistics'", (times.ahead(-timedelta(hours=7)),)
        )
    assert schedule.enqueue_due(appliance.db, appliance.settings, known) == ["statistics"]


def test_old_jobs_are_forgotten(appliance: Appliance) -> None:
    first = appliance.enqueue("statistics")
    appliance.run_all()
    with appliance.db.write() as tx:
        tx.execute("UPDATE job SET finished = ?", (times.ahead(-timedelta(days=91)),))
    appliance.enqueue("forget_jobs")
    appliance.run_all()
    with appliance.db.read() as conn:
        assert jobs.get(conn, first) is None


def test_purged_datasets_leave_no_rows_of_checks(appliance: Appliance, files: list[str]) -> None:
    scrub.scrub(appliance.db, appliance.depot, everything=True)
    with appliance.db.read() as conn:
        row = resources.get(conn, files[0])
    assert row is not None
    deletion.purge(Site(appliance.settings, appliance.db, appliance.depot), OPERATOR, row["dataset_id"])
    appliance.enqueue("scrub")
    appliance.run_all()
    with appliance.db.read() as conn:
        assert conn.execute("SELECT count(*) FROM file_check").fetchone()[0] == 0
