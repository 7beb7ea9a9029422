"""Kill a move to the object storage, and a recall, before lines spread over our code: a whole copy remains, and the next call finishes.

`python -m tests.archive.archive_kills FOLDER ACTION KILLS ENDPOINT BUCKET` (move, recall) prints JSON: how many kills, and what went wrong.
Everything that talks to the storage happens in forks, so that none has the connections of another.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from appliance.archive import access
from appliance.archive.moving import Mover
from appliance.archive.object_store import NoObject
from appliance.cli.common import CliState
from appliance.store import archived_files
from tests.crash import kill_points
from tests.ops import place as places
from tests.support.ceph import ACCESS_KEY, SECRET_KEY

WATCHED = ("archive/moving.py", "archive/object_store.py", "store/archived_files.py", "store/depot.py", "durable.py")


class Archive:
    """A data root with one measurement and an archive."""

    def __init__(self, folder: Path, endpoint: str, bucket: str) -> None:
        self.place = places.make(folder / "place")
        self._said = folder / "said"
        self.place.done("dataset", "activate", self.place.dataset)
        for name, value in {
            "depot.archive": f"s3://{bucket}", "archive.endpoint": endpoint, "archive.access_key": ACCESS_KEY,
            "archive.after_days": "0", "archive.least_size": "0", "archive.keep_days": "0",
        }.items():  # fmt: skip
            self.place.set(name, value)
        access.set_secret(self.place.settings, SECRET_KEY)
        self.content = hashlib.sha256(self.place.file().read_bytes()).hexdigest()

    def forked(self, action: Callable[[], object]) -> str:
        """Run an action in a fork; → what it returned as text. Raises AssertionError when it failed."""
        self._said.write_text("it died")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                self._said.write_text(str(action()))
                code = 0
            except Exception:
                self._said.write_text(traceback.format_exc())
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0, self._said.read_text()
        return self._said.read_text()

    def move(self) -> None:
        """All that is due."""
        with closing(CliState(self.place.root)) as state:
            report = Mover(state.db, state.depot, state.settings).run()
            assert not report.problems, report.problems

    def recall(self) -> None:
        """The measurement."""
        with closing(CliState(self.place.root)) as state:
            Mover(state.db, state.depot, state.settings).recall(self.place.resource)

    def check(self) -> None:
        """One whole copy at least, and what the row says is true."""
        here = self.place.file()
        local = here.is_file()
        if local:
            assert hashlib.sha256(here.read_bytes()).hexdigest() == self.content, "the local file is not whole"
        with closing(CliState(self.place.root)) as state:
            with state.db.read() as conn:
                row = archived_files.get(conn, self.place.resource)
            if not local or (row is not None and row.state == "stored"):
                assert row is not None, "no file and no row"
                assert row.state == "stored", row.state
                store = access.store_of(state.settings, row)
                try:
                    found = b"".join(store.read(row.object_key, 0, row.size, row.etag))
                except NoObject:
                    found = b""
                assert hashlib.sha256(found).hexdigest() == self.content, "the object is not whole"

    def require(self, *, here: bool) -> None:
        """After the next call everything is where it should be."""
        self.check()
        assert self.place.file().is_file() is here


def main() -> None:
    """Kill at KILLS lines spread over the action."""
    folder, action, wanted, endpoint, bucket = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:6]
    archive = Archive(folder, endpoint, bucket)
    act, back = (archive.move, archive.recall) if action == "move" else (archive.recall, archive.move)
    if action == "recall":
        archive.forked(archive.move)
    total = int(archive.forked(lambda: kill_points.lines_of(act, WATCHED)))
    archive.forked(back)
    wrong, kills = [], 0
    for line in kill_points.chosen(total, wanted):
        kills += kill_points.killed_at(line, act, WATCHED)
        try:
            archive.forked(archive.check)
            archive.forked(act)
            archive.forked(lambda: archive.require(here=action == "recall"))
            archive.forked(back)
            archive.forked(archive.check)
        except AssertionError as error:
            wrong.append(f"line {line} of {total}: {error}")
    print(json.dumps({"kills": kills, "lines": total, "wrong": wrong}))


if __name__ == "__main__":
    main()
