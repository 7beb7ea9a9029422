"""Files with the events of a gate, made by a job for one user and kept for a day below ``tmp/exports``."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

from appliance.model import names, times

LIFETIME = timedelta(days=1)
_FOLDER = "exports"


def folder(tmp: Path) -> Path:
    """Where the files lie; made when it is missing. :param tmp: the data root's folder for temporary files."""
    found = tmp / _FOLDER
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def path(tmp: Path, export_id: str) -> Path:
    """The file of one export. Raises ValueError for an id that is none."""
    if not names.is_id(export_id):
        raise ValueError("not an id")
    return folder(tmp) / export_id


def add(
    tx: sqlite3.Connection, export_id: str, resource_id: str, user_id: str, job_id: str, name: str, form: str
) -> None:
    """Note an export that a job is going to make."""
    tx.execute(
        """INSERT INTO gate_export (id, resource_id, user_id, job_id, name, format, created, expires)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (export_id, resource_id, user_id, job_id, name, form, times.now(), times.ahead(LIFETIME)),
    )


def finish(tx: sqlite3.Connection, export_id: str, *, events: int, size: int, sha256: str) -> None:
    """Note what the job has made; its time begins now."""
    tx.execute(
        "UPDATE gate_export SET events = ?, size = ?, sha256 = ?, expires = ? WHERE id = ?",
        (events, size, sha256, times.ahead(LIFETIME), export_id),
    )


def refuse(tx: sqlite3.Connection, export_id: str, error: str) -> None:
    """Note why no file can be made."""
    tx.execute("UPDATE gate_export SET error = ? WHERE id = ?", (error, export_id))


def get(conn: sqlite3.Connection, export_id: str) -> sqlite3.Row | None:
    """An export that has not expired, with its job's state, progress and error; None without one."""
    row: sqlite3.Row | None = conn.execute(
        """SELECT e.*, j.state, j.progress, j.error AS job_error FROM gate_export e LEFT JOIN job j ON j.id = e.job_id
           WHERE e.id = ? AND e.expires > ?""",
        (export_id, times.now()),
    ).fetchone()
    return row


def count(conn: sqlite3.Connection, user_id: str) -> int:
    """How many exports of a user have not expired."""
    row = conn.execute(
        "SELECT count(*) FROM gate_export WHERE user_id = ? AND expires > ?", (user_id, times.now())
    ).fetchone()
    return int(row[0])


def remove(tx: sqlite3.Connection, export_id: str) -> None:
    """Forget an export; its file is for `sweep`."""
    tx.execute("DELETE FROM gate_export WHERE id = ?", (export_id,))


def sweep(tx: sqlite3.Connection, tmp: Path) -> int:
    """Forget what has expired, and delete the files that belong to nothing. → number of files deleted."""
    tx.execute("DELETE FROM gate_export WHERE expires <= ?", (times.now(),))
    kept = {row[0] for row in tx.execute("SELECT id FROM gate_export")}
    gone = [one for one in folder(tmp).iterdir() if one.name not in kept]
    for one in gone:
        one.unlink(missing_ok=True)
    return len(gone)
