"""API documents, stored ready to be sent.

A dataset's own part and each resource are stored as JSON text with their rows, rewritten in the transaction that changes them;
circle and collections are added by SQL while reading. So `package_show` is one statement without assembly in Python, however
many resources there are. After files were removed from a dataset, positions are computed when it is read, so that the other
files' documents need not be rewritten.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from appliance.model import licences
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.store import measurements

CIRCLE = """json_object('id', {c}.id, 'name', {c}.name, 'title', {c}.title, 'type', 'organization', 'description', {c}.description,
 'image_url', {c}.image_url, 'created', {c}.created, 'is_organization', json('true'), 'approval_status', 'approved', 'state', {c}.state)"""
_GROUP = """json_object('id', g.id, 'name', g.name, 'title', g.title, 'display_name', iif(g.title = '', g.name, g.title),
 'description', g.description, 'image_display_url', g.image_url)"""

#: Characters of all the datasets that one answer may have; 1,000 with 5 files each have about 10 million.
MOST_TOGETHER = 32 << 20

#: SQL of the position of a resource (alias r) among those of its dataset, counted from 0, and of its document.
POSITION = "(SELECT count(*) FROM resource p WHERE p.dataset_id = r.dataset_id AND p.position < r.position)"
RESOURCE = f"json_set(r.document, '$.position', {POSITION})"
#: Whether files have been removed from a dataset (alias d), so that the positions in its documents have gaps.
_GAPS = "((SELECT max(position) + 1 FROM resource p WHERE p.dataset_id = d.id) IS NOT d.num_resources)"
#: Separator of the documents of such a dataset; JSON texts do not contain this character.
_SEPARATOR = "\x1f"
_POSITION = re.compile(r'"position":\d+')  # a quotation mark inside a text would be escaped

#: Columns whose concatenation is the package; alias d = dataset, c = its circle.
_PARTS = f"""d.document AS own, {CIRCLE.format(c="c")} AS circle,
 coalesce((SELECT json_group_array(json(one)) FROM (SELECT {_GROUP} AS one FROM collection_dataset cd JOIN community g
   ON g.id = cd.collection_id AND g.state = 'active' WHERE cd.dataset_id = d.id ORDER BY g.name)), '[]') AS collections,
 {_GAPS} AS gaps,
 coalesce((SELECT group_concat(one, iif({_GAPS}, char(31), ',')) FROM (
   SELECT document AS one FROM resource r WHERE r.dataset_id = d.id ORDER BY r.position)), '') AS resources"""

_SELECT = f"SELECT d.pk, d.id, {_PARTS} FROM dataset d JOIN community c ON c.id = d.circle_id"


def package(conn: sqlite3.Connection, dataset_id: str) -> str | None:
    """The package dict of a dataset as JSON text, None when there is no dataset with this id."""
    row = conn.execute(f"{_SELECT} WHERE d.id = ?", (dataset_id,)).fetchone()
    return None if row is None else _join(row)


def packages(conn: sqlite3.Connection, pks: Iterable[int]) -> list[str]:
    """The package dicts of several datasets (by row number) as JSON texts, in the given order, by one statement.

    :raises Problem: 413 for more than `MOST_TOGETHER`, so that no question costs memory without a bound.
    """
    order = list(pks)
    rows = conn.execute(f"{_SELECT} WHERE d.pk IN (SELECT value FROM json_each(?))", (json.dumps(order),))
    found: dict[int, str] = {}
    size = 0
    for row in rows:
        found[row["pk"]] = _join(row)
        size += len(found[row["pk"]])
        if size > MOST_TOGETHER and len(order) > 1:
            raise Problem(
                413,
                "Validation Error",
                message=Message(
                    "The answer would be larger than %(most)s MiB; ask for fewer datasets at once",
                    most=MOST_TOGETHER >> 20,
                ),
            )
    return [found[pk] for pk in order if pk in found]


def resource(conn: sqlite3.Connection, resource_id: str) -> str:
    """The API document of a resource as JSON text; it must exist."""
    return str(conn.execute(f"SELECT {RESOURCE} FROM resource r WHERE r.id = ?", (resource_id,)).fetchone()[0])


def resources(conn: sqlite3.Connection, dataset_id: str) -> dict[str, str]:
    """The API documents of a dataset's resources by id, in order."""
    rows = conn.execute("SELECT id, document FROM resource WHERE dataset_id = ? ORDER BY position", (dataset_id,))
    return {row[0]: _at(number, row[1]) for number, row in enumerate(rows)}


def position(conn: sqlite3.Connection, resource_id: str) -> int:
    """Position of a resource in its dataset, counted from 0."""
    return int(conn.execute(f"SELECT {POSITION} FROM resource r WHERE r.id = ?", (resource_id,)).fetchone()[0])


def _join(row: sqlite3.Row) -> str:
    resources = row["resources"]
    if row["gaps"] and resources:
        resources = ",".join(_at(number, text) for number, text in enumerate(resources.split(_SEPARATOR)))
    return f'{row["own"][:-1]},"organization":{row["circle"]},"groups":{row["collections"]},"resources":[{resources}]}}'


