"""Who may do what: every action and every file address, asked by everybody, of datasets in every state.

`permissions.txt` is the table. Run ``python -m tests.web.api.test_permissions`` to print it as it is now.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from appliance.model import names
from appliance.web import api, route_table
from appliance.web.api.registry import ACTIONS
from tests.web.api.permission_fixture import WHO, World
from tests.web.api.probes import PATHS, PROBES

TABLE = Path(__file__).with_name("permissions.txt")


def rows() -> dict[tuple[str, str], list[str]]:
    """The table: (question, subject) → a sign for each of `WHO`."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            head, _, cells = line.partition("|")
            question, _, subject = head.strip().partition(" @ ")
            found[question.strip(), subject.strip()] = cells.split()
    return found


def asked(world: World, question: str, subject: str) -> list[str]:
    """One row, asked of the running appliance."""
    probe = PROBES[question]
    if subject in {"circle", "collection"}:
        subjects = [world.fresh(subject) if probe.fresh else getattr(world, subject) for _ in WHO]
    elif subject:
        subjects = world.datasets(subject, len(WHO)) if probe.fresh else world.datasets(subject) * len(WHO)
    else:
        subjects = [None] * len(WHO)
    return [probe.ask(world, world.people[who], one) for who, one in zip(WHO, subjects, strict=True)]


QUESTIONS = [(question, subject) for question, probe in PROBES.items() for subject in probe.subjects]


def test_every_action_is_in_the_table() -> None:
    assert api
    named = {question.partition(" ")[0] for question in PROBES}
    assert ACTIONS.keys() - named == set()
    assert sorted(rows()) == sorted(QUESTIONS)


def test_every_address_of_a_file_is_in_the_table() -> None:
    words = {"id": names.new_id(), "resource": names.new_id(), "name": "dataset-1"}
    asked_for = [path.partition("?")[0].format(**words) for path in PATHS]
    for route in route_table.routes():
        if route.rule.startswith("dataset:") and not route.pattern.pattern.startswith("/upload/"):
            assert any(route.pattern.fullmatch(path) for path in asked_for), route.pattern.pattern


@pytest.mark.parametrize(("question", "subject"), QUESTIONS, ids=[f"{q} {s}".strip() for q, s in QUESTIONS])
def test_the_table_holds(world: World, question: str, subject: str) -> None:
    expected = dict(zip(WHO, rows()[question, subject], strict=True))
    assert dict(zip(WHO, asked(world, question, subject), strict=True)) == expected


if __name__ == "__main__":
    made = World()
    for question, subject in QUESTIONS:
        head = f"{question} @ {subject}" if subject else question
        sys.stdout.write(
            f"{head:<52} | {'  '.join(f'{cell:<2}' for cell in asked(made, question, subject)).rstrip()}\n"
        )
        sys.stdout.flush()
    made.stop()
