"""The database of every release is taken up by this one, with all that people had in it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance import __version__
from appliance.store import backup_source
from appliance.store.database import Database
from tests.store.releases import PASSWORD, load, stored
from tests.support.server import Appliance, Person

TOP = Path(__file__).parents[2]
REMEDY = "python -m tests.store.releases"

each_release = pytest.mark.parametrize("release", stored(), ids=lambda path: path.stem)


def schema(path: Path) -> dict[str, list[str]]:
    """Columns by table, and the names of indexes and triggers."""
    with closing(sqlite3.connect(path)) as conn:
        names = conn.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        found = {
            name: sorted(f"{row[1]} {row[2]} {row[3]} {row[5]}" for row in conn.execute(f"PRAGMA table_info('{name}')"))
            for kind, name in names
            if kind == "table"
        }
    return found | {kind: sorted(name for one, name in names if one == kind) for kind in ("index", "trigger", "view")}


def rows(path: Path) -> dict[str, int]:
    """Number of rows by table."""
    with closing(sqlite3.connect(path)) as conn:
        return {
            name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%'"
            )
        }


def test_each_version_of_the_changelog_has_its_database() -> None:
    versions = re.findall(r"^(\d+\.\d+\.\d+)\b", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions
    assert versions[0] == __version__
    missing = set(versions) - {path.stem for path in stored()}
    assert not missing, f"no stored database of {missing}: {REMEDY}"


def test_the_newest_one_has_the_schema_of_this_source(tmp_path: Path) -> None:
    """A schema step after a release needs a new version; before it, the database is written anew."""
    newest = tmp_path / "newest.sqlite"
    load(stored()[-1], newest)
    fresh = tmp_path / "fresh.sqlite"
    steps = Database(fresh).create()
    with closing(sqlite3.connect(newest)) as conn:
        known = conn.execute("PRAGMA user_version").fetchone()[0]
    assert known == len(steps), (
        f"{steps[known:]} came after {stored()[-1].stem}; if that is out, raise the version; then: {REMEDY}"
    )
    assert schema(newest) == schema(fresh)


@each_release
def test_nothing_is_lost_and_the_schema_is_that_of_a_new_one(release: Path, tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.sqlite", tmp_path / "fresh.sqlite"
    load(release, old)
    before = rows(old)
    assert (
        min(before[table] for table in ("user", "token", "dataset", "resource", "community", "job", "alarm", "audit"))
        > 0
    )
    with closing(Database(old)) as db:
        db.migrate()
        assert db.migrate() == []
    with closing(Database(fresh)) as db:
        db.create()
    assert backup_source.examine(old) == []
    with closing(sqlite3.connect(old)) as conn:
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert schema(old) == schema(fresh)
    after = rows(old)
    assert {table: after[table] for table in before if table in after} == {
        table: count for table, count in before.items() if table in after
    }


@each_release
def test_people_go_on_working(release: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    notes = load(release, root / "dcor.sqlite")
    (root / "dcor.sqlite").chmod(0o600)
    appliance = Appliance(root)
    try:
        ada = Person(appliance, "ada", notes["token"])
        assert ada.get("user_show").result["name"] == "ada"
        assert {hit["id"] for hit in ada.get("package_search", q="cells", include_private=True).result["results"]} >= {
            notes["public"]
        }
        assert ada.get("package_show", id=notes["private"]).result["private"] is True
        shown = ada.get("resource_show", id=notes["resource"]).result
        assert shown["dc:experiment:event count"] > 0
        assert [group["name"] for group in ada.get("package_show", id=notes["public"]).result["groups"]] == ["blood"]
        eve = appliance.person("newcomer")
        assert eve.get("package_show", id=notes["private"]).status == 404
        signed_in = ada.http.post(
            f"{appliance.url}/user/login",
            data={"login": "ada", "password": PASSWORD},
            headers={"Origin": appliance.url, "Sec-Fetch-Site": "same-origin"},
        )
        assert signed_in.status_code == 200
        assert appliance.admin.post("api_token_revoke", token=notes["token"]).status == 200
        assert Person(appliance, "ada", notes["made"]).get("user_show").status == 403  # made with it
    finally:
        appliance.stop()
