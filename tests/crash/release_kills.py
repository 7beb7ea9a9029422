"""Kill an update, a rollback and a migration at every line of our code that they pass, and see what the next one makes of it.

`python -m tests.crash.release_kills FOLDER ACTION KILLS` (update, rollback) prints JSON: how many kills, and what went wrong.
The releases are links and marks, as on a machine; only their programs are stood in for: `gate` migrates as the new release's `dcor init`
does. A killed process is really one: it is a fork that ends with SIGKILL.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from appliance import root_marker
from appliance.actions import release_journal
from appliance.cli import releases as program
from appliance.cli.releases import Releases
from appliance.model.problem import Problem
from appliance.settings import Settings, load
from appliance.store import data_root
from appliance.store.database import Database
from tests.crash import kill_points

OLD, NEW = "1.0", "2.0"
#: Whose lines count as points at which a machine may lose its power.
WATCHED = ("release_journal.py", "rollback_copies.py", "releases.py", "durable.py", "backup_source.py")
NEW_COLUMN = "ALTER TABLE user ADD COLUMN shoe_size INTEGER"


class Machine:
    """A data root with a database of release OLD, and both releases installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        root = folder / "data"
        data_root.create(root)
        self.settings: Settings = load(root, env={})
        (root / "dcor.toml").write_text("")
        with closing(Database(self.settings.database)) as db:
            db.create()
            self.schema = release_journal.schema_of(self.settings.database)
        root_marker.finish(root, "dcor.lab.example")
        self.releases = Releases(folder / "opt")
        for version in (OLD, NEW):
            (folder / "opt" / version).mkdir(parents=True)
            (folder / "opt" / version / ".complete").touch()
        self.releases.switch(OLD)
        self.enter("before")

    def enter(self, text: str) -> None:
        """Somebody's work, acknowledged."""
        with closing(Database(self.settings.database)) as db, db.write() as tx:
            tx.execute("INSERT OR IGNORE INTO tag (id, name) VALUES (?, ?)", (text, text))

    def entered(self) -> set[str]:
        """The work that is there, without what starts enter."""
        with closing(Database(self.settings.database)) as db, db.read() as conn:
            assert [row[0] for row in conn.execute("PRAGMA integrity_check")] == ["ok"]
            return {row[0] for row in conn.execute("SELECT name FROM tag")} - {"start"}

    def migrate(self) -> None:
        """What the new release's `dcor init` does, in one transaction like every migration."""
        if release_journal.schema_of(self.settings.database) == self.schema:
            with closing(Database(self.settings.database)) as db, db.write() as tx:
                tx.execute(NEW_COLUMN)
                tx.execute(f"PRAGMA user_version = {self.schema + 1}")

    def start(self) -> str:
        """The service as systemd starts it: the current release. → its version. Raises Problem or AssertionError when it cannot work."""
        version = self.releases.current
        release_journal.settle_at_start(self.settings, version)
        if version == NEW:
            self.migrate()
        known = self.schema + (version == NEW)
        assert release_journal.schema_of(self.settings.database) == known, (
            "the database has another form than the release"
        )
        self.enter("start")
        return version

    def update(self) -> None:
        """`dcor update`: settle, then change."""
        if not program.settle(self.releases, self.settings, _silent) and self.releases.current != NEW:
            program.change(self.releases, NEW, self.settings, _silent)

    def rollback(self) -> None:
        """`dcor rollback`: settle, then go back."""
        if not program.settle(self.releases, self.settings, _silent) and self.releases.history():
            program.go_back(self.releases, self.releases.history()[-1], self.settings, _silent)


def _silent(_text: str) -> None:
    pass


@contextmanager
def _no_service(_settings: Settings) -> Any:
    yield


def stand_in(machine: Machine) -> None:
    """The programs of the releases are not installed here: their migration happens in this process, the service is nobody's."""
    program.gate = lambda *_args, **_options: machine.migrate()  # type: ignore[assignment]
    program.stopped_service = _no_service  # type: ignore[assignment]


def fresh(template: Path, folder: Path) -> None:
    """The machine as it was before."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder, symlinks=True)


def check(machine: Machine, how: str, expected: dict[str, set[str]]) -> None:
    """What follows a kill: a start, or a command and a start. All that was acknowledged is there; afterwards life goes on.

    :param expected: by the release that is in use afterwards.
    """
    if machine.releases.current == OLD and release_journal.read(machine.settings) is None:
        expected = dict.fromkeys(expected, expected[OLD])  # the rollback was complete; an update begins from there
    if how != "start":
        getattr(machine, how)()
    version = machine.start()
    assert release_journal.read(machine.settings) is None, "the journal is still open"
    assert machine.entered() == expected[version], f"{version} has {machine.entered()}"
    if machine.releases.current == OLD:
        machine.update()
    assert machine.start() == NEW
    assert machine.entered() == expected[version]
    step = machine.releases.history()[-1]
    assert (step.source, step.target) == (OLD, NEW)
    machine.rollback()
    assert machine.start() == OLD


def main() -> None:
    """Kill at KILLS lines spread over the action, each time followed by one of the ways to go on."""
    folder, action, wanted = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    work, template = folder / "machine", folder / "template"
    machine = Machine(work)
    stand_in(machine)
    expected = {OLD: {"before"}, NEW: {"before"}}
    if action == "rollback":
        machine.update()
        assert machine.start() == NEW
        machine.enter("while new")
        expected[NEW].add("while new")
    shutil.copytree(work, template, symlinks=True)
    total = kill_points.lines_of(getattr(machine, action), WATCHED)
    wrong, kills = [], 0
    for number, line in enumerate(kill_points.chosen(total, wanted)):
        fresh(template, work)
        how = ("start", "update", "rollback")[number % 3]
        kills += kill_points.killed_at(line, getattr(machine, action), WATCHED)
        try:
            check(machine, how, expected)
        except (Problem, AssertionError, sqlite3.Error, OSError) as error:
            wrong.append(f"line {line} of {total}, then {how}: {type(error).__name__} {error}")
    print(json.dumps({"kills": kills, "lines": total, "wrong": wrong}))


if __name__ == "__main__":
    main()
