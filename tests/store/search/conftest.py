"""A small catalogue in a real database, made with the store's own functions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.model import names
from appliance.model.viewer import Viewer
from appliance.store import collections, communities, datasets, resources, tags
from appliance.store.database import Database
from appliance.store.search import SearchQuery, SearchResult, package_search

ADMIN = Viewer(user_id="admin", name="admin", sysadmin=True, sees_public=True)


class Catalogue:
    """Writes datasets and searches them."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def user(self, name: str) -> Viewer:
        with self.db.write() as tx:
            tx.execute(
                "INSERT INTO user (id, name, email, created) VALUES (?, ?, ?, '2026')",
                (f"id-{name}", name, f"{name}@example.org"),
            )
        return Viewer(user_id=f"id-{name}", name=name, sees_public=True)

    def circle(self, name: str, title: str = "", kind: str = "circle") -> str:
        with self.db.write() as tx:
            return communities.create(tx, kind, name, title=title)

    def member(self, community: str, viewer: Viewer, role: str = "member") -> None:
        with self.db.write() as tx:
            communities.set_member(tx, self.id_of(tx, community), str(viewer.user_id), role)

    def id_of(self, conn: sqlite3.Connection, community: str) -> str:
        return str(conn.execute("SELECT id FROM community WHERE name = ?", (community,)).fetchone()[0])

    def add(
        self,
        title: str,
        *,
        name: str = "",
        circle: str = "c1",
        tag: str = "",
        collection: str = "",
        files: list[dict[str, Any]] | None = None,
        **values: Any,
    ) -> str:
        """A dataset (active and public unless said otherwise); returns its name."""
        name = name or title.lower().replace(" ", "-")[:90]
        with self.db.write() as tx:
            defaults = {
                "title": title,
                "name": name,
                "license_id": "CC0-1.0",
                "private": 0,
                "state": "active",
                "creator_id": "creator",
                "circle_id": self.id_of(tx, circle),
            }
            id_ = datasets.create(tx, defaults | values)
            tags.assign(tx, id_, tag.split())
            for one in collection.split():
                collections.add(tx, self.id_of(tx, one), id_, basis="operator")
            for file in files or []:
                self.add_file(tx, id_, **file)
            datasets.touch(tx, id_)
            if "modified" in values:
                tx.execute("UPDATE dataset SET modified = ? WHERE id = ?", (values["modified"], id_))
        return name

    @staticmethod
    def add_file(
        tx: sqlite3.Connection,
        dataset_id: str,
        name: str = "a.rtdc",
        dc: dict[str, Any] | None = None,
        events: int | None = None,
        **more: Any,
    ) -> str:
        id_ = names.new_id()
        arguments = {"size": 1000, "sha256": None, "etag": None, "mimetype": "RT-DC", "format_": "RT-DC"} | more
        resources.create(tx, id_, dataset_id, name, **arguments)
        resources.patch(tx, id_, dc=dc or {}, event_count=events)
        return id_

    def search(self, q: str = "", fq: str | tuple[str, ...] = (), viewer: Viewer = ADMIN, **more: Any) -> SearchResult:
        query = SearchQuery.from_parameters(
            {"q": q, "fq_list": [fq] if isinstance(fq, str) else list(fq), "include_private": True} | more
        )
        with self.db.read() as conn:
            return package_search(conn, query, viewer)

    def found(self, q: str = "", fq: str | tuple[str, ...] = (), viewer: Viewer = ADMIN, **more: Any) -> list[str]:
        """Names of what is found, in order."""
        result = self.search(q, fq, viewer, **more)
        with self.db.read() as conn:
            return [conn.execute("SELECT name FROM dataset WHERE pk = ?", (pk,)).fetchone()[0] for pk in result.pks]

    @contextmanager
    def changed(self, name: str) -> Iterator[tuple[sqlite3.Connection, str]]:
        """A transaction that changes the dataset `name`."""
        with self.db.write() as tx:
            id_ = tx.execute("SELECT id FROM dataset WHERE name = ?", (name,)).fetchone()[0]
            yield tx, id_
            if tx.execute("SELECT 1 FROM dataset WHERE id = ?", (id_,)).fetchone():
                datasets.touch(tx, id_)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue with the circles c1, c2 and the collection g1."""
    db = Database(tmp_path / "dcor.sqlite")
    db.create()
    made = Catalogue(db)
    made.circle("c1", "Circle One")
    made.circle("c2")
    made.circle("g1", "Group One", kind="collection")
    yield made
    db.close()
