"""Who may go on with an update that was interrupted, and what a start of the service makes of it. Kills: tests/crash/test_kills.py."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from appliance.actions import release_journal as journal
from appliance.actions import rollback_copies
from appliance.model.problem import Problem
from appliance.settings import Settings, load
from appliance.store import data_root
from appliance.store.database import Database

OLD, NEW = "0.2.0", "0.3.0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data root with a database."""
    data_root.create(tmp_path / "data")
    found = load(tmp_path / "data", env={})
    with closing(Database(found.database)) as db:
        db.create()
    return found


def change_form(settings: Settings) -> None:
    """What a migration does."""
    with closing(Database(settings.database)) as db, db.write() as tx:
        tx.execute("CREATE TABLE newer (x)")
        tx.execute("PRAGMA user_version = 999")


def interrupted(settings: Settings, *, ready: bool = False) -> journal.Entry:
    """An update whose process is gone, after the migration."""
    entry = journal.begin(settings, journal.UPDATE, OLD, NEW)
    entry = journal.change_begins(settings, entry, rollback_copies.take(settings, NEW))
    change_form(settings)
    return journal.ready(settings, entry) if ready else entry


def test_without_a_journal_a_start_changes_nothing(settings: Settings) -> None:
    assert journal.settle_at_start(settings, OLD) == ""


@pytest.mark.parametrize("ready", [False, True])
def test_a_start_of_the_old_release_undoes_an_interrupted_update(settings: Settings, ready: bool) -> None:
    interrupted(settings, ready=ready)
    assert "it was undone" in journal.settle_at_start(settings, OLD)
    assert journal.schema_of(settings.database) < 999
    assert journal.read(settings) is None
    assert journal.settle_at_start(settings, OLD) == ""


def test_a_start_of_the_new_release_after_the_switch_finishes_it(settings: Settings) -> None:
    interrupted(settings, ready=True)
    assert "it is finished" in journal.settle_at_start(settings, NEW)
    assert journal.schema_of(settings.database) == 999


def test_the_new_release_does_not_start_before_it_has_proved_itself(settings: Settings) -> None:
    interrupted(settings)
    with pytest.raises(Problem, match="Settle it: sudo dcor update"):
        journal.settle_at_start(settings, NEW)


def test_while_an_update_is_at_work_only_its_own_release_starts(settings: Settings) -> None:
    with journal.at_work(settings):
        interrupted(settings)
        assert journal.settle_at_start(settings, NEW) == ""  # the one that the update tries
        with pytest.raises(Problem, match="is at work"):
            journal.settle_at_start(settings, OLD)
    assert "undone" in journal.settle_at_start(settings, OLD)


def test_what_was_entered_since_is_never_undone(settings: Settings) -> None:
    entry = interrupted(settings, ready=True)
    with closing(Database(settings.database)) as db, db.write() as tx:  # by a release that knows no journal
        tx.execute("INSERT INTO newer VALUES (1)")
    assert not journal.can_be_finished(settings, entry)
    journal.undo(settings, entry)
    assert journal.schema_of(settings.database) == 999


def test_a_copy_that_is_gone_is_told_with_the_remedy(settings: Settings) -> None:
    entry = interrupted(settings)
    rollback_copies.find(settings, entry.copy).unlink()
    with pytest.raises(Problem, match="is gone"):
        journal.settle_at_start(settings, OLD)


def test_a_second_update_does_not_begin_on_an_unsettled_one(settings: Settings) -> None:
    interrupted(settings)
    with pytest.raises(Problem, match="Settle it first: sudo dcor update"):
        journal.begin(settings, journal.UPDATE, OLD, NEW)


def test_a_damaged_journal_is_told_with_the_remedy(settings: Settings) -> None:
    rollback_copies.folder(settings)
    (settings.data / "rollback" / "journal.json").write_text("{")
    with pytest.raises(Problem, match=r"journal\.json is damaged"):
        journal.settle_at_start(settings, OLD)