def _at(number: int, text: str) -> str:
    """The document of a resource with this position."""
    return _POSITION.sub(f'"position":{number}', text, count=1)


def refresh_dataset(tx: sqlite3.Connection, dataset_id: str) -> None:
    """Rewrite the dataset's part of its API document from its row."""
    row = tx.execute("SELECT * FROM dataset WHERE id = ?", (dataset_id,)).fetchone()
    tags = tx.execute(
        "SELECT t.id, t.name FROM dataset_tag dt JOIN tag t ON t.id = dt.tag_id WHERE dt.dataset_id = ? ORDER BY t.name",
        (dataset_id,),
    ).fetchall()
    count = tx.execute("SELECT count(*) FROM resource WHERE dataset_id = ?", (dataset_id,)).fetchone()[0]
    document = _dataset(row, tags, count)
    published = tx.execute(
        """SELECT target || '/dataset/' || iif(remote_name = '', remote_id, remote_name) FROM publication
           WHERE dataset_id = ? AND state = 'active' ORDER BY target""",
        (dataset_id,),
    ).fetchall()
    if published:
        document["published_as"] = [one[0] for one in published]
    tx.execute("UPDATE dataset SET document = ?, num_resources = ? WHERE id = ?", (dump(document), count, dataset_id))


def refresh_resource(tx: sqlite3.Connection, resource_id: str) -> None:
    """Rewrite the resource's API document from its row, and its row in the table of measurements."""
    row = tx.execute("SELECT * FROM resource WHERE id = ?", (resource_id,)).fetchone()
    tx.execute("UPDATE resource SET document = ? WHERE id = ?", (dump(_resource(row, site_url(tx))), resource_id))
    measurements.refresh(tx, resource_id)


def site_url(conn: sqlite3.Connection) -> str:
    """The server's address in documents."""
    row = conn.execute("SELECT value FROM meta WHERE key = 'site_url'").fetchone()
    return row[0] if row else "https://localhost"


def set_site_url(tx: sqlite3.Connection, url: str) -> bool:
    """Store the server's address; if it changed, rewrite every document that contains it. Returns whether it did."""
    if site_url(tx) == url and tx.execute("SELECT 1 FROM meta WHERE key = 'site_url'").fetchone():
        return False
    tx.execute("INSERT OR REPLACE INTO meta VALUES ('site_url', ?)", (url,))
    for (resource_id,) in tx.execute("SELECT id FROM resource").fetchall():
        refresh_resource(tx, resource_id)
    return True


def dump(value: Any) -> str:
    """Compact JSON as sent; NaN and infinities are refused (ValueError)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _dataset(row: sqlite3.Row, tags: list[sqlite3.Row], num_resources: int) -> dict[str, Any]:
    licence = licences.find(row["license_id"]) or {"title": row["license_id"], "url": "", "od_conformance": ""}
    document = {
        "authors": row["authors"],
        "creator_user_id": row["creator_id"],
        "doi": row["doi"],
        "id": row["id"],
        "isopen": licence["od_conformance"] == "approved",
        "license_id": row["license_id"],
        "license_title": licence["title"],
    }
    if licence["url"]:
        document["license_url"] = licence["url"]
    return document | {
        "metadata_created": row["created"],
        "metadata_modified": row["modified"],
        "name": row["name"],
        "notes": row["notes"],
        "num_resources": num_resources,
        "num_tags": len(tags),
        "owner_org": row["circle_id"],
        "private": bool(row["private"]),
        "references": row["reference_list"],
        "state": row["state"],
        "title": row["title"],
        "type": "dataset",
        "tags": [
            {
                "display_name": tag["name"],
                "id": tag["id"],
                "name": tag["name"],
                "state": "active",
                "vocabulary_id": None,
            }
            for tag in tags
        ],
        "extras": json.loads(row["extras"]),
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def _resource(row: sqlite3.Row, url: str) -> dict[str, Any]:
    document: dict[str, Any] = {"cache_last_updated": None, "cache_url": None, "created": row["created"]}
    document |= json.loads(row["dc"])
    document["description"] = row["description"]
    for key in ("etag", "sha256"):
        if row[key]:
            document[key] = row[key]
    document |= {
        "format": row["format"],
        "hash": "",
        "id": row["id"],
        "last_modified": row["last_modified"],
        "metadata_modified": row["metadata_modified"],
        "mimetype": row["mimetype"],
        "mimetype_inner": None,
        "name": row["name"],
        "package_id": row["dataset_id"],
        "position": row["position"],
        "resource_type": None,
        "s3_available": True,
        "size": row["size"],
        "state": row["state"],
        "url": f"{url}/dataset/{row['dataset_id']}/resource/{row['id']}/download/{row['name'].lower()}",
        "url_type": row["url_type"],
    }
    document["s3_url"] = document["url"]
    document |= json.loads(row["supplements"])
    own: dict[str, Any] = json.loads(row["extras"])
    return own | document  # the server's own fields take precedence
