"""The audit log is chained with a key from here on; entries that exist keep their plain links."""

from __future__ import annotations

import sqlite3

from appliance.store import audit_chain
from appliance.store.sqlite_tables import tables


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the records of the chain (where the keyed part begins, which entry is the last), and make the key."""
    tables(conn).table("audit_chain").create(
        {"name": str, "entries": int, "link": bytes, "code": bytes},
        pk="name",
        not_null={"name", "entries", "link", "code"},
    )
    audit_chain.begin_keyed(conn)
