"""Did any figure get worse? Two commits side by side, or two results of before.

    python -m bench.compare OLD NEW [--datasets 300] [--minutes 8] [--limit 10] [--save FILE]

OLD and NEW are commits of this repository, or files that an earlier run saved with `--save` (its NEW side). Each commit is
unpacked, makes a data root with its own code and serves it; then both are asked the same in turns, round after round, so that what
else the machine does meets both alike. Of each figure the best round counts: processor time of the server for an answer (waiting
for the processor is not in it) and time by the clock with one client. Exit code 1 when a figure is worse by more than `--limit`
percent in processor time; the clock is printed beside, as it tells little on a busy machine.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import signal
import ssl
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.appliance_process import answers_at

_ROOT = Path(__file__).parents[1]
_API = "/api/3/action/"
#: Seconds of one round of one figure.
_ROUND = 0.4
_ROUNDS = 7


@dataclass
class Side:
    """One of the two: a running server and its figures.

    :ivar cpu: processor time of each round [ms an answer], by figure; likewise `wall`: median time of an answer by the clock.
    """

    name: str
    world: dict[str, Any]
    pid: int
    number: int = 0
    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)

    def path(self, figure: str) -> str:
        """The next address to ask for a figure."""
        self.number += 1
        number, ids = self.number, self.world["ids"]
        known, kind = figure.startswith("known: "), figure.partition(": ")[2]
        one = ids[0] if known else ids[number % len(ids)]
        more = "" if known else f"{number}"
        return {
            "status_show": f"{_API}status_show?n={more}",
            "package_show": f"{_API}package_show?id={one}&n={more if number > len(ids) else ''}",
            "package_search": f"{_API}package_search?q=blood&rows=10" + (f"&fq=size:[{more}%20TO%20*]" if more else ""),
            "organization_list": f"{_API}organization_list?n={more}",
            "front page": f"/?n={more}",
            "list of datasets": f"/dataset?n={more}",
            "dataset page": f"/dataset/{one}?n={more}",
        }[kind]


KINDS = (
    "status_show", "package_show", "package_search", "organization_list", "front page", "list of datasets", "dataset page",
)  # fmt: skip
FIGURES = tuple(f"{state}: {kind}" for kind in KINDS for state in ("known", "new"))


def process_time(pid: int) -> float:
    """Processor time that a process has used [s], to the nanosecond."""
    return time.clock_gettime((~pid) << 3 | 2)  # CPUCLOCK_SCHED of the process, see clock_getcpuclockid(3)


@contextmanager
def unpacked(commit: str, folder: Path) -> Iterator[Path]:
    """The sources of a commit. Raises CalledProcessError for an unknown one."""
    archive = subprocess.run(["git", "archive", commit], cwd=_ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as sources:
        sources.extractall(folder, filter="data")
    yield folder


@contextmanager
def side(commit: str, folder: Path, datasets: int) -> Iterator[Side]:
    """A server of this commit with a data root of its own."""
    folder.mkdir(parents=True)
    environment = os.environ | {"HOME": str(folder)}
    with unpacked(commit, folder / "source") as source:
        fill = Path(__file__).parent / "comparison" / "fill.py"
        command = [sys.executable, str(fill), str(folder), str(datasets)]
        subprocess.run(command, cwd=source, env=environment, check=True, stdout=sys.stderr)
        world = json.loads((folder / "world.json").read_text())
        command = [sys.executable, "-m", "appliance", "--data", world["root"], "serve"]
        process = subprocess.Popen(command, cwd=source, env=environment, stderr=subprocess.DEVNULL)
        try:
            answers_at(world["port"])
            yield Side(commit, world, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def measure(one: Side, figure: str, connection: http.client.HTTPSConnection, seconds: float) -> None:
    """A round of a figure. Raises RuntimeError unless all answers are 200."""
    headers = {"Accept-Encoding": "gzip"} | ({} if "page" in figure else {"Authorization": one.world["token"]})
    times: list[float] = []
    before, until = process_time(one.pid), time.monotonic() + seconds
    while time.monotonic() < until or len(times) < 10:
        begun = time.perf_counter()
        connection.request("GET", one.path(figure), headers=headers)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - begun) * 1e3)
        if answer.status != 200:
            raise RuntimeError(f"{one.name}: {figure}: {answer.status}")
    one.cpu.setdefault(figure, []).append((process_time(one.pid) - before) * 1e3 / len(times))
    one.wall.setdefault(figure, []).append(statistics.median(times))


def run(sides: list[Side], rounds: int, seconds: float, until: float) -> None:
    """Measure all figures in turns; stops early at `until` (monotonic), after two rounds at least."""
    for figure in FIGURES:
        connections = []
        for one in sides:
            context = ssl.create_default_context(cafile=one.world["certificate"])
            connections.append(http.client.HTTPSConnection("localhost", one.world["port"], context=context))
        for number in range(rounds + 1):
            if number > 2 and time.monotonic() > until:
                break
            for one, connection in zip(sides, connections, strict=True):
                measure(one, figure, connection, seconds / 4 if number == 0 else seconds)
        for one, connection in zip(sides, connections, strict=True):
            one.cpu[figure].pop(0)  # the first one warms up
            one.wall[figure].pop(0)
            connection.close()
        print(figure, *(f"{min(one.cpu[figure]):.3f}" for one in sides), file=sys.stderr, flush=True)


def figures(one: Side) -> dict[str, dict[str, float]]:
    """The best round of each figure [ms]."""
    return {figure: {"cpu": min(one.cpu[figure]), "wall": min(one.wall[figure])} for figure in one.cpu}


def table(old: dict[str, Any], new: dict[str, Any], limit: float) -> tuple[str, list[str]]:
    """The comparison as a table, and the figures that got worse by more than `limit` percent."""
    lines = ["| figure | CPU ms old | new | × | by the clock, × |", "|---|---|---|---|---|"]
    worse = []
    for figure in [one for one in old if one in new]:
        before, now = old[figure], new[figure]
        ratio = now["cpu"] / before["cpu"]
        if ratio > 1 + limit / 100:
            worse.append(figure)
        mark = " **worse**" if figure in worse else ""
        clock = now["wall"] / before["wall"]
        lines.append(f"| {figure} | {before['cpu']:.3f} | {now['cpu']:.3f} | {ratio:.2f}{mark} | {clock:.2f} |")
    return "\n".join(lines), worse


def main() -> int:
    """Measure, print, say whether something got worse."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="a commit, or a file that was saved")
    parser.add_argument("new", help="likewise")
    parser.add_argument("--datasets", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=8, help="of measuring at most")
    parser.add_argument("--limit", type=float, default=10, help="percent")
    parser.add_argument("--save", type=Path, help="write the figures of NEW")
    options = parser.parse_args()
    saved = {name: json.loads(Path(name).read_text()) for name in (options.old, options.new) if Path(name).is_file()}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        sides = [
            running.enter_context(side(name, Path(folder) / str(number), options.datasets))
            for number, name in enumerate((options.old, options.new))
            if name not in saved
        ]
        run(sides, _ROUNDS, _ROUND, time.monotonic() + 60 * options.minutes)
        found = saved | {one.name: figures(one) for one in sides}
    text, worse = table(found[options.old], found[options.new], options.limit)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.datasets} datasets\n\n{text}\n")
    if options.save:
        options.save.write_text(json.dumps(found[options.new]), encoding="utf-8")
    print(f"Worse by more than {options.limit:g} %: {', '.join(worse) or 'nothing'}.")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
