"""The only place that opens SQLite connections: a pool of readers and one writer.

Readers cannot write; the writer is guarded by a lock, and its commit is an fsync (`synchronous=FULL` in WAL mode), so that
everything acknowledged to a client is on disk.
"""

from __future__ import annotations

import pkgutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from appliance.model.problem import Problem
from appliance.store import database_place, migrations, write_guard
from appliance.store.connections import STATEMENT, TRANSACTION, Reader, Writer, too_long
from appliance.store.fair_lock import FairLock, caller, ways_given
from appliance.store.wal_index import WalIndex

_BUSY_MS = 5000
#: Size of the pool: more than the threads that normally read at once.
_MOST_IDLE = 16
#: Time after which idle connections are closed [s].
_IDLE_SECONDS = 30.0
#: Longest wait of a request for the writer [s].
WRITER_WAIT = 30.0
_Kind = TypeVar("_Kind", Reader, Writer)


class Database:
    """The metadata database of one data root.

    :param path: the file. Call `create` (for a new one) or `migrate` before anything else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[Reader] = []  # last in, first out
        self._write_lock = FairLock()
        self._writer: Writer | None = None
        self._file: tuple[int, int] | None = None
        self._watch_lock = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self._wal_index: WalIndex | None = None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection from the pool; each statement sees the latest commit."""
        try:
            conn = self._idle.pop()
        except IndexError:
            conn = self._connect(Reader)
        conn.limit, conn.deadline = None if caller() is None else STATEMENT, None
        try:
            yield conn
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise Problem(
                    503,
                    "Busy",
                    message=f"Reading this takes longer than {STATEMENT:g} s and was stopped; ask for less.",
                ) from error
            raise
        finally:
            if len(self._idle) < _MOST_IDLE and not conn.full:
                conn.idle_since = time.monotonic()
                self._idle.append(conn)
            else:
                conn.close()

    def close_idle(self, seconds: float = _IDLE_SECONDS) -> int:
        """Close connections that have been idle for a while; returns how many. Each uses memory for its page cache and the mapped file."""
        closed = 0
        while True:
            try:
                oldest = self._idle[0]
                if time.monotonic() - oldest.idle_since < seconds:
                    return closed
                self._idle.remove(oldest)
            except (IndexError, ValueError):  # none left, or another thread has just taken it
                return closed
            oldest.close()
            closed += 1

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection in which all statements see the same state."""
        with self.read() as conn:
            conn.execute("BEGIN")
            try:
                yield conn
            finally:
                conn.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A `BEGIN IMMEDIATE` transaction of the writer: commits (to disk) at the end, rolls back on any error.

        The caller who has written least recently comes first; a waiting request releases its slot to others until its
        transaction has ended. A request whose sender has lost rights in the meantime writes nothing (`write_guard`). Raises
        Problem 503 when waiting for the writer, or the transaction, takes too long (not for the service's own work).
        """
        who = caller()
        with ExitStack() as stack:
            longest = -1 if who is None else WRITER_WAIT
            if not self._write_lock.acquire(who, longest, lambda: stack.enter_context(ways_given())):
                raise Problem(
                    503,
                    "Busy",
                    message="Many changes are waiting to be written; nothing was changed. Try again in a moment.",
                )
            stack.callback(self._write_lock.release)
            if self._writer is None:
                self._writer = self._connect(Writer)
                self._file = self._on_disk()
            elif self.replaced():
                raise Problem(
                    503,
                    "Busy",
                    message="The database was moved or replaced while the service was running. Nothing was changed; tell the administrator.",
                )
            tx = self._writer
            tx.deadline = None if who is None else time.monotonic() + TRANSACTION
            tx.before_commit.clear()
            try:
                tx.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise _readable(error) from error
            guard = write_guard.of(self)
            try:
                if guard is not None:
                    guard.begin(tx)
                yield tx
                if guard is not None:
                    guard.end(tx)
                tx.complete()
                tx.deadline = None
                tx.execute("COMMIT")
            except sqlite3.OperationalError as error:
                _rollback(tx)
                raise _readable(error) from error
            except Exception:
                _rollback(tx)
                raise
            finally:
                if tx.in_transaction:  # left by an exception that is not an Exception, such as GeneratorExit
                    _rollback(tx)

    def replaced(self) -> bool:
        """Whether the file that was opened for writing has been replaced or removed, so that writes would be lost."""
        return self._file is not None and self._on_disk() != self._file

    def _on_disk(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def generation(self) -> int:
        """A number that changes with every commit of any process; used to invalidate caches."""
        index = self._wal_index or self._watch()
        return index.state()

    def create(self) -> list[str]:
        """Create the database (mode 0600) if it does not exist, then `migrate`. Raises Problem on a network file system."""
        database_place.require_local(self.path)
        if not self.path.exists():
            self.path.touch(mode=0o600)
        return self._migrate(make=True)

    def migrate(self) -> list[str]:
        """Migrate the schema; returns the steps taken. Raises Problem when the file is from a newer release, missing or empty."""
        if not self.path.exists():
            raise _no_database(f"There is no database {self.path}")
        return self._migrate(make=False)

    def _migrate(self, *, make: bool) -> list[str]:
        database_place.require_local(self.path)
        self._setup()
        with self.write() as tx:
            done = tx.execute("PRAGMA user_version").fetchone()[0]
            if done == 0 and not make:
                raise _no_database(f"The database {self.path} is empty")
            names = _steps()
            if done > len(names):
                raise Problem(
                    409,
                    "Validation Error",
                    message=f"The database has schema {done}, this release knows {len(names)}. Install the newer release.",
                )
            return migrations.apply(tx, names, done)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._write_lock.acquire()
        with self._watch_lock:
            for conn in (self._writer, self._watcher, *self._idle):
                if conn is not None:
                    conn.close()
            self._writer = self._watcher = None
            self._file = None
            self._idle.clear()
            if self._wal_index is not None:
                self._wal_index.close()
                self._wal_index = None
        self._write_lock.release()

    def _watch(self) -> WalIndex:
        with self._watch_lock:
            if self._wal_index is None:
                self._watcher = self._connect(Reader)
                self._watcher.execute(
                    "SELECT 1 FROM sqlite_schema"
                ).fetchone()  # maps the WAL index as long as it is open
                self._wal_index = WalIndex(self.path.resolve())
            return self._wal_index

    def _setup(self) -> None:
        """Set the settings that are stored in the file itself."""
        conn = self._connect(Writer)
        conn.execute("PRAGMA journal_mode = WAL")
        conn.close()

    def _connect(self, kind: type[_Kind]) -> _Kind:
        write = kind is Writer
        mode = "rw" if write else "ro"
        conn = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
            factory=kind,
        )
        conn.data_root = self.path.parent
        conn.watch_time()
        conn.row_factory = sqlite3.Row
        conn.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.execute("PRAGMA temp_store = MEMORY")
        conn.execute("PRAGMA cache_size = -16000")
        conn.execute("PRAGMA mmap_size = 1073741824")
        if write:
            conn.execute("PRAGMA synchronous = FULL")
        else:
            conn.execute("PRAGMA query_only = ON")
        return conn


def _steps() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(migrations.__path__) if module.name.startswith("m"))


def _no_database(what: str) -> Problem:
    return Problem(
        409,
        "Validation Error",
        message=f"{what}, and no new one is created, as that would hide the loss. Put the right one back, or restore a backup.",
    )


def _rollback(tx: Writer) -> None:
    tx.deadline = None
    with suppress(sqlite3.OperationalError):  # SQLite may have rolled back already, e.g. when the disk is full
        tx.execute("ROLLBACK")


def _readable(error: sqlite3.OperationalError) -> Exception:
    """Convert SQLite errors that are not bugs to a Problem that says what to do."""
    text = str(error)
    if "disk is full" in text or "disk I/O error" in text:
        return Problem(
            507, "Insufficient Storage", message="The data volume is full. Nothing was changed; tell the administrator."
        )
    if "interrupted" in text:
        return too_long()
    if "locked" in text:
        return Problem(503, "Busy", message="The database is busy; try again in a moment.")
    if "readonly" in text:
        return Problem(
            507,
            "Insufficient Storage",
            message="The data volume is read-only. Nothing was changed; tell the administrator.",
        )
    return error
