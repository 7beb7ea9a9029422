"""Sessions that began at an OpenID provider, when it last confirmed a person, and what was used up."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the tables, and when an identity was last confirmed."""
    conn.execute("ALTER TABLE identity ADD COLUMN confirmed TEXT")
    conn.execute(
        """CREATE TABLE provider_session (
             session_id TEXT PRIMARY KEY REFERENCES session(id) ON DELETE CASCADE,
             issuer TEXT NOT NULL,
             subject TEXT NOT NULL,
             sid TEXT NOT NULL DEFAULT '',  -- the provider's name of its session, '' = it named none
             refresh BLOB,                  -- refresh token, sealed with secrets/oidc.key
             confirmed TEXT NOT NULL        -- when the provider last confirmed the session
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX provider_session_subject ON provider_session(issuer, subject)")
    conn.execute("CREATE TABLE provider_used (hash BLOB PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID")
