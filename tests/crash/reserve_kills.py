"""Kill an increment, and a machine that takes over, at lines spread over our code: the other machine gets everything up to the last increment.

`python -m tests.crash.reserve_kills FOLDER ACTION KILLS` (increment, take-over) prints JSON: how many kills, and what went wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from appliance import root_marker
from appliance.actions import reserve
from appliance.cli.common import CliState
from appliance.model.problem import Problem
from appliance.store.database import Database
from tests.crash import kill_points
from tests.ops import place as places

WATCHED = ("reserve.py", "create.py", "manifest.py", "restore.py", "claims.py", "retention.py", "durable.py", "root_marker.py")  # fmt: skip


class Pair:
    """A server with increments in a folder, and the machine in reserve."""

    def __init__(self, folder: Path) -> None:
        os.environ[root_marker.MACHINE_VARIABLE] = str(folder / "elsewhere")
        self.place = places.make(folder / "place")
        self.share, self.target = folder / "share", folder / "target"
        self.share.mkdir()
        self.place.set("reserve.folder", str(self.share))

    def enter(self, text: str) -> None:
        """Somebody's work, acknowledged."""
        with closing(Database(self.place.database)) as db, db.write() as tx:
            tx.execute("INSERT INTO tag (id, name) VALUES (?, ?)", (text, text))

    def increment(self) -> None:
        """Make one."""
        site = CliState(self.place.root).site
        with closing(site.db):
            reserve.update(site)

    def take_over(self) -> None:
        """The other machine becomes the server."""
        reserve.take_over(self.target, self.share, self.place.sheet.read_text(), old_is_off=True)

    def check(self, expected: set[str], perhaps: str) -> None:
        """The other machine has `expected`, the file of the measurement, and at most `perhaps` besides."""
        root_marker.require(self.target)
        with closing(sqlite3.connect(self.target / "dcor.sqlite")) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = {row[0] for row in conn.execute("SELECT name FROM tag")}
        assert expected <= found <= expected | {perhaps}, f"{sorted(found)}, expected {sorted(expected)}"
        file = self.place.file().relative_to(self.place.root)
        assert (self.target / file).read_bytes() == self.place.file().read_bytes()

    def again(self) -> None:
        """The machine in reserve as it was before."""
        shutil.rmtree(self.target, ignore_errors=True)
        (self.share / reserve.TAKEN).unlink(missing_ok=True)


def main() -> None:
    """Kill at KILLS lines spread over the action."""
    folder, action, wanted = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    pair = Pair(folder)
    pair.enter("first")
    pair.increment()
    act = pair.increment if action == "increment" else pair.take_over
    total = kill_points.lines_of(act, WATCHED)
    wrong, kills, entered = [], 0, {"first"}
    for number, line in enumerate(kill_points.chosen(total, wanted)):
        pair.again()
        if action == "increment":
            pair.enter(f"tag-{number}")
        kills += kill_points.killed_at(line, act, WATCHED)
        try:
            pair.take_over()
            pair.check(entered, f"tag-{number}")
            pair.again()
            if action == "increment":
                pair.increment()
                entered.add(f"tag-{number}")
        except (Problem, AssertionError, sqlite3.Error, OSError) as error:
            wrong.append(f"line {line} of {total}: {type(error).__name__} {error}")
    print(json.dumps({"kills": kills, "lines": total, "wrong": wrong}))


if __name__ == "__main__":
    main()
