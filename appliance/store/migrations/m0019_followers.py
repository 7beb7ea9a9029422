"""Who follows circles, collections and users; of datasets the table `follower` knows it."""

from __future__ import annotations

import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add a table for circles and collections, and one for users."""
    conn.execute(
        """CREATE TABLE community_follower (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             community_id TEXT NOT NULL REFERENCES community(id) ON DELETE CASCADE,
             since TEXT NOT NULL,
             PRIMARY KEY (user_id, community_id)
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX community_follower_community ON community_follower(community_id)")
    conn.execute(
        """CREATE TABLE user_follower (
             user_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             followed_id TEXT NOT NULL REFERENCES user(id) ON DELETE CASCADE,
             since TEXT NOT NULL,
             PRIMARY KEY (user_id, followed_id)
           ) WITHOUT ROWID"""
    )
    conn.execute("CREATE INDEX user_follower_followed ON user_follower(followed_id)")
