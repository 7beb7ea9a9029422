"""Downloads: one statement finds a file and checks whether the viewer may read it."""

from __future__ import annotations

import sqlite3

from appliance.model.viewer import Viewer
from appliance.store import visibility

_FILE = """SELECT r.id, r.dataset_id, r.name, r.size, r.sha256, r.etag, r.crc32, r.mimetype, r.created,
             d.name AS dataset, d.state, d.private
           FROM resource r JOIN dataset d ON d.id = r.dataset_id"""


def file(conn: sqlite3.Connection, viewer: Viewer, resource_id: str) -> sqlite3.Row | None:
    """A resource with what a download needs of its dataset; None when it does not exist or `viewer` may not read it."""
    seen, parameters = visibility.condition(viewer)
    row: sqlite3.Row | None = conn.execute(
        f"{_FILE} WHERE r.id = :id AND {seen}",
        parameters | {"id": resource_id},
    ).fetchone()
    return row


def files_of_dataset(conn: sqlite3.Connection, viewer: Viewer, ref: str) -> list[sqlite3.Row]:
    """The files of the dataset with this id or name that `viewer` may see, in their order."""
    seen, parameters = visibility.condition(viewer)
    return conn.execute(
        f"""{_FILE} WHERE d.id = (SELECT id FROM dataset WHERE id = :ref OR name = :ref ORDER BY state = 'deleted' LIMIT 1)
            AND {seen} ORDER BY r.position""",
        parameters | {"ref": ref},
    ).fetchall()


def files_of_community(conn: sqlite3.Connection, viewer: Viewer, kind: str, ref: str) -> list[sqlite3.Row]:
    """The files of all active datasets in the circle or collection (`kind`) with this id or name that `viewer` may see."""
    seen, parameters = visibility.condition(viewer)
    inside = "d.circle_id = c.id"
    if kind == "collection":
        inside = "EXISTS (SELECT 1 FROM collection_dataset x WHERE x.collection_id = c.id AND x.dataset_id = d.id)"
    return conn.execute(
        f"""{_FILE} JOIN community c ON {inside}
            WHERE c.kind = :kind AND c.state = 'active' AND (c.id = :ref OR c.name = :ref) AND d.state = 'active' AND {seen}
            ORDER BY d.name, r.position""",
        parameters | {"ref": ref, "kind": kind},
    ).fetchall()
