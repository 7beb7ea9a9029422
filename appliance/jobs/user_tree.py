"""The tree `depot/users/<circle>/<dataset>/<file>`: relative symbolic links to the stored files, for administrators at a shell."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress

from appliance.jobs.registry import CARE, Done, JobContext, job
from appliance.store import file_locations
from appliance.store.database import Database
from appliance.store.depot import Depot

_EVERY_SECONDS = 5.0
_Links = dict[str, str]  # "<circle>/<dataset>/<file>" → target relative to the link's folder


@job("user_tree", lane=CARE)
def run(context: JobContext) -> Done:
    """Compare the whole tree with the catalogue and correct it."""
    made, removed = UserTree(context.db, context.depot).rebuild()
    return Done({"made": made, "removed": removed})


class UserTree:
    """Keeps the tree in step. Only ever makes and removes symbolic links and empty folders; a plain file in the tree is left alone."""

    def __init__(self, db: Database, depot: Depot) -> None:
        self._db, self._depot = db, depot
        self._top = depot.root / "depot" / "users"
        self._links: dict[str, _Links] = {}
        self._seen = ""
        self._generation = -1

    def rebuild(self) -> tuple[int, int]:
        """Bring everything in step. → number of links made and removed."""
        with self._db.snapshot() as conn:
            rows = file_locations.files(conn)
            changes = file_locations.changed_since(conn, self._seen)
        self._links = self._wanted(rows)
        self._seen = changes[-1][1] if changes else self._seen
        wanted = {name: target for links in self._links.values() for name, target in links.items()}
        stray = [name for name in self._present() if name not in wanted]
        removed = self._remove(stray)
        return self._make(wanted), removed

    def follow(self) -> bool:
        """Bring in step what changed since the last call; the first call rebuilds. → did anything have to be done?"""
        generation = self._db.generation()
        if generation == self._generation:
            return False
        if self._generation < 0:
            self.rebuild()
        else:
            with self._db.snapshot() as conn:
                changes = file_locations.changed_since(conn, self._seen)
                gone = self._links.keys() - file_locations.dataset_ids(conn)
                ids = {dataset_id for dataset_id, _moment in changes} | gone
                wanted = self._wanted(file_locations.files(conn, ids))
            self._seen = changes[-1][1] if changes else self._seen
            for dataset_id in ids:
                self._replace(dataset_id, wanted.get(dataset_id, {}))
        self._generation = generation
        return True

    def follow_and_wait(self, stop: threading.Event) -> None:
        """Call `follow` and wait a few seconds, or until `stop` is set; one turn of a `Loop`."""
        try:
            self.follow()
        except (OSError, sqlite3.Error):  # tried again: the next change or the daily rebuild mends it
            pass
        except Exception:
            self._generation = -1  # rebuilt next time
            raise
        stop.wait(_EVERY_SECONDS)

    def _wanted(self, rows: Iterable[sqlite3.Row]) -> dict[str, _Links]:
        found: dict[str, _Links] = {}
        for row in rows:
            folder = self._top / safe_name(row["circle"]) / safe_name(row["dataset"])
            target = os.path.relpath(self._depot.path(row["resource_id"]), folder)
            found.setdefault(row["dataset_id"], {})[f"{folder.relative_to(self._top)}/{safe_name(row['name'])}"] = (
                target
            )
        return found

    def _replace(self, dataset_id: str, links: _Links) -> None:
        old = self._links.pop(dataset_id, {})
        self._remove(name for name in old if name not in links)
        self._make(links)
        if links:
            self._links[dataset_id] = links

    def _make(self, links: _Links) -> int:
        made = 0
        for name, target in links.items():
            path = self._top / name
            with suppress(OSError):
                if str(path.readlink()) == target:
                    continue
                path.unlink()
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            with suppress(FileExistsError):  # somebody's plain file stays
                path.symlink_to(target)
                made += 1
        return made

    def _remove(self, names: Iterable[str]) -> int:
        removed = 0
        for name in names:
            path = self._top / name
            if path.is_symlink():
                path.unlink()
                removed += 1
            with suppress(OSError):  # not empty
                path.parent.rmdir()
                path.parent.parent.rmdir()
        return removed

    def _present(self) -> list[str]:
        return [str(path.relative_to(self._top)) for path in self._top.glob("*/*/*") if path.is_symlink()]


def safe_name(name: str) -> str:
    """A file name for people's text: no separators, no control characters, no leading dot, at most 200 bytes."""
    plain = "".join(char if char.isprintable() and char not in "/\\" else "_" for char in name)
    plain = plain.encode("utf-8", "replace")[:200].decode("utf-8", "ignore")
    return "_" + plain[1:] if plain.startswith(".") else plain or "_"
