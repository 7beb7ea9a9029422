"""A catalogue from before makers were noted: nothing changes, the audit log says who it was, `dcor inspect` names what is doubtful."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.health import report
from appliance.health.base import Level, Premises
from appliance.model.viewer import Viewer
from appliance.settings import Settings
from appliance.store import collections, migrations
from appliance.store.database import Database
from tests.support import old_audit

BEFORE = 6


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Database]:
    """Of schema 6: circle `lab` with editor ann and member bob; collections; datasets that are private or public."""
    with closing(Database(tmp_path / "dcor.sqlite")) as db:
        db.path.touch(mode=0o600)
        steps = sorted(path.stem for path in Path(migrations.__file__).parent.glob("m*.py"))[:BEFORE]
        with db.write() as tx:
            for step in steps:
                importlib.import_module(f"{migrations.__name__}.{step}").upgrade(tx)
            tx.execute(f"PRAGMA user_version = {BEFORE}")
            for user in ("ann", "bob"):
                tx.execute("INSERT INTO user (id, name, email, created) VALUES (?1, ?1, ?1, '2026')", (user,))
            for kind, name in (("circle", "lab"), ("collection", "study"), ("collection", "paper")):
                tx.execute("INSERT INTO community (id, kind, name, created) VALUES (?2, ?1, ?2, '2026')", (kind, name))
            for user, role in (("ann", "editor"), ("bob", "member")):
                tx.execute(
                    "INSERT INTO member (community_id, user_id, role, id) VALUES ('lab', ?1, ?2, ?1)", (user, role)
                )
            for name, private, state in (
                ("by-ann", 1, "active"), ("by-bob", 1, "active"), ("made", 1, "draft"), ("unclear", 1, "draft"),
                ("public", 0, "active"), ("by-root", 1, "active"),
            ):  # fmt: skip
                tx.execute(
                    "INSERT INTO dataset (id, name, private, state, circle_id, creator_id, created, modified) VALUES (?1, ?1, ?2, ?3, 'lab', 'ann', '2026', '2026')",
                    (name, private, state),
                )
                tx.execute(
                    "INSERT INTO collection_dataset (collection_id, dataset_id, id) VALUES ('study', ?1, ?1)", (name,)
                )
            people = {name: Viewer(user_id=name, name=name) for name in ("ann", "bob")}
            people["operator"] = Viewer(user_id="", name="operator")
            for who, name in (("ann", "by-ann"), ("bob", "by-bob"), ("bob", "public"), ("operator", "by-root")):
                old_audit.add(tx, people[who], "collection.add", "collection", "study", dataset=name)
            old_audit.add(tx, people["ann"], "dataset.create", "dataset", "made")
            old_audit.add(tx, people["ann"], "dataset.create", "dataset", "unclear")
            old_audit.add(tx, people["bob"], "dataset.update", "dataset", "unclear", fields=["groups"])
        yield db


def entries(db: Database) -> dict[str, tuple[str | None, str, bool]]:
    """(maker, basis, granted) by dataset."""
    with db.read() as conn:
        rows = conn.execute("SELECT dataset_id, added_by, basis, granted FROM collection_dataset").fetchall()
    return {row[0]: (row[1], row[2], bool(row[3])) for row in rows}


def test_entries_keep_granting_with_the_maker_that_the_log_knows(before: Database) -> None:
    assert "m0007_collection_makers" in before.migrate()
    assert entries(before) == {
        "by-ann": ("ann", "update", True),
        "by-bob": ("bob", "earlier", True),
        "made": ("ann", "update", True),
        "unclear": (None, "earlier", True),
        "public": ("bob", "earlier", True),
        "by-root": (None, "operator", True),
    }
    with before.read() as conn:
        assert [row[0] for row in conn.execute("PRAGMA integrity_check")] == ["ok"]


def test_inspect_names_what_would_not_be_allowed_today(before: Database, tmp_path: Path) -> None:
    before.migrate()
    premises = Premises(tmp_path, Settings(data=tmp_path))

    def found() -> list[tuple[Level, str]]:
        return [
            (finding.level, finding.detail)
            for named in report.checks()
            if named.name == "collections"
            for finding in named.findings(premises)
        ]

    assert found() == [
        (Level.WARNING, "by-bob is in the collection study; bob put it there and may not change it"),
        (Level.WARNING, "unclear is in the collection study; it is not known who put it there"),
    ]
    with before.write() as tx:
        collections.add(tx, "study", "by-bob", basis="operator")
        collections.remove(tx, "study", "unclear")
    assert found() == [(Level.OK, "no entry lacks the right to share")]
    with before.write() as tx:
        tx.execute("DELETE FROM member WHERE user_id = 'ann'")
    assert found() == [(Level.NOTE, "2 entries no longer grant reading; the datasets' pages name them")]


def test_what_stays_unconfirmed_does_not_end_by_itself(before: Database) -> None:
    before.migrate()
    with before.write() as tx:
        tx.execute("DELETE FROM member")
        tx.execute("UPDATE user SET state = 'disabled'")
    assert {name for name, (_, _, granted) in entries(before).items() if granted} == {
        "by-bob", "unclear", "public", "by-root",
    }  # fmt: skip
