"""`dcor pull`, killed again and again: what had arrived is never sent again, and in the end everything is equal."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peer.conftest import Root
from tests.support.peers import Between, between
from tests.support.server import Appliance, Person

KILLS = 20
#: Files of the dataset that is pulled, and bytes of each.
FILES, SIZE = 60, 300_000
#: Pieces of 16 KiB after which it is killed, least and most; a file has 19, and a run needs some for its lists.
PIECES = (10, 60)


class _Killer:
    """Ends a process when the source has sent so many pieces more."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.left = -1

    def __call__(self) -> None:
        """A piece is about to be sent."""
        self.left -= 1
        if self.left == 0 and self.process is not None:
            self.process.kill()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Appliance]:
    """The source."""
    running = Appliance(tmp_path / "full")
    yield running
    running.stop()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_20_random_points_it_goes_on_without_sending_a_finished_file_again(
    full: Appliance, still: Root, tmp_path: Path
) -> None:
    chance = random.Random(16)
    ada = full.person("ada")
    ada.circle("lab")
    dataset = ada.draft("lab", title="Large")
    content = {f"f{number}.csv": chance.randbytes(SIZE) for number in range(FILES)}
    for name, data in content.items():
        path = tmp_path / name
        path.write_bytes(data)
        ada.add(dataset["id"], path)
    with between(full.url, str(full.certificate)) as source:
        killer = source.pause = _Killer()
        _check(full, ada, source, still, killer, dataset["id"], content, chance, tmp_path / "links")


def _check(
    full: Appliance,
    ada: Person,
    source: Between,
    still: Root,
    killer: _Killer,
    dataset_id: str,
    content: dict[str, bytes],
    chance: random.Random,
    links: Path,
) -> None:
    command = [
        sys.executable,
        "-m",
        "appliance",
        "--data",
        str(still.root),
        "pull",
        source.url,
        "--token-stdin",
        "--users",
    ]
    command += ["--circle", "lab", "--links", str(links), "--parallel", "2"]

    def pull(pieces: int) -> int:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        killer.process, killer.left = process, pieces
        process.communicate(f"{full.admin.token}\n")
        return process.returncode

    codes = []
    finished: dict[str, int] = {}  # id of a file that has arrived → how often it had been asked for by then
    for _ in range(KILLS):
        codes.append(pull(chance.randint(*PIECES)))
        arrived = still.rows("SELECT resource_id FROM received_file UNION SELECT id FROM resource")
        for (resource_id,) in arrived:
            finished.setdefault(resource_id, len(source.asked(resource_id)))
    assert codes.count(-9) == KILLS
    assert pull(-1) == 0

    package = full.admin.get("package_show", id=dataset_id).result
    here = still.package(dataset_id)
    assert json.dumps(here, sort_keys=True).replace(still.url, "X") == json.dumps(package, sort_keys=True).replace(
        full.url, "X"
    )
    for file in package["resources"]:
        assert still.site.depot.path(file["id"]).read_bytes() == content[file["name"]]
        offsets = [one.offset for one in source.asked(file["id"])]
        assert offsets == sorted(offsets), "a part was thrown away"
        known = finished.get(file["id"], len(offsets))
        assert len(offsets) == known, "a finished file was asked for again"
    assert finished
    assert still.parts == []
    assert len(links.read_text(encoding="utf-8").splitlines()) >= 1
