"""The schema step that fills the table of measurements does work in proportion to the files, and holds one at a time."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from appliance.store.database import Database
from appliance.store.migrations import m0027_measurements as step

_UNIT = 100  # virtual machine steps between two counts
_DC = {"dc:experiment:sample": "blood", "dc:setup:flow rate": 0.06, "dc:setup:identifier": "ZMDD"}
_STATISTICS = {name: {"median": 1.5, "mean": 2.0} for name in ("area_um", "deform", "bright_avg")}


def catalogue(path: Path, files: int) -> sqlite3.Connection:
    """A catalogue as the step before left it, with so many measurements in datasets of ten."""
    made = Database(path)
    made.create()
    with made.write() as tx:
        tx.execute("DROP TABLE measurement")
        tx.execute("INSERT INTO community (id, kind, name, created) VALUES ('c', 'circle', 'lab', '2024')")
        for number in range(files):
            dataset, file = f"d{number // 10}", f"f{number}"
            if number % 10 == 0:
                tx.execute(
                    "INSERT INTO dataset (id, name, title, private, circle_id, creator_id, state, created, modified)"
                    " VALUES (?1, ?1, ?1, 0, 'c', 'u', 'active', '2024', '2024')",
                    (dataset,),
                )
            tx.execute(
                "INSERT INTO resource (id, dataset_id, name, position, mimetype, dc, event_count, created, last_modified, metadata_modified)"
                " VALUES (?, ?, ?, ?, ?, ?, 47, '2024', '2024', '2024')",
                (file, dataset, f"{file}.rtdc", number % 10, "RT-DC" if number % 5 else "text/plain", json.dumps(_DC)),
            )
            if number % 2:
                tx.execute(
                    "INSERT INTO rtdc (resource_id, logs, statistics) VALUES (?, ?, ?)",
                    (file, json.dumps({"log": ["x" * 100] * 50}), json.dumps(_STATISTICS)),
                )
    made.close()
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA foreign_keys = ON")
    return conn


def work(path: Path, files: int) -> int:
    """Virtual machine steps of the schema step, in hundreds."""
    conn = catalogue(path, files)
    count = 0

    def one() -> int:
        nonlocal count
        count += 1
        return 0

    conn.set_progress_handler(one, _UNIT)
    step.upgrade(conn)
    conn.close()
    return count


def test_the_work_grows_with_the_files_and_not_faster(tmp_path: Path) -> None:
    small, large = work(tmp_path / "small", 300), work(tmp_path / "large", 1200)
    assert large < 5 * small


@pytest.mark.parametrize(("file", "medians"), [("f1", (1.5, 1.5, None)), ("f2", (None, None, None))])
def test_each_measurement_has_its_row(tmp_path: Path, file: str, medians: tuple[float | None, ...]) -> None:
    conn = catalogue(tmp_path / "db", 20)
    step.upgrade(conn)
    assert conn.execute("SELECT count(*) FROM measurement").fetchone() == (16,)  # every fifth file is another kind
    row = conn.execute(
        "SELECT m.name, m.sample, m.events, m.flow, m.device, m.verdict, m.area, m.deform, m.emodulus FROM measurement m JOIN resource r ON r.pk = m.id WHERE r.id = ?",
        (file,),
    ).fetchone()
    assert row == (f"{file}.rtdc", "blood", 47, 0.06, "ZMDD", "", *medians)
    indexes = {name for (name,) in conn.execute("SELECT name FROM pragma_index_list('measurement')")}
    assert {"measurement_dataset", "measurement_name", "measurement_emodulus"} <= indexes
    conn.close()
