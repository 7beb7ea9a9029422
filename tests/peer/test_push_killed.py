"""`dcor push`, killed again and again: no file is sent twice, no second dataset is made, and in the end everything is there."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from tests.peer.conftest import Publisher
from tests.support.peers import Between
from tests.support.samples import synthetic
from tests.support.server import Appliance

KILLS = 20
#: Files besides the measurement, and bytes of the smallest; each has another size, by which it is known again.
FILES, SIZE = 60, 300_000
#: Pieces of 16 KiB after which it is killed, least and most; a file has 19.
PIECES = (5, 50)


@dataclass
class _Killed:
    """Runs the command, and ends it when the server has read so many pieces more of its files."""

    command: list[str]
    token: str
    environment: dict[str, str]
    left: int = -1
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def piece(self) -> None:
        """A piece is about to be read."""
        self.left -= 1
        if self.left == 0:
            self.processes[-1].kill()

    def run(self, pieces: int) -> int:
        """→ the exit code; -9 = killed."""
        self.left = pieces
        process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment,
        )  # fmt: skip
        self.processes.append(process)
        process.communicate(f"{self.token}\n")
        return process.returncode


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_20_random_points_it_goes_on_without_sending_a_file_twice(
    publisher: Publisher, receiving: Appliance, target_between: Between, circle: str
) -> None:
    chance = random.Random(16)
    content = {f"f{number}.csv": chance.randbytes(SIZE + number) for number in range(FILES)}
    content["M1_beads.rtdc"] = synthetic().read_bytes()
    dataset_id, _ = publisher.dataset("Large", content)
    options = ["push", "large", "--to", target_between.url, "--circle", circle, "--token-stdin"]
    killed = _Killed(
        [sys.executable, "-m", "appliance", "--data", str(publisher.root), *options],
        receiving.person("kim").token,
        os.environ | {"DCOR_PUBLISH_TARGETS": target_between.url},
    )
    target_between.pause = killed.piece
    codes = [killed.run(chance.randint(*PIECES)) for _ in range(KILLS)]
    assert codes == [-9] * KILLS
    assert killed.run(-1) == 0

    query = {"fq": f"organization:{circle}", "include_drafts": True, "include_private": True}
    (found,) = receiving.admin.post("package_search", **query).result["results"]
    assert f"{publisher.url}/dataset/{dataset_id}" in found["references"]
    assert {one["name"]: one["sha256"] for one in found["resources"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in content.items()
    }
    arrived = [put.size for put in target_between.puts if put.answered]
    assert sorted(arrived) == sorted(len(data) for data in content.values()), "a file that had arrived was sent again"
    (states,) = zip(*publisher.rows("SELECT DISTINCT state FROM sent_file"), strict=True)
    assert states == ("verified",)
