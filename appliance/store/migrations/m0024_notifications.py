"""What people are told in the page and by mail, and what of it they want."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add both tables. Without a choice, everything is told in the page and nothing by mail."""
    conn.execute(
        """CREATE TABLE notification (
             id INTEGER PRIMARY KEY,
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             kind TEXT NOT NULL,
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             actor_id TEXT,
             number INTEGER NOT NULL DEFAULT 1, -- of events of this kind since the reader looked
             at TEXT NOT NULL,
             seen TEXT,
             mailed TEXT
           )"""
    )
    conn.execute("CREATE UNIQUE INDEX notification_new ON notification(user_id, kind, dataset_id) WHERE seen IS NULL")
    conn.execute("CREATE INDEX notification_user ON notification(user_id, at)")
    conn.execute("CREATE INDEX notification_dataset ON notification(dataset_id)")
    conn.execute("CREATE INDEX notification_unmailed ON notification(at) WHERE mailed IS NULL")
    conn.execute(
        """CREATE TABLE notification_choice (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             kind TEXT NOT NULL,
             page INTEGER NOT NULL DEFAULT 1,
             mail TEXT NOT NULL DEFAULT 'off' CHECK (mail IN ('off', 'soon', 'daily')),
             language TEXT NOT NULL DEFAULT 'en',
             PRIMARY KEY (user_id, kind)
           ) WITHOUT ROWID"""
    )
