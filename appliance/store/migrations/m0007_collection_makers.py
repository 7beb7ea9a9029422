"""Who put a dataset into a collection, and with which right: an entry lets the collection's members read as long as that right lasts."""

from __future__ import annotations

import json
import sqlite3

_COLUMNS = (
    "added TEXT",  # NULL: before this was noted
    "added_by TEXT",  # id of the user; NULL: the command line, or not known
    # update: a person who may change the dataset; public: anybody, as the dataset was public; operator: the command line;
    # earlier: made before rights were asked for
    "basis TEXT NOT NULL DEFAULT 'earlier' CHECK (basis IN ('update', 'public', 'operator', 'earlier'))",
    # does it let the collection's members read what is not public?
    "granted INTEGER NOT NULL DEFAULT 1 CHECK (granted IN (0, 1))",
)

#: May the maker of an entry (table `collection_dataset`) still change the dataset?
_HOLDS = """EXISTS (SELECT 1 FROM user u WHERE u.id = collection_dataset.added_by AND u.state = 'active' AND (u.sysadmin = 1
  OR EXISTS (SELECT 1 FROM dataset d JOIN member m ON m.community_id = d.circle_id AND m.user_id = u.id
             WHERE d.id = collection_dataset.dataset_id AND m.role IN ('admin', 'editor'))
  OR EXISTS (SELECT 1 FROM collaborator k WHERE k.dataset_id = collection_dataset.dataset_id AND k.user_id = u.id
             AND k.capacity = 'editor')))"""

#: What may take a right away: (name, event, condition, which entries to look at). In the database, so that no way past exists.
_LOSSES = (
    ("member_left", "DELETE ON member", "OLD.role != 'member'", "added_by = OLD.user_id"),
    ("member_put", "INSERT ON member", "NEW.role = 'member'", "added_by = NEW.user_id"),
    ("member_lowered", "UPDATE ON member", "NEW.role = 'member'", "added_by = NEW.user_id"),
    (
        "collaborator_left",
        "DELETE ON collaborator",
        "OLD.capacity = 'editor'",
        "dataset_id = OLD.dataset_id AND added_by = OLD.user_id",
    ),
    (
        "collaborator_put",
        "INSERT ON collaborator",
        "NEW.capacity != 'editor'",
        "dataset_id = NEW.dataset_id AND added_by = NEW.user_id",
    ),
    (
        "collaborator_lowered",
        "UPDATE ON collaborator",
        "NEW.capacity != 'editor'",
        "dataset_id = NEW.dataset_id AND added_by = NEW.user_id",
    ),
    ("user_ended", "UPDATE OF state, sysadmin ON user", "1", "added_by = NEW.id"),
    ("user_removed", "DELETE ON user", "1", "added_by = OLD.id"),
    ("dataset_moved", "UPDATE OF circle_id ON dataset", "NEW.circle_id != OLD.circle_id", "dataset_id = NEW.id"),
)


def upgrade(conn: sqlite3.Connection) -> None:
    """Add the columns; entries that exist go on as they are, with the maker that the audit log knows."""
    for column in _COLUMNS:
        conn.execute(f"ALTER TABLE collection_dataset ADD COLUMN {column}")
    conn.execute("DROP INDEX collection_dataset_dataset")
    conn.execute("CREATE INDEX collection_dataset_dataset ON collection_dataset(dataset_id, collection_id, granted)")
    conn.execute("CREATE INDEX collection_dataset_maker ON collection_dataset(added_by) WHERE added_by IS NOT NULL")
    _note_makers(conn)
    conn.execute(f"UPDATE collection_dataset SET basis = 'update' WHERE basis = 'earlier' AND {_HOLDS}")
    for name, event, condition, entries in _LOSSES:
        conn.execute(
            f"""CREATE TRIGGER sharing_ends_{name} AFTER {event} WHEN {condition} BEGIN
                UPDATE collection_dataset SET granted = 0 WHERE {entries} AND granted = 1 AND basis = 'update' AND NOT {_HOLDS};
            END"""
        )


def _note_makers(conn: sqlite3.Connection) -> None:
    """Enter who made the entries that exist, where the audit log leaves no doubt."""
    added: dict[tuple[str, str], tuple[str | None, str]] = {}
    by_dataset: dict[str, set[str | None]] = {}
    rows = conn.execute(
        """SELECT at, actor_id, action, object_id, detail FROM audit
           WHERE action IN ('collection.add', 'dataset.create', 'dataset.update') ORDER BY seq"""
    )
    for at, actor, action, object_id, detail in rows.fetchall():
        known = json.loads(detail)
        if action == "collection.add":
            added[object_id, str(known.get("dataset"))] = (actor or None, at)
        elif action == "dataset.create" or "groups" in (known.get("fields") or ()):
            by_dataset.setdefault(object_id, set()).add(actor or None)
    for collection_id, dataset_id in conn.execute(
        "SELECT collection_id, dataset_id FROM collection_dataset"
    ).fetchall():
        candidates = by_dataset.get(dataset_id, set())
        if (collection_id, dataset_id) in added:
            maker, moment = added[collection_id, dataset_id]
        elif len(candidates) == 1:
            maker, moment = next(iter(candidates)), None
        else:
            continue
        conn.execute(
            "UPDATE collection_dataset SET added = ?, added_by = ?, basis = iif(?2 IS NULL, 'operator', basis) WHERE collection_id = ? AND dataset_id = ?",
            (moment, maker, collection_id, dataset_id),
        )
