"""The table of damages: each is found by its check, with exit code 1, and the remedy that is printed with it mends it."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Any

import pytest

from tests.ops.damages import DAMAGES, Damage, facts
from tests.ops.place import Place, Said

pytestmark = pytest.mark.slow

_BAD = ("problem", "warning")
#: Damages that do not keep anybody from working, or that others have to judge: `dcor inspect` warns, and exits with 0.
WARNED = {
    "leftover_part", "unknown_file_in_the_depot", "derived_rows_lost", "backups_without_key", "no_backup_yet",
    "only_backups_of_the_database", "job_failed",
}  # fmt: skip


def test_the_table_is_long_and_names_nothing_twice() -> None:
    assert len(DAMAGES) >= 60
    assert len({one.name for one in DAMAGES}) == len(DAMAGES)


def test_without_damage_nothing_is_found(place: Place) -> None:
    place.start()
    said = place.dcor("inspect", "--deep", "--json")
    bad = [one for one in said.json["findings"] if one["level"] in _BAD and one["check"] not in _MACHINE]
    assert bad == []


#: Checks about the machine that the tests run on.
_MACHINE = ("sandbox", "clock", "limits", "free space", "system logs", "program")


@pytest.mark.parametrize("damage", [pytest.param(one, id=one.name) for one in DAMAGES])
def test_a_damage_is_found_and_its_remedy_works(damage: Damage, place: Place) -> None:
    if damage.root_only and os.geteuid() != 0:
        pytest.skip("needs root")
    damage.do(place)
    advice = _found(damage, place)
    known = facts(place)
    for step in damage.remedy:
        if isinstance(step, str):
            written = step.format(**known)
            assert written in _plain(advice, place), (written, advice)
            _execute(written, place)
        else:
            step(place)
    if damage.advice:
        assert damage.advice.format(**known) in advice
    _healthy(damage, place)


def _found(damage: Damage, place: Place) -> str:
    """Look: the damage is named by its check, with an exit code that tells it. → the advice."""
    if not damage.check:
        said = place.dcor("user", "list")
        assert said.code == 1
        assert damage.text in said.err
        assert "Traceback" not in said.err
        again = place.dcor("inspect")
        assert again.code == 1
        assert damage.text in again.out + again.err
        return said.err
    said = _inspect(damage, place)
    found = [one for one in said.json["findings"] if one["level"] in _BAD and damage.text in one["detail"]]
    assert found, said.json["findings"]
    assert said.code == (0 if damage.name in WARNED else 1), found
    for one in said.json["findings"]:
        assert one["level"] != "problem" or one["fix"], one
    repair = "dcor inspect --assume-yes" if any(one["repairable"] for one in found) else ""
    assert repair in _printed(damage, place)
    return " ".join([*(f"{one['detail']} {one['fix']}" for one in found), repair])


def _healthy(damage: Damage, place: Place) -> None:
    if not damage.check:
        assert place.dcor("user", "list").code == 0
        said = place.dcor("inspect", "--check", "data root", "--check", "settings", "--json")
    else:
        said = _inspect(damage, place)
    assert said.code == 0, said
    left = [one for one in said.json["findings"] if one["level"] in _BAD and damage.text in one["detail"]]
    assert left == []


def _printed(damage: Damage, place: Place) -> str:
    """What a person sees."""
    said = place.dcor("inspect", "--check", damage.check, *(["--deep"] if damage.deep else []))
    return said.out + said.err


def _inspect(damage: Damage, place: Place) -> Said:
    return place.dcor("inspect", "--json", "--check", damage.check, *(["--deep"] if damage.deep else []))


def _plain(advice: str, place: Place) -> str:
    """The advice as it is typed by somebody who is root, with the places that it leaves to fill in."""
    return advice.replace("sudo ", "").replace("KEYFILE", "key-sheet.txt").replace("BACKUPS", f"{place.root}/backups")


def _execute(command: str, place: Place) -> None:
    """Do what a line of the advice says, as root or the account of the service would."""
    if command.startswith("systemctl") and command.endswith(" dcor"):
        _let_go(place)
        place.start()
        return
    words: list[Any] = [str(place.sheet) if word == "key-sheet.txt" else word for word in shlex.split(command)]
    if words[0] != "dcor":
        words = [str(place.top) + "/" if word == "/root/" else word for word in words]
        subprocess.run(words, check=True)
        return
    words = words[1:]
    if words[:1] == ["--data"]:
        words = words[2:]
    if "--replace" in words:
        place.stop()
    asked = "--replace" in words or words[:2] == ["certificate", "create"]
    said = place.dcor(*words, *(["--yes"] if asked else []))
    # `inspect --assume-yes` mends what it can and tells of what is left
    assert said.code == 0 or words[0] == "inspect", said


def _let_go(place: Place) -> None:
    """A restart ends whatever the old process was."""
    for patch in place.patches:
        patch.stop()
    place.patches.clear()
