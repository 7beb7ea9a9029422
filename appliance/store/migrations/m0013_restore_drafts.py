"""What a deleted dataset was, and what it was linked to, so that a draft can be restored."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add both. Of datasets deleted before, those count as drafts that were created here and never activated."""
    conn.execute("ALTER TABLE dataset ADD COLUMN deleted_from TEXT CHECK (deleted_from IN ('draft', 'active'))")
    conn.execute(
        """UPDATE dataset SET deleted_from = CASE
             WHEN EXISTS (SELECT 1 FROM audit a WHERE a.object_id = dataset.id AND a.action = 'dataset.create')
              AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.object_id = dataset.id AND a.action = 'dataset.activate')
             THEN 'draft' ELSE 'active' END
           WHERE state = 'deleted'"""
    )
    conn.execute(
        """CREATE TABLE deleted_relation (
             dataset_id TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
             relation TEXT NOT NULL CHECK (relation IN ('collection_dataset', 'collaborator', 'follower')),
             other_id TEXT NOT NULL,
             entry TEXT NOT NULL, -- the row as JSON
             PRIMARY KEY (dataset_id, relation, other_id)
           ) WITHOUT ROWID"""
    )
