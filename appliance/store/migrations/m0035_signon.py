"""Accounts that belong to somebody known elsewhere (LDAP), and which memberships come from there."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the table, and where a membership comes from ('' = by hand)."""
    conn.execute(
        """CREATE TABLE identity (
             issuer TEXT NOT NULL,            -- 'ldap'
             subject TEXT NOT NULL,           -- what never changes there (entryUUID, objectGUID)
             user_id TEXT NOT NULL UNIQUE REFERENCES user(id) ON DELETE CASCADE,
             login TEXT NOT NULL,             -- name to sign in with there, in small letters
             administrator INTEGER NOT NULL DEFAULT 0, -- made an administrator by a group there
             locked TEXT NOT NULL DEFAULT '', -- why the account is disabled from there, '' = it is not
             paused INTEGER NOT NULL DEFAULT 0, -- nothing was heard from there for too long: credentials wait
             linked TEXT NOT NULL,
             PRIMARY KEY (issuer, subject)
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX identity_login ON identity(issuer, login)")
    conn.execute("ALTER TABLE member ADD COLUMN source TEXT NOT NULL DEFAULT ''")
