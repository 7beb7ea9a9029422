"""Queries over the whole catalogue for health checks, `dcor status` and maintenance."""

from __future__ import annotations

import pkgutil
import sqlite3
from collections.abc import Iterator
from typing import Any

from appliance.model import messages, times
from appliance.store import archived_files, migrations
from appliance.store.sqlite_tables import tables


def integrity_errors(conn: sqlite3.Connection) -> list[str]:
    """The errors that SQLite finds in the file, empty if none. Reads the whole database: seconds for a gigabyte."""
    found = [row[0] for row in conn.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    found += [
        f"row {row[1]} of table {row[0]} refers to a missing row of {row[2]}"
        for row in conn.execute("PRAGMA foreign_key_check")
    ]
    return found


def schema_version(conn: sqlite3.Connection) -> int:
    """Number of the last migration that was applied."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def newest_schema() -> int:
    """Number of the last migration that this release knows."""
    return sum(module.name.startswith("m") for module in pkgutil.iter_modules(migrations.__path__))


def totals(conn: sqlite3.Connection) -> dict[str, int]:
    """Numbers of users, circles, collections, datasets, resources, and the bytes of all resources."""
    (row,) = tables(conn).query(
        """SELECT (SELECT count(*) FROM user WHERE state = 'active') AS users,
                  (SELECT count(*) FROM community WHERE kind = 'circle' AND state = 'active') AS circles,
                  (SELECT count(*) FROM community WHERE kind = 'collection' AND state = 'active') AS collections,
                  (SELECT count(*) FROM dataset WHERE state != 'deleted') AS datasets,
                  (SELECT count(*) FROM resource) AS resources,
                  (SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM resource GROUP BY coalesce(shared_id, id))) AS bytes"""
    )
    return row


def waiting_since(conn: sqlite3.Connection) -> str | None:
    """When the oldest job that could run now was queued, None when there is none."""
    row = conn.execute(
        "SELECT min(available) FROM job WHERE state = 'queued' AND available <= ?", (times.now(),)
    ).fetchone()
    return row[0] if row else None


def dead_jobs(conn: sqlite3.Connection) -> list[str]:
    """Ids of running jobs whose lease has expired."""
    rows = conn.execute("SELECT id FROM job WHERE state = 'running' AND lease_until < ?", (times.now(),))
    return [row[0] for row in rows]


def failed_jobs(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Permanently failed jobs that were not followed by a successful one of the same kind: id, kind, resource_id, error.

    Maintenance jobs, which have no resource (None), follow each other likewise.
    """
    rows = tables(conn).query(
        """SELECT id, kind, resource_id, error, error_parts FROM job j WHERE state = 'failed' AND NOT EXISTS (
               SELECT 1 FROM job l WHERE l.resource_id IS j.resource_id AND l.kind = j.kind AND l.state = 'done' AND l.created > j.created)
           ORDER BY created DESC"""
    )
    return [row | {"error": messages.whole(row["error"], row["error_parts"])} for row in map(dict, rows)]


def stored_files(conn: sqlite3.Connection) -> Iterator[tuple[str, str, int | None, str | None]]:
    """Every file in the catalogue: (resource id, kind, size, sha256); kind as in `Depot.path`."""
    rows = conn.execute(
        """SELECT id, 'original', size, sha256 FROM resource
           UNION ALL SELECT resource_id, kind, size, sha256 FROM artefact WHERE kind != 'original'"""
    )
    for row in rows:
        yield row[0], row[1], row[2], row[3]


def files_here(conn: sqlite3.Connection) -> Iterator[tuple[str, str, int | None, str | None]]:
    """Those of `stored_files` that have to be on this machine: all but archived originals."""
    away = archived_files.stored_ids(conn)
    return (file for file in stored_files(conn) if file[1] != "original" or file[0] not in away)


def pending_uploads(conn: sqlite3.Connection) -> set[str]:
    """Ids reserved by uploads for future resources: their files are not orphans."""
    return {row[0] for row in conn.execute("SELECT resource_id FROM upload WHERE state IN ('open', 'complete')")}


