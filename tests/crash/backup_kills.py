"""Kill a backup and a restore at lines spread over our code, and see that the next one makes good of it.

`python -m tests.crash.backup_kills FOLDER ACTION KILLS` (backup, restore) prints JSON: how many kills, and what went wrong.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

from appliance import root_marker
from appliance.backup import manifest as backup_manifest
from appliance.model.problem import Problem
from tests.backup.test_backup import START, Site, things
from tests.crash import kill_points

WATCHED = ("create.py", "manifest.py", "restore.py", "claims.py", "crypto.py", "durable.py", "root_marker.py")


def check_backup(site: Site, day: int) -> None:
    """What was there is as good as before, and the next backup is good."""
    names = backup_manifest.names(site.folder)
    assert names, "no backup is left"
    for name in names:
        assert site.verify(name=name, identities=site.identities).ok, name
    site.backup(day)
    assert site.verify(identities=site.identities).ok
    assert site.verify().files >= 3


def check_restore(site: Site, target: Path, number: int) -> None:
    """Half of it is refused by a start; going on, or starting over with another backup, makes it whole."""
    try:
        root_marker.require(target)
    except Problem:
        pass
    else:
        assert things(target / "dcor.sqlite") == ["first", "second"], "a start would have served it"
    name = backup_manifest.names(site.folder)[number % 2]
    site.restore(target, name=name, replace=True)
    root_marker.require(target)
    assert things(target / "dcor.sqlite") == (["first", "second"] if number % 2 == 0 else ["first"])
    for path, data in site.files.items():
        assert (target / path).read_bytes() == data, path


def main() -> None:
    """Kill at KILLS lines spread over the action."""
    folder, action, wanted = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    site = Site(folder / "data")
    for number in range(3):
        site.put(f"{number}ab/cde/f-{number}", bytes([number]) * (3000 + number * 70_000))
    site.backup()
    site.write("second")
    target, wrong, kills = folder / "target", [], 0
    if action == "restore":
        site.backup(1)

    def act() -> object:
        return site.restore(target) if action == "restore" else site.backup(day)

    day = 2
    total = kill_points.lines_of(act, WATCHED)
    for number, line in enumerate(kill_points.chosen(total, wanted)):
        shutil.rmtree(target, ignore_errors=True)
        site.put(f"{number}ff/cde/f-new", bytes([number % 256]) * 5000) if action == "backup" else None
        day += 2
        kills += kill_points.killed_at(line, act, WATCHED)
        try:
            if action == "restore":
                check_restore(site, target, number)
            else:
                check_backup(site, day + 1)
                for name in backup_manifest.names(site.folder)[2:]:  # so that it does not take longer and longer
                    shutil.rmtree(backup_manifest.set_path(site.folder, name))
        except (Problem, AssertionError, sqlite3.Error, OSError) as error:
            wrong.append(f"line {line} of {total}: {type(error).__name__} {error}")
    assert START + timedelta(days=day)
    print(json.dumps({"kills": kills, "lines": total, "wrong": wrong}))


if __name__ == "__main__":
    main()
