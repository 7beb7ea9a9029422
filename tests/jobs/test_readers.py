"""Readers: quick answers about one file, and nothing about another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.jobs.readers import Readers
from appliance.jobs.sandbox import Sandbox
from appliance.model.problem import Problem
from appliance.store.cache import Cache

from .conftest import HERE, REAL, Appliance


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("content")
    return path


@pytest.fixture
def readers(appliance: Appliance) -> Iterator[Readers]:
    sandbox = Sandbox(appliance.settings.tmp / "jobs", tasks="hostile_tasks", tasks_folder=HERE)
    made = Readers(sandbox, appliance.depot, most=2, recycle=3, cache=Cache(lambda: 0))
    yield made
    made.close()
    sandbox.close()


def attempt(readers: Readers, resource_id: str, **request: object) -> dict[str, object]:
    answer: dict[str, object] = readers.read(resource_id, request, task="attempt")
    return answer


def test_a_reader_reads_its_resource_and_no_other(appliance: Appliance, readers: Readers, text: Path) -> None:
    dataset_id = appliance.dataset()
    mine, other = appliance.add(dataset_id, text), appliance.add(dataset_id, text, "b.txt")
    own, foreign = appliance.depot.path(mine), appliance.depot.path(other)
    assert attempt(readers, mine, what="read", path=str(own))["done"] == "b'content'"
    assert attempt(readers, mine, what="read", path=str(foreign))["refused"] == "PermissionError"
    assert attempt(readers, mine, what="write", path=str(own))["refused"] == "PermissionError"


def test_more_resources_than_readers(appliance: Appliance, readers: Readers, text: Path) -> None:
    dataset_id = appliance.dataset()
    ids = [appliance.add(dataset_id, text, f"{number}.txt") for number in range(5)]
    for _ in range(2):
        for one in ids:
            assert "done" in attempt(readers, one, what="read", path=str(appliance.depot.path(one)))


def test_many_threads(appliance: Appliance, readers: Readers, text: Path) -> None:
    dataset_id = appliance.dataset()
    ids = [appliance.add(dataset_id, text, f"{number}.txt") for number in range(3)]
    wrong: list[object] = []

    def ask(number: int) -> None:
        for step in range(4):
            one = ids[(number + step) % 3]
            answer = readers.read(
                one,
                {"what": "read", "path": str(appliance.depot.path(one)), "n": [number, step]},
                task="attempt",
                timeout=30,
            )
            if answer != {"done": "b'content'"}:
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_answers_are_cached_until_the_file_changes(appliance: Appliance, readers: Readers, text: Path) -> None:
    one = appliance.add(appliance.dataset(), text)
    path = appliance.depot.path(one)
    request = {"what": "read", "path": str(path)}
    assert attempt(readers, one, **request)["done"] == "b'content'"
    part = appliance.depot.new_part()
    part.path.write_bytes(b"other")
    appliance.depot.publish(part, one)
    assert attempt(readers, one, **request)["done"] == "b'other'"


@pytest.mark.parametrize(("task", "status"), [("crash", 500), ("refuse", 409), ("break_", 500)])
def test_failures_are_told_and_the_next_request_works(
    appliance: Appliance, readers: Readers, text: Path, task: str, status: int
) -> None:
    one = appliance.add(appliance.dataset(), text)
    with pytest.raises(Problem) as caught:
        readers.read(one, {}, task=task)
    assert caught.value.status == status
    assert readers.read(one, {}, task="nothing") == {}


def test_slow_answers_are_given_up(appliance: Appliance, readers: Readers, text: Path) -> None:
    one = appliance.add(appliance.dataset(), text)
    with pytest.raises(Problem) as caught:
        readers.read(one, {}, task="sleep", timeout=0.3)
    assert caught.value.status == 503
    assert readers.read(one, {}, task="nothing") == {}


def test_one_user_does_not_keep_all_readers_busy(appliance: Appliance, readers: Readers, text: Path) -> None:
    dataset_id = appliance.dataset()
    ids = [appliance.add(dataset_id, text, f"{number}.txt") for number in range(6)]
    readers.read(ids[0], {}, task="nothing", timeout=30)  # the libraries are there
    ends: list[int] = []
    started = threading.Barrier(6)

    def hold(resource_id: str) -> None:
        started.wait()
        with pytest.raises(Problem) as caught:
            readers.read(resource_id, {}, caller="greedy", task="sleep", timeout=4)
        ends.append(caught.value.status)

    threads = [threading.Thread(target=hold, args=(one,)) for one in ids[:5]]
    for thread in threads:
        thread.start()
    started.wait()
    answers = [readers.read(ids[5], {"n": n}, caller="patient", task="nothing", timeout=2) for n in range(5)]
    assert answers == [{}] * 5
    assert ends == []
    for thread in threads:
        thread.join(30)
    assert ends == [503] * 5


def test_no_file_no_reader(readers: Readers) -> None:
    with pytest.raises(Problem) as caught:
        readers.read("99999999-2222-4333-8444-555555555555", {})
    assert caught.value.status == 404


@pytest.mark.skipif(not REAL.is_dir(), reason="no real files at hand")
def test_real_features(appliance: Appliance) -> None:
    import dclab

    source = REAL / "calibration_beads_47.rtdc"
    one = appliance.add(appliance.dataset(), source, queue=False)
    sandbox = Sandbox(appliance.settings.tmp / "jobs")
    readers = Readers(sandbox, appliance.depot)
    found = readers.read(one, {"what": "feature", "feature": "deform"}, timeout=60)
    with dclab.new_dataset(source) as ds:
        assert found["values"] == pytest.approx(ds["deform"][:].tolist(), rel=1e-6)
    readers.close()
    sandbox.close()
