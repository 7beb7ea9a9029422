"""Who caused a job, so that the queue is fair to users."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Note the user of each job; jobs that wait now belong to whoever made their dataset."""
    conn.execute("ALTER TABLE job ADD COLUMN user_id TEXT NOT NULL DEFAULT ''")
    conn.execute(
        """UPDATE job SET user_id = coalesce((SELECT creator_id FROM dataset WHERE dataset.id = job.dataset_id), '')
           WHERE state IN ('queued', 'running')"""
    )
    conn.execute("CREATE INDEX job_queued ON job(user_id, priority DESC, created) WHERE state = 'queued'")
