"""Which backups stay, and what is removed with those that do not."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.backup import crypto as backup_crypto
from appliance.backup import manifest as backup_manifest
from appliance.backup.crypto import Digest
from appliance.backup.manifest import Manifest, Seal
from appliance.backup.retention import Keep, kept, prune

SEAL = Seal(b"s" * 32)
END = datetime(2031, 7, 20, 0, 2, tzinfo=UTC)


def test_five_years_of_daily_backups_become_fourteen_days_twelve_months_and_the_years() -> None:
    days = [END - timedelta(days=day) for day in range(5 * 366)]
    stay = kept(days, Keep())
    assert {moment for moment in stay if END - moment < timedelta(days=14)} == set(days[:14])
    assert len({moment.strftime("%Y-%m") for moment in stay}) >= 12
    assert {moment.year for moment in stay} == {2026, 2027, 2028, 2029, 2030, 2031}
    assert len(stay) == 14 + 11 + 4  # the newest counts as day, month and year; 2030's last is a month's, too


@given(
    st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1)), min_size=1, max_size=60),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_the_newest_always_stays_and_pruning_twice_changes_nothing(
    moments: list[datetime], daily: int, monthly: int
) -> None:
    keep = Keep(daily, monthly, 2)
    stay = kept(moments, keep)
    assert max(moments) in stay
    assert stay <= set(moments)
    assert kept(stay, keep) == stay
    older = [moment for moment in stay if max(moments) - moment >= timedelta(days=2)]
    assert len(older) <= daily + monthly + 2


def make(folder: Path, moment: datetime, objects: list[str], seal: Seal = SEAL) -> Path:
    path = backup_manifest.set_path(folder, backup_manifest.name_of(moment))
    path.mkdir(parents=True)
    digests = {name: Digest(3, "0" * 64) for name in objects}
    manifest = Manifest(path.name, moment.isoformat(), "full", "h", "1", ("age1",), {}, digests)
    backup_manifest.write(path / "manifest.json", manifest, seal)
    for name in objects:
        target = backup_manifest.object_path(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.write_bytes(b"xyz")
            target.chmod(backup_crypto.FILE_MODE)
    return path


def test_files_go_only_when_no_backup_needs_them(tmp_path: Path) -> None:
    shared, old, young = "a" * 64, "b" * 64, "c" * 64
    gone = make(tmp_path, END - timedelta(days=400), [shared, old])
    stays = make(tmp_path, END, [shared])
    make(tmp_path, END - timedelta(days=401), [young], Seal(b"other" * 8))
    tomorrow = time.time() + 2 * 86400
    trial = prune(tmp_path, Keep(1, 1, 1), signer=SEAL.public, dry_run=True, now=tomorrow)
    assert (trial.removed, gone.exists()) == ([gone.name], True)
    assert prune(tmp_path, Keep(1, 1, 1), signer=SEAL.public).files == 0  # too young: maybe of a backup in the making
    done = prune(tmp_path, Keep(1, 1, 1), signer=SEAL.public, now=tomorrow)
    assert not gone.exists()
    assert stays.exists()
    assert done.problems == []
    left = {path.stem for path in (tmp_path / "files").rglob("*.age")}
    assert left == {shared, young}  # the other server's backup keeps its files


def test_an_unreadable_backup_protects_every_file(tmp_path: Path) -> None:
    make(tmp_path, END - timedelta(days=400), ["b" * 64])
    broken = make(tmp_path, END - timedelta(days=30), ["d" * 64])
    make(tmp_path, END, ["a" * 64])
    (broken / "manifest.json").chmod(0o600)
    (broken / "manifest.json").write_bytes(b"{}")
    done = prune(tmp_path, Keep(1, 1, 1), signer=SEAL.public, now=time.time() + 2 * 86400)
    assert len(done.problems) == 2
    assert broken.exists()
    assert len(list((tmp_path / "files").rglob("*.age"))) == 3
