"""Memory of the jobs on one large file: `python bench/jobs/measure_memory.py FILE [--cores 1,2] [--memory GiB] [--dir DIR]`.

Runs what the jobs run, in the sandbox and within its bounds (`jobs.memory`, by default 2 GiB of address space for each process; with
`--memory` less), and adds up the memory of all processes of a task several times a second: private pages, and their share of common ones
(PSS); `private` leaves out pages of the mapped result file and of libraries, which the kernel can drop at any time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import SandboxError
from appliance.settings import Jobs

EVERY = 0.2  # seconds


def main() -> None:
    """Run the tasks in the order of the jobs and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--cores", default=",".join(str(n) for n in sorted({1, os.cpu_count() or 1})))
    parser.add_argument("--memory", type=float, default=Jobs().memory / 2**30)
    parser.add_argument("--dir", type=Path, help="where results lie meanwhile (default: the system's temporary folder)")
    options = parser.parse_args()
    path = options.file.absolute()
    print(f"{path.stat().st_size / 1e9:.2f} GB, {options.memory} GiB for each process, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        sandbox = Sandbox(Path(name) / "jobs")
        sandbox.warm_up()
        scratch = sandbox.new_scratch()
        bounds = {"memory": int(options.memory * 2**30), "timeout": 4 * 3600, "scratch": scratch}
        for task in ("preflight", "metadata"):
            measure(sandbox, task, path, {}, bounds)
        for count in (int(number) for number in options.cores.split(",")):
            measure(sandbox, "condense", path, {"name": path.name, "basins": [], "cores": count}, bounds)
        condensed = scratch / "condensed.rtdc"
        print(f"condensed: {condensed.stat().st_size / 1e6:.0f} MB")
        measure(sandbox, "preview", path, {"name": path.name, "condensed": str(condensed)}, bounds)
        sandbox.close()


def measure(sandbox: Sandbox, task: str, path: Path, request: dict[str, Any], bounds: dict[str, Any]) -> None:
    """Run one task and print what it took, or why it failed."""
    watch = Watch()
    started = time.perf_counter()
    name = f"{task}, {request['cores']} process(es)" if "cores" in request else task
    try:
        options = {**bounds, "fork": request.get("cores", 1) > 1}
        outcome = sandbox.run(task, path, request, cpu=bounds["timeout"], **options)
    except SandboxError as error:
        print(f"{name:26} FAILED ({error.kind}): {error.message}\n{error.log}", flush=True)
        raise SystemExit(1) from error
    finally:
        watch.stop()
    print(
        f"{name:26} {time.perf_counter() - started:8.1f} s {outcome.cpu:8.1f} s cpu   together {watch.pss >> 20:5} MiB,"
        f" private {watch.private >> 20:5} MiB   largest process {outcome.peak >> 20:5} MiB",
        flush=True,
    )


class Watch:
    """Looks at the memory of the children until stopped.

    :ivar pss: most bytes all of them took together; :ivar private: the same without pages of files.
    """

    def __init__(self) -> None:
        self.pss = self.private = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            found = [_memory(pid) for pid in _children_of_the_warm_process()]
            self.pss = max(self.pss, sum(one.get("Pss", 0) for one in found))
            self.private = max(self.private, sum(one.get("Pss_Anon", 0) for one in found))


def _children_of_the_warm_process() -> Iterator[int]:
    """Ids of the processes below the one that this process started."""
    parents: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                status = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
                parents[int(entry.name)] = int(status.rpartition(")")[2].split()[1])
    warm = {pid for pid, parent in parents.items() if parent == os.getpid()}
    level = {pid for pid, parent in parents.items() if parent in warm}
    while level:
        yield from level
        level = {pid for pid, parent in parents.items() if parent in level}


def _memory(pid: int) -> dict[str, int]:
    """Bytes by name of `smaps_rollup`, empty when the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


if __name__ == "__main__":
    main()
