"""Files on their way to the object storage and back; see the package for the order of steps."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from appliance import durable, file_locks
from appliance.archive.access import fault, object_store, store_of
from appliance.archive.object_store import BLOCK, NoObject, ObjectStore
from appliance.model import times
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import OPERATOR
from appliance.settings import Settings
from appliance.store import archived_files, audit, file_checks, resources
from appliance.store.archived_files import ArchivedFile
from appliance.store.database import Database
from appliance.store.depot import Depot

_LOCK = "archive.lock"
_REMOVAL = "archive-removal.lock"


class Stopped(Exception):
    """The caller wants no more."""


@dataclass
class Report:
    """What a run did: files and bytes moved, moves finished that were interrupted, objects deleted, and what could not be done."""

    moved: int = 0
    bytes: int = 0
    finished: int = 0
    deleted: int = 0
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Mover:
    """Moves originals of one data root. :ivar cancelled: asked between pieces; :ivar progress: told fraction and stage."""

    db: Database
    depot: Depot
    settings: Settings
    cancelled: Callable[[], bool] = lambda: False
    progress: Callable[[float, str], None] = lambda _done, _stage: None

    def candidates(self, dataset_ids: Sequence[str] = (), *, any_age: bool = False) -> list[dict[str, Any]]:
        """Originals that a run would move now: id, name, dataset, size, sha256.

        :param dataset_ids: only of these datasets; :param any_age: however young.
        """
        settings = self.settings.archive
        moment = times.now() if any_age else times.ahead(-timedelta(days=settings.after_days))
        with self.db.read() as conn:
            rows = archived_files.candidates(
                conn, before=moment, least_size=settings.least_size, circles=settings.circles.split(),
                dataset_ids=dataset_ids, scanned=file_checks.VIRUS if self.settings.clamav.socket else "",
            )  # fmt: skip
        return [dict(row) for row in rows]

    def run(self, dataset_ids: Sequence[str] = (), *, any_age: bool = False) -> Report:
        """Finish what was interrupted, move what the settings say, delete objects that are no longer needed.

        Raises Problem: 409 without an archive or while another run is under way, ArchiveAway when the storage does not answer (what was
        moved by then is moved), Stopped when cancelled.
        """
        store = object_store(self.settings)
        with file_locks.held(self.settings.tmp / _LOCK) as mine:
            if not mine:
                raise invalid(message=Message("Files are being moved to the archive already; wait for that to end."))
            store.check()
            report = Report()
            self._finish(store, report)
            rows = self.candidates(dataset_ids, any_age=any_age)
            total = max(sum(row["size"] for row in rows), 1)
            for row in rows:
                self._tick()
                try:
                    self._move(store, row)
                except (NoObject, ValueError, OSError) as error:
                    report.problems.append(Message("%(name)s (%(id)s) stays here: %(error)s", name=row["name"], id=row["id"], error=error))  # fmt: skip
                    continue
                report.moved += 1
                report.bytes += row["size"]
                self.progress(min(report.bytes / total, 1.0), Message("moving files"))
            return report

    def recall(self, resource_id: str) -> bool:
        """Bring a file back, and compare it with its checksum. False when it is here already.

        Raises Problem: ArchiveAway, 404 for an unknown file, 409 for a damaged object, 507 without room; Stopped when cancelled.
        """
        with self.db.read() as conn:
            file = archived_files.stored(conn, resource_id)
            known = resources.get(conn, resource_id) is not None
        if not known:
            raise not_found(Message("There is no file %(id)s.", id=resource_id))
        if file is None:
            return False
        path = self.depot.path(resource_id)
        if not path.is_file():
            with self._fetched(file) as copy:
                os.utime(copy, (file.modified, file.modified))
                self.depot.publish(copy, resource_id)
        with self.db.write() as tx:  # no run removes the file meanwhile: it would hold this lock
            if not path.is_file():
                raise invalid(message=Message("The file was moved to the archive again; repeat the call."))
            if archived_files.mark_recalled(tx, resource_id):
                audit.add(tx, OPERATOR, "archive.recall", "resource", resource_id)
        return True

    @contextmanager
    def local(self, resource_id: str) -> Iterator[Path]:
        """The original as a file on this machine: the one in the depot, or a verified copy that is gone afterwards.

        Raises as `recall` does, and FileNotFoundError when there is none at all.
        """
        path = self.depot.path(resource_id)
        with self.db.read() as conn:
            file = archived_files.stored(conn, resource_id)
        if file is None or path.is_file():
            path.stat()
            yield path
            return
        with self._fetched(file) as copy:
            yield copy

    def prune(self, days: int, *, dry_run: bool = False) -> list[ArchivedFile]:
        """Delete objects whose resources were purged more than `days` ago; → them. Raises ArchiveAway."""
        with self.db.write() as tx:
            archived_files.note_removed(tx)
            found = archived_files.removed_before(
                tx, times.ahead(-timedelta(days=days) if days else timedelta(seconds=1))
            )
        if dry_run:
            return found
        for file in found:
            store_of(self.settings, file).delete(file.object_key)
            with self.db.write() as tx:
                archived_files.forget(tx, file.resource_id)
                audit.add(tx, OPERATOR, "archive.prune", "resource", file.resource_id, key=file.object_key)
        return found

    # --- steps --------------------------------------------------------------------------------------------------------

    def _move(self, store: ObjectStore, row: dict[str, Any]) -> None:
        """One file, to its end. Raises ValueError for a file that is not as its row says, NoObject for an object that is not."""
        resource_id, path = row["id"], self.depot.path(row["id"])
        modified = int(path.stat().st_mtime)
        key = store.key(resource_id)
        if not self._is_there(store, resource_id, row["size"]):
            with self.db.write() as tx:
                archived_files.begin(
                    tx, resource_id, place=store.address.place, key=key, size=row["size"], sha256=row["sha256"], modified=modified
                )  # fmt: skip
            self._upload(store, key, path, row)
        etag = self._verified(store, key, row["size"], row["sha256"])
        with self.db.write() as tx:
            if not archived_files.mark_stored(tx, resource_id, etag):
                return  # its dataset was purged meanwhile
            audit.add(tx, OPERATOR, "archive.move", "resource", resource_id, bytes=row["size"])
        self._remove_here(resource_id)

    def _is_there(self, store: ObjectStore, resource_id: str, size: int) -> bool:
        """Is the object of an earlier move still there, so that it need not be sent again?"""
        with self.db.read() as conn:
            known = archived_files.get(conn, resource_id)
        if known is None or known.state != "recalled" or known.place != store.address.place or known.size != size:
            return False
        return fault(store, known) is None

    def _upload(self, store: ObjectStore, key: str, path: Path, row: dict[str, Any]) -> None:
        digest = hashlib.sha256()

        def passed(piece: bytes) -> None:
            """Hash what is sent, and stop when asked to."""
            self._tick()
            digest.update(piece)

        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != row["size"]:
                raise ValueError(f"it has {size} bytes instead of {row['size']}")
            store.write(key, file, size, passed)
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if digest.hexdigest() != row["sha256"]:
            store.delete(key)
            raise ValueError("it does not have its checksum any more")

    def _verified(self, store: ObjectStore, key: str, size: int, sha256: str) -> str:
        """Read the whole object back and compare it; → its ETag. Raises ValueError."""
        found = store.head(key)
        digest = hashlib.sha256()
        if found.size == size:
            for block in store.read(key, 0, size, found.etag):
                self._tick()
                digest.update(block)
        if found.size != size or digest.hexdigest() != sha256:
            raise ValueError("the storage does not give back what it was sent")
        return found.etag

    def _remove_here(self, resource_id: str) -> None:
        """Remove the local file of a stored one. The transaction keeps a recall from counting on it at the same moment."""
        path = self.depot.path(resource_id)
        with file_locks.held(self.settings.tmp / _REMOVAL) as mine:
            if not mine:  # the next run does it
                return
            with self.db.write() as tx:
                if archived_files.stored(tx, resource_id) is None:
                    return
                path.unlink(missing_ok=True)
        durable.sync_folder(path.parent)

    def _finish(self, store: ObjectStore, report: Report) -> None:
        """Whatever earlier runs, recalls and purges left."""
        with self.db.write() as tx:
            archived_files.note_removed(tx)
        with self.db.read() as conn:
            files = [file for file in archived_files.all_(conn) if file.removed is None]
        keep = times.ahead(-timedelta(days=self.settings.archive.keep_days))
        for file in files:
            if file.place != store.address.place:
                continue
            self._tick()
            here = self.depot.path(file.resource_id).is_file()
            if file.state == "stored" and here:
                if fault(store, file) is None:
                    self._remove_here(file.resource_id)
                    report.finished += 1
                else:
                    report.problems.append(Message("The object of %(id)s is not as it was stored; the file stays here.", id=file.resource_id))  # fmt: skip
            elif file.state == "sending" or (file.state == "recalled" and file.since <= keep):
                if not here or (file.state == "recalled" and not self._is_right(file)):
                    continue  # scrub and inspect raise the alarm; the object may be all there is
                store.delete(file.object_key)
                with self.db.write() as tx:
                    archived_files.forget(tx, file.resource_id)
                report.deleted += 1

    def _is_right(self, file: ArchivedFile) -> bool:
        """Does the local file have its checksum? Asked before its object goes."""
        digest = hashlib.sha256()
        with self.depot.path(file.resource_id).open("rb") as source:
            while block := source.read(BLOCK):
                self._tick()
                digest.update(block)
        return digest.hexdigest() == file.sha256

    @contextmanager
    def _fetched(self, file: ArchivedFile) -> Iterator[Path]:
        """A verified, durable copy of an object on the depot's file system; what is left at the end is removed."""
        if self.depot.free() - file.size < self.settings.depot.reserve:
            raise Problem(
                507, "Insufficient Storage",
                message=Message("There is no room for the archived file %(id)s (%(size)s bytes) beside depot.reserve.", id=file.resource_id, size=file.size),
            )  # fmt: skip
        store = store_of(self.settings, file)
        digest = hashlib.sha256()
        part = self.depot.new_part()
        try:
            with os.fdopen(os.dup(part.fd), "wb") as target:
                done = 0
                for block in self._object(store, file):
                    self._tick()
                    target.write(block)
                    digest.update(block)
                    done += len(block)
                    self.progress(done / max(file.size, 1), Message("recalling"))
                target.flush()
                os.fsync(target.fileno())
            if digest.hexdigest() != file.sha256:
                raise _damaged(file)
            yield part.path
        finally:
            part.discard()

    def _object(self, store: ObjectStore, file: ArchivedFile) -> Iterator[bytes]:
        try:
            yield from store.read(file.object_key, 0, file.size, file.etag)
        except NoObject as error:
            raise _damaged(file) from error

    def _tick(self) -> None:
        if self.cancelled():
            raise Stopped


@contextmanager
def files_stay(settings: Settings) -> Iterator[None]:
    """No file leaves the depot for the storage meanwhile: for backups, whose copy of the database is older than what they read."""
    with file_locks.shared(settings.tmp / _REMOVAL):
        yield


def _damaged(file: ArchivedFile) -> Problem:
    return invalid(
        message=Message(
            "The object %(key)s in %(place)s is missing or was changed. Bring it back from the storage's own versions or from a backup.",
            key=file.object_key,
            place=file.place,
        )
    )
