"""Datasets published to other servers: their address there, and the progress of the transfer."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance.model import times
from appliance.store import documents


@dataclass(frozen=True, slots=True)
class Publication:
    """A dataset on another server. :ivar target: its address; :ivar state: begun, draft or active, there; :ivar pseudonymised: sent as
    copies.
    """

    dataset_id: str
    target: str
    circle: str
    licence: str
    remote_id: str
    remote_name: str
    state: str
    begun: str
    published: str | None
    pseudonymised: int = 0

    @property
    def url(self) -> str:
        """URL of its page there, "" until it is known."""
        return f"{self.target}/dataset/{self.remote_name or self.remote_id}" if self.remote_id else ""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A sent file. :ivar name: there; :ivar size: [bytes]; :ivar state: sending, sent or verified."""

    resource_id: str
    name: str
    size: int
    sha256: str
    etag: str | None
    remote_id: str
    state: str


_FILE = "resource_id, name, size, sha256, etag, remote_id, state"


def get(conn: sqlite3.Connection, dataset_id: str, target: str) -> Publication | None:
    """The publication of a dataset on that server, or None."""
    row = conn.execute("SELECT * FROM publication WHERE dataset_id = ? AND target = ?", (dataset_id, target)).fetchone()
    return None if row is None else Publication(**row)


def of_dataset(conn: sqlite3.Connection, dataset_id: str) -> list[Publication]:
    """All publications of a dataset, by address."""
    rows = conn.execute("SELECT * FROM publication WHERE dataset_id = ? ORDER BY target", (dataset_id,))
    return [Publication(**row) for row in rows]


def begin(
    tx: sqlite3.Connection, dataset_id: str, target: str, circle: str, licence: str, *, pseudonymised: bool = False
) -> None:
    """Record that a dataset is about to be created there."""
    tx.execute(
        """INSERT INTO publication (dataset_id, target, circle, licence, state, begun, pseudonymised)
           VALUES (?, ?, ?, ?, 'begun', ?, ?)""",
        (dataset_id, target, circle, licence, times.now(), int(pseudonymised)),
    )


def made(tx: sqlite3.Connection, dataset_id: str, target: str, remote_id: str, remote_name: str) -> None:
    """Record that it exists there as a draft."""
    tx.execute(
        "UPDATE publication SET remote_id = ?, remote_name = ?, state = 'draft' WHERE dataset_id = ? AND target = ?",
        (remote_id, remote_name, dataset_id, target),
    )


def activated(tx: sqlite3.Connection, dataset_id: str, target: str) -> None:
    """Record that it is active there; its document here then refers to it."""
    tx.execute(
        "UPDATE publication SET state = 'active', published = ? WHERE dataset_id = ? AND target = ?",
        (times.now(), dataset_id, target),
    )
    documents.refresh_dataset(tx, dataset_id)


def forget(tx: sqlite3.Connection, dataset_id: str, target: str) -> None:
    """Remove the record of the publication."""
    tx.execute("DELETE FROM publication WHERE dataset_id = ? AND target = ?", (dataset_id, target))
    documents.refresh_dataset(tx, dataset_id)


def file(conn: sqlite3.Connection, dataset_id: str, target: str, resource_id: str) -> SentFile | None:
    """The record of one file."""
    row = conn.execute(
        f"SELECT {_FILE} FROM sent_file WHERE dataset_id = ? AND target = ? AND resource_id = ?",
        (dataset_id, target, resource_id),
    ).fetchone()
    return None if row is None else SentFile(*row)


def put_file(tx: sqlite3.Connection, dataset_id: str, target: str, sent: SentFile) -> None:
    """Insert or update the record of a file."""
    tx.execute(
        f"INSERT OR REPLACE INTO sent_file (dataset_id, target, {_FILE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            dataset_id,
            target,
            sent.resource_id,
            sent.name,
            sent.size,
            sent.sha256,
            sent.etag,
            sent.remote_id,
            sent.state,
        ),
    )
