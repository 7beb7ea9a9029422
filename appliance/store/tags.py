"""Tags of datasets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from appliance.model import names
from appliance.model.viewer import Viewer
from appliance.store import visibility


def assign(tx: sqlite3.Connection, dataset_id: str, tag_names: Iterable[str]) -> None:
    """Set the tags of a dataset."""
    tx.execute("DELETE FROM dataset_tag WHERE dataset_id = ?", (dataset_id,))
    for name in dict.fromkeys(tag_names):
        tx.execute("INSERT OR IGNORE INTO tag (id, name) VALUES (?, ?)", (names.new_id(), name))
        tx.execute("INSERT INTO dataset_tag SELECT ?, id FROM tag WHERE name = ?", (dataset_id, name))


def of_dataset(conn: sqlite3.Connection, dataset_id: str) -> list[str]:
    """Names of a dataset's tags, sorted."""
    return [
        row[0]
        for row in conn.execute(
            "SELECT t.name FROM dataset_tag dt JOIN tag t ON t.id = dt.tag_id WHERE dt.dataset_id = ? ORDER BY t.name",
            (dataset_id,),
        )
    ]


def find(conn: sqlite3.Connection, ref: str) -> sqlite3.Row | None:
    """The tag with this id or name, or None."""
    row: sqlite3.Row | None = conn.execute("SELECT id, name FROM tag WHERE id = ?1 OR name = ?1", (ref,)).fetchone()
    return row


def remove(tx: sqlite3.Connection, tag_id: str) -> list[str]:
    """Remove a tag; returns the ids of the datasets that had it, for the caller to touch."""
    held = [row[0] for row in tx.execute("SELECT dataset_id FROM dataset_tag WHERE tag_id = ?", (tag_id,))]
    tx.execute("DELETE FROM dataset_tag WHERE tag_id = ?", (tag_id,))
    tx.execute("DELETE FROM tag WHERE id = ?", (tag_id,))
    return held


def listed(
    conn: sqlite3.Connection, viewer: Viewer, text: str = "", *, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    """Tags (id, name, datasets) on active datasets that `viewer` may see, whose name contains `text`, by name."""
    seen, parameters = visibility.condition(viewer, many=True)
    return conn.execute(
        f"""SELECT t.id, t.name, count(*) AS datasets FROM tag t JOIN dataset_tag dt ON dt.tag_id = t.id JOIN dataset d ON d.id = dt.dataset_id
            WHERE d.state = 'active' AND {seen} AND (:text = '' OR instr(lower(t.name), lower(:text))) GROUP BY t.id ORDER BY t.name LIMIT :limit OFFSET :offset""",
        parameters | {"text": text, "limit": limit, "offset": offset},
    ).fetchall()


def dataset_pks(conn: sqlite3.Connection, tag_id: str, viewer: Viewer) -> list[int]:
    """Row numbers of the active datasets with a tag that `viewer` may see."""
    seen, parameters = visibility.condition(viewer)
    rows = conn.execute(
        f"SELECT d.pk FROM dataset_tag dt JOIN dataset d ON d.id = dt.dataset_id WHERE dt.tag_id = :tag AND d.state = 'active' AND {seen} ORDER BY d.name",
        parameters | {"tag": tag_id},
    )
    return [row[0] for row in rows]
