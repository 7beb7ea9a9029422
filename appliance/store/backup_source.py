"""What a backup takes from the store: a consistent copy of the running database, and the files of the depot it knows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from appliance.model.audit_anchor import LogState
from appliance.model.problem import Problem, invalid
from appliance.store import audit_chain


@dataclass(frozen=True, slots=True)
class DepotFile:
    """A file of the depot as the catalogue describes it; `sha256` is None until its checksum job has run."""

    resource_id: str
    kind: str
    size: int
    sha256: str | None


def copy(source: Path, target: Path) -> None:
    """Copy the database `source` as of one moment to `target` (new, mode 0600), while others read and write it.

    Some 500 MB/s; writers do not wait. Raises OSError or sqlite3.OperationalError when there is no database.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(_read_only(source)) as live, closing(sqlite3.connect(target)) as made:
        live.backup(made)
        made.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def snapshot(source: Path, target: Path) -> None:
    """`copy` and look at the copy: raises Problem 409 when SQLite finds it damaged.

    Better keep the earlier backups than replace them by such a one.
    """
    copy(source, target)
    problems = examine(target)
    if problems:
        raise invalid(message=f"The database {source} is damaged and was not backed up. {' '.join(problems)}")


def examine(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a database file, in sentences; empty = nothing. Reads all of it."""
    try:
        with closing(_read_only(path)) as conn:
            found = [str(row[0]) for row in conn.execute("PRAGMA integrity_check(5)")]
    except sqlite3.DatabaseError as error:
        return [f"The database cannot be read: {error}."]
    return [] if found == ["ok"] else [f"The database is damaged: {text}." for text in found]


def audit_state(path: Path) -> LogState:
    """The state of the audit log in the database file `path`."""
    with closing(_read_only(path)) as conn:
        return audit_chain.state(conn)


def depot_files(path: Path) -> Iterator[DepotFile]:
    """Yield the originals and artefacts that the database file `path` knows, in a stable order, but for archived originals."""
    with closing(_read_only(path)) as conn:
        archived = _archived(conn)
        yield from (
            DepotFile(*row)
            for row in conn.execute(
                f"""SELECT id, 'original', size, sha256 FROM resource WHERE size IS NOT NULL AND id NOT IN ({archived})
                   UNION ALL SELECT resource_id, kind, size, sha256 FROM artefact ORDER BY 1, 2"""
            )
        )


def archived_files(path: Path) -> tuple[int, int]:
    """(number, bytes) of the originals that are in the object storage, as the database file `path` knows them."""
    with closing(_read_only(path)) as conn:
        row = conn.execute(
            f"SELECT count(*), coalesce(sum(size), 0) FROM resource WHERE id IN ({_archived(conn)})"
        ).fetchone()
    return int(row[0]), int(row[1])


def _archived(conn: sqlite3.Connection) -> str:
    """A query for the ids of archived originals; databases of releases before 0.2 have none."""
    known = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'archived_file'").fetchone()
    return "SELECT resource_id FROM archived_file WHERE state = 'stored'" if known else "SELECT '' WHERE 0"


def counts(path: Path) -> dict[str, int]:
    """Return the number of users, datasets and resources in a database file. Raises Problem 409 when it is unreadable."""
    try:
        with closing(_read_only(path)) as conn:
            row = conn.execute(
                "SELECT (SELECT count(*) FROM user), (SELECT count(*) FROM dataset), (SELECT count(*) FROM resource)"
            ).fetchone()
    except sqlite3.DatabaseError as error:
        raise invalid(message=f"The database {path} cannot be read: {error}.") from error
    return dict(zip(("users", "datasets", "resources"), row, strict=True))


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def datasets_in(database: Path) -> int:
    """Number of datasets in a database; none in one that cannot be read."""
    if not database.exists():
        return 0
    try:
        return counts(database)["datasets"]
    except Problem:
        return 0