def without_derived(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Measurements that lack a generated file for which no job is queued: (resource id, job kind)."""
    rows = conn.execute(
        """SELECT r.id, k.kind FROM resource r, (SELECT 'checksum' AS kind UNION SELECT 'metadata' UNION SELECT 'condense' UNION SELECT 'preview') k
           WHERE (k.kind = 'checksum' AND (r.sha256 IS NULL OR r.crc32 IS NULL)
                  OR r.mimetype = 'RT-DC' AND (
                     k.kind = 'metadata' AND NOT EXISTS (SELECT 1 FROM rtdc t JOIN verdict v ON v.resource_id = t.resource_id
                                                         WHERE t.resource_id = r.id AND t.extracted IS NOT NULL)
                     OR k.kind = 'condense' AND NOT EXISTS (SELECT 1 FROM artefact a WHERE a.resource_id = r.id AND a.kind = 'condensed')
                     OR k.kind = 'preview' AND NOT EXISTS (SELECT 1 FROM artefact a WHERE a.resource_id = r.id AND a.kind = 'preview')))
             AND NOT EXISTS (SELECT 1 FROM job j WHERE j.resource_id = r.id AND j.kind = k.kind AND j.state IN ('queued', 'running', 'failed'))
           ORDER BY r.pk"""
    )
    return [(row[0], row[1]) for row in rows]


def deleted(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Datasets, circles, collections and (not erased) accounts marked as deleted: kind, id, name, of, since."""
    rows = tables(conn).query(
        """SELECT 'dataset' AS kind, d.id, d.name, c.name AS of, d.modified AS since
           FROM dataset d JOIN community c ON c.id = d.circle_id WHERE d.state = 'deleted'
           UNION ALL SELECT kind, c.id, c.name, '', coalesce((SELECT max(at) FROM audit WHERE object_id = c.id AND action = c.kind || '.delete'), c.created)
           FROM community c WHERE state = 'deleted'
           UNION ALL SELECT 'user', u.id, u.name, '', coalesce((SELECT max(at) FROM audit WHERE object_id = u.id AND action = 'user.deleted'), u.created)
           FROM user u WHERE state = 'deleted' AND name != 'removed-' || substr(id, 1, 8)"""
    )
    return list(rows)


def datasets(
    conn: sqlite3.Connection, *, circle_id: str | None = None, state: str | None = None, creator_id: str | None = None
) -> list[dict[str, Any]]:
    """All datasets without a check of permissions, with circle, number of files and bytes; last modified first."""
    rows = tables(conn).query(
        """SELECT d.id, d.name, d.title, c.name AS circle, d.state, d.private, d.created, d.modified, d.num_resources AS resources,
                  (SELECT coalesce(sum(size), 0) FROM resource r WHERE r.dataset_id = d.id) AS bytes
           FROM dataset d JOIN community c ON c.id = d.circle_id
           WHERE (:circle IS NULL OR d.circle_id = :circle) AND (:state IS NULL OR d.state = :state) AND (:creator IS NULL OR d.creator_id = :creator)
           ORDER BY d.modified DESC""",
        {"circle": circle_id, "state": state, "creator": creator_id},
    )
    return [row | {"private": bool(row["private"])} for row in rows]


def resources(conn: sqlite3.Connection, *, dataset_id: str | None = None) -> list[dict[str, Any]]:
    """All files without a check of permissions: id, dataset's name, name, size [bytes], format, sha256; oldest first."""
    rows = tables(conn).query(
        """SELECT r.id, d.name AS dataset, r.name, r.size, r.format, r.sha256 FROM resource r JOIN dataset d ON d.id = r.dataset_id
           WHERE :dataset IS NULL OR r.dataset_id = :dataset ORDER BY r.pk""",
        {"dataset": dataset_id},
    )
    return list(rows)


def texts_of_people(conn: sqlite3.Connection) -> dict[str, set[str]]:
    """Names given by people: `files`, `datasets` (names), `titles` of datasets, `communities` (names and titles); including deleted
    ones.
    """
    queries = {
        "files": "SELECT DISTINCT name FROM resource",
        "datasets": "SELECT name FROM dataset WHERE name != id",
        "titles": "SELECT DISTINCT title FROM dataset",
        "communities": "SELECT name FROM community UNION SELECT title FROM community",
    }
    return {kind: {row[0] for row in conn.execute(query) if row[0]} for kind, query in queries.items()}
