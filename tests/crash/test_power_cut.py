"""After a power cut at any moment everything acknowledged is there, whatever of the unsynced rest is lost.

All system calls of an appliance at work are recorded; for many moments the states that the disk may be in are rebuilt and looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from appliance.store import artefacts, resources
from appliance.store.database import Database
from appliance.store.depot import Depot
from tests.crash import power_cut

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
TOP = Path(__file__).parents[2]
#: Moments that are looked at, of some thousand.
MOMENTS = int(os.environ.get("SOAK_CUTS", "300"))
KINDS = ["least", "names", "data", "all", "any"]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(record of the calls, root of the appliance that made them)."""
    folder = tmp_path_factory.mktemp("cut")
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    path, root = folder / "calls", folder / "data"
    command = [*power_cut.STRACE, str(path), sys.executable, "-m", "tests.crash.power_cut_work", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TOP, timeout=1800)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("needs the right to trace processes")
    assert done.returncode == 0, done.stderr
    return path, root


def test_the_record_gives_the_disk_as_it_is(record: tuple[Path, Path]) -> None:
    """Else the model below would be about something else."""
    path, root = record
    disk = power_cut.Disk(root)
    for _ in power_cut.replay(path, disk):
        pass
    assert disk.steps > 300
    for real in root.rglob("*"):
        if real.is_file() and not real.is_symlink() and not real.name.endswith("-shm"):
            node = disk.find(str(real))
            assert isinstance(node, power_cut.File), real
            assert bytes(node.seen) == real.read_bytes(), real


def test_what_was_acknowledged_survives_a_cut_at_any_moment(record: tuple[Path, Path], tmp_path: Path) -> None:
    path, root = record
    total = power_cut.Disk(root)
    for _ in power_cut.replay(path, total):
        pass
    chance = random.Random(1)
    moments = set(chance.sample(range(total.steps), min(MOMENTS, total.steps)))
    disk, told, ready = power_cut.Disk(root), list[dict[str, Any]](), False
    looked: Counter[str] = Counter()
    wrong: list[str] = []
    for said in power_cut.replay(path, disk):
        if said:
            told.append(json.loads(said))
            ready = True
        if not ready or not (said or disk.steps in moments):
            continue
        for kind in KINDS:
            state = tmp_path / "state"
            disk.rebuilt(state, kind, chance)
            try:
                _check(state, told)
            except (AssertionError, OSError, sqlite3.Error) as error:
                wrong.append(f"step {disk.steps}, {kind}, after {told[-1]}: {type(error).__name__} {error}"[:500])
            shutil.rmtree(state)
            looked[kind] += 1
    assert wrong == [], f"{len(wrong)} of {looked.total()}:\n" + "\n".join(wrong[:10])
    assert looked.total() > len(KINDS)
    print(f"{total.steps} steps, {len(told)} acknowledgements, {looked.total()} states: {dict(looked)}")


def _check(root: Path, told: list[dict[str, Any]]) -> None:
    """What was acknowledged is there, no row is without its file, and no file is another than its row says."""
    for leftover in root.glob("*-shm"):
        leftover.unlink()  # lives in memory only
    db, depot = Database(root / "dcor.sqlite"), Depot(root)
    try:
        with db.read() as conn:
            assert conn.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            settings = [one["value"] for one in told if one["kind"] == "setting"]
            assert not settings or f'"{settings[-1]}"' in (root / "page-settings.toml").read_text()
            files = {one["id"]: one for one in told if one["kind"] == "file"}
            for resource_id, one in files.items():
                row = resources.get(conn, resource_id)
                assert row is not None, f"the acknowledged file {resource_id} has no row"
                assert _digest(depot.path(resource_id)) == one["sha256"], "an acknowledged file is another"
            states = {one["id"]: one["state"] for one in told if one["kind"] == "dataset"}
            for dataset_id, state in states.items():
                row = conn.execute("SELECT state FROM dataset WHERE id = ?", (dataset_id,)).fetchone()
                assert row is not None, f"the dataset {dataset_id} is gone"
                assert state == "draft" or row["state"] == "active", "an activation is gone"
            _check_pieces(conn, depot, told)
            for row in conn.execute("SELECT id, size, sha256 FROM resource"):
                path = depot.path(row["id"])
                assert path.stat().st_size == row["size"], f"row {row['id']} and its file differ"
                assert not row["sha256"] or _digest(path) == row["sha256"]
                for kind, made in artefacts.of_resource(conn, row["id"]).items():
                    assert _digest(depot.path(row["id"], kind)) == made["sha256"], f"{kind} of {row['id']}"
    finally:
        db.close()


def _check_pieces(conn: sqlite3.Connection, depot: Depot, told: list[dict[str, Any]]) -> None:
    for upload_id, one in {one["id"]: one for one in told if one["kind"] == "pieces"}.items():
        row = conn.execute("SELECT state, received FROM upload WHERE id = ?", (upload_id,)).fetchone()
        assert row is not None, "an acknowledged piece is gone"
        if row["state"] == "open":
            assert row["received"] >= one["size"]
            head = depot.part(upload_id).read_bytes()[: one["size"]]
            assert hashlib.sha256(head).hexdigest() == one["sha256"], "an acknowledged piece is another"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
