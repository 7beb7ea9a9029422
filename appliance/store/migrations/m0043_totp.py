"""Second factors of accounts: the sealed secret of an authenticator app, and hashes of recovery codes."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the tables."""
    conn.execute(
        """CREATE TABLE second_factor (
             user_id TEXT PRIMARY KEY REFERENCES user(id) ON DELETE CASCADE,
             sealed BLOB NOT NULL,               -- the secret, sealed with secrets/totp.key
             since TEXT,                         -- when a code confirmed it; NULL = not yet, it is not asked for
             last_step INTEGER NOT NULL DEFAULT 0 -- period of the last code used: no code counts twice
           ) WITHOUT ROWID"""
    )
    conn.execute(
        """CREATE TABLE recovery_code (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             hash BLOB NOT NULL,
             used TEXT,
             PRIMARY KEY (user_id, hash)
           ) WITHOUT ROWID"""
    )
