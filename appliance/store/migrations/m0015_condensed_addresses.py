"""Condensed files: which address of the server is in each, and no mention of what they only refer to."""

from __future__ import annotations

import json
import sqlite3


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the address (NULL: not known), and take out of the condensed files' features the pictures that the original holds."""
    conn.execute("ALTER TABLE artefact ADD COLUMN site_url TEXT")
    rows = conn.execute("SELECT resource_id, features, scalar_features, condensed_features FROM rtdc").fetchall()
    for resource_id, features, scalar, condensed in rows:
        referred = set(json.loads(features)) - set(json.loads(scalar))
        offered = json.loads(condensed)
        kept = [name for name in offered if name not in referred]
        if kept != offered:
            conn.execute(
                "UPDATE rtdc SET condensed_features = ? WHERE resource_id = ?", (json.dumps(kept), resource_id)
            )
