"""The journal of an update or rollback: which step was reached, so that an interrupted one can be completed or undone.

It is in the data root, beside the copies of the database, where the start of the service can process it as well as `dcor
update` and `dcor rollback`. Every step is idempotent. Order: COPYING (nothing changed) → CHANGING (the schema may have changed)
→ READY (only the other release has to be made current) → SWITCHED (only the start is missing) → no journal; or from CHANGING
and READY → UNDOING → UNDONE (only the start of the previous release is missing) → no journal.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from appliance import durable, file_locks
from appliance.actions import rollback_copies
from appliance.model.problem import invalid
from appliance.settings import Settings
from appliance.store import database_place, inspection
from appliance.store.database import Database

COPYING, CHANGING, READY, SWITCHED, UNDOING, UNDONE = "copying", "changing", "ready", "switched", "undoing", "undone"
UPDATE, ROLLBACK = "update", "rollback"

_NAME, _LOCK = "journal.json", "journal.lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is under way: `action` from release `source` to `target`.

    :ivar copy: name of the copy of the database that undoes it, "" = the database is not changed.
    :ivar state: what the database file looked like when the step READY began; it is put back only if nobody has used it since.
    """

    action: str
    source: str
    target: str
    step: str = COPYING
    copy: str = ""
    state: str = ""

    def __str__(self) -> str:
        return f"{self.action} from release {self.source} to {self.target}"


def read(settings: Settings) -> Entry | None:
    """The current or interrupted step, None when there is none. Raises Problem for a damaged journal."""
    path = _folder(settings) / _NAME
    try:
        return Entry(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise invalid(
            message=f"{path} is damaged. The copies of the database beside it are good; if the service runs properly without it: sudo rm {path}"
        ) from error


def begin(settings: Settings, action: str, source: str, target: str) -> Entry:
    """Create the journal. Raises Problem when an interrupted one has not been settled."""
    open_ = read(settings)
    if open_ is not None:
        raise invalid(message=f"The {open_} was interrupted. Settle it first: sudo dcor update")
    return _write(settings, Entry(action, source, target))


def change_begins(settings: Settings, entry: Entry, copy: Path) -> Entry:
    """Record that the database may change from now on; `copy` is its backup."""
    return _write(settings, replace(entry, step=CHANGING, copy=copy.name))


def ready(settings: Settings, entry: Entry) -> Entry:
    """Record that the database is ready for the target release."""
    return _write(settings, replace(entry, step=READY, state=_state(settings)))


def switched(settings: Settings, entry: Entry) -> None:
    """Record that the target is the current release; it may not have been started yet."""
    _write(settings, replace(entry, step=SWITCHED))


def end_if_settled(settings: Settings, current: str) -> None:
    """Remove the journal if everything is done or undone."""
    entry = read(settings)
    if entry is not None and (_is_settled(entry, current) or (entry.step, current) == (COPYING, entry.source)):
        end(settings)


def _is_settled(entry: Entry, current: str) -> bool:
    """Whether only the start of the release `current` is missing."""
    return (entry.step, current) in {(UNDONE, entry.source), (SWITCHED, entry.target)}


def end(settings: Settings) -> None:
    """Remove the journal."""
    path = _folder(settings) / _NAME
    if path.exists():
        path.unlink()
        durable.sync_folder(path.parent)


def can_be_finished(settings: Settings, entry: Entry) -> bool:
    """Whether only the switch is missing, and the database has not been used since."""
    return entry.step == READY and entry.state == _state(settings)


def take_back(settings: Settings, entry: Entry) -> None:
    """Restore the database if it may have been changed. Idempotent. Raises Problem when the copy is missing."""
    if entry.copy and _must_restore(settings, entry):
        copy = rollback_copies.find(settings, entry.copy)
        if not copy.exists():
            raise invalid(
                message=f"The {entry} was interrupted, and the copy of the database from before, {copy}, is gone. Restore a backup: "
                "sudo dcor backup restore --replace --from BACKUPS --key KEYFILE"
            )
        _write(settings, replace(entry, step=UNDOING))  # once started, it has to be completed
        rollback_copies.put_back(settings, copy)
    _write(settings, replace(entry, step=UNDONE))


def undo(settings: Settings, entry: Entry) -> None:
    """Undo all changes and remove the journal. Idempotent."""
    take_back(settings, entry)
    end(settings)


def _must_restore(settings: Settings, entry: Entry) -> bool:
    if entry.step in (READY, SWITCHED):
        return entry.state == _state(settings)  # otherwise it has been used since, and nothing of that may be lost
    # In these states it cannot have been used: a start settles the journal first.
    return entry.step in (CHANGING, UNDOING)


def settle_at_start(settings: Settings, running: str) -> str:
    """Before the service opens the database: complete or undo an interrupted update; → what was done, in words ("" = nothing).

    :param running: the release that starts. Raises Problem while an update is running, except for the release that it tests.
    """
    entry = read(settings)
    if entry is None:
        return ""
    if _is_settled(entry, running) and is_at_work(settings):
        end(settings)  # by this start, whatever state the command has reached
        return ""
    at_work = is_at_work(settings)
    if at_work and (running == entry.target or (running == entry.source and entry.step == COPYING)):
        return ""
    if at_work:
        raise invalid(message=f"The {entry} is at work; it starts the service itself.")
    if running == entry.target and entry.step in (READY, SWITCHED):
        end(settings)
        return f"The {entry} had been interrupted after its last step; it is finished."
    if running == entry.target and entry.step == CHANGING and entry.copy:
        raise invalid(
            message=f"The {entry} was interrupted before release {running} had passed its checks. Settle it: sudo dcor update"
        )
    undo(settings, entry)
    return f"The {entry} had been interrupted; it was undone."


def is_at_work(settings: Settings) -> bool:
    """Whether a running process holds the journal."""
    return file_locks.is_held(_folder(settings) / _LOCK)


@contextmanager
def at_work(settings: Settings) -> Iterator[None]:
    """Lock the journal. Raises Problem when another process holds it."""
    folder = rollback_copies.folder(settings)
    with (folder / _LOCK).open("ab") as file:
        rollback_copies.give(folder / _LOCK, settings.data)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise invalid(message="Another update or rollback is in progress.") from error
        yield


def schema_of(path: Path) -> int:
    """Number of migrations applied to a database file."""
    with closing(Database(path)) as db, db.read() as conn:
        return inspection.schema_version(conn)


def _write(settings: Settings, entry: Entry) -> Entry:
    path = rollback_copies.folder(settings) / _NAME
    draft = durable.new_draft(path, json.dumps(asdict(entry)).encode(), 0o600)
    rollback_copies.give(draft, settings.data)
    durable.replace(draft, path)
    return entry


def _folder(settings: Settings) -> Path:
    return settings.data / rollback_copies.FOLDER


def _state(settings: Settings) -> str:
    """Inode, size and time of the database, and the size of its WAL: changed by every write."""
    parts = []
    for path in (settings.database, database_place.logs_of(settings.database)[0]):
        try:
            found = path.stat()
        except FileNotFoundError:
            parts.append("-")
        else:
            parts.append(f"{found.st_ino} {found.st_size} {found.st_mtime_ns}" if found.st_size else "-")
    return "; ".join(parts)
