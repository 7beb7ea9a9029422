"""The job queue, measured: `python bench/jobs/measure_queue.py [soak] [small] [big] [fair] [--jobs N] [--files N] [--events N]`.

soak: no-op jobs, none lost, none doubled, against the bare rate of durable SQLite commits. small: many small files through the whole
pipeline, against one `dclab-condense` process per file. big: one file with images, from its last byte to "all jobs done".
fair: what a third user waits while two users have 300 files each in the queue.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from appliance.demo import synthetic
from appliance.jobs.registry import Done, JobContext, JobKind
from appliance.jobs.runner import JobRunner
from appliance.store import jobs

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.jobs.conftest import REAL, Appliance
from tests.support.waiting import wait_until

#: What each of two users has in the queue when a third one comes.
FILES_OF_OTHERS = 300
DCLAB_CONDENSE = Path(sys.executable).with_name("dclab-condense")


def main() -> None:
    """Run what was asked for, print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["soak", "small", "big", "fair"])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument(
        "--dir", type=Path, help="where the data roots are made (default: the system's temporary folder)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        for what in options.what:
            {"soak": soak, "small": small, "big": big, "fair": fair}[what](Path(folder) / what, options)


def say(name: str, value: str) -> None:
    """One figure."""
    print(f"{name:<52} {value}", flush=True)


def finish(runner: JobRunner, appliance: Appliance, seconds: float) -> float:
    """Wait until everything is over. → seconds it took."""
    started = time.perf_counter()

    def over() -> bool:
        with appliance.db.read() as conn:
            counts = jobs.counts(conn)
        return counts["queued"] + counts["running"] == 0

    assert wait_until(over, seconds, step=0.05)
    return time.perf_counter() - started


def soak(root: Path, options: argparse.Namespace) -> None:
    """Every job runs exactly once."""
    appliance, runs = Appliance(root), []

    def count(context: JobContext) -> Done:
        runs.append(context.job.id)
        return Done({"n": context.arguments["n"]})

    with appliance.db.write() as tx:
        ids = [jobs.enqueue(tx, "count", dedupe=str(number), arguments={"n": number}) for number in range(options.jobs)]
    runner = appliance.runner(extra={"count": JobKind("count", count)})
    runner.start()
    took = finish(runner, appliance, 3600)
    runner.stop(5)
    with appliance.db.read() as conn:
        done = jobs.counts(conn)["done"]
    assert sorted(runs) == sorted(ids)
    assert done == options.jobs
    limit = commit_rate(appliance)
    rate = options.jobs / took
    say(f"soak: {options.jobs} no-op jobs, lost or doubled", "0")
    say("soak: jobs per second", f"{rate:.0f}")
    say("soak: share of what two durable commits a job allow", f"{2 * rate / limit:.2f} (of {limit:.0f} commits/s)")


def commit_rate(appliance: Appliance, number: int = 300, threads: int = 3) -> float:
    """Durable commits per second of the bare database on this disk, from as many threads as there are workers."""

    def commit() -> None:
        for value in range(number):
            with appliance.db.write() as tx:
                tx.execute("INSERT OR REPLACE INTO meta VALUES ('bench', ?)", (value,))

    workers = [threading.Thread(target=commit) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return number * threads / (time.perf_counter() - started)


def small(root: Path, options: argparse.Namespace) -> None:
    """Throughput of small files through checksum, metadata, condense and preview."""
    appliance = Appliance(root)
    sources = sorted(REAL.glob("*.rtdc")) if REAL.is_dir() else [_synthetic(root.with_suffix(".rtdc"), 20)]
    dataset_id = appliance.dataset()
    for number in range(options.files):
        appliance.add(dataset_id, sources[number % len(sources)], f"{number}.rtdc", hashed=False)
    runner = appliance.runner()
    before = _processor_seconds()
    runner.start()
    took = finish(runner, appliance, 3600)
    runner.stop(5)
    processor = (_processor_seconds() - before) / options.files
    with appliance.db.read() as conn:
        counts = jobs.counts(conn)
        peaks = [job["result"].get("peak", 0) for job in jobs.list_(conn, limit=-1)]
    say(f"small: {options.files} files, jobs done / failed", f"{counts['done']} / {counts['failed']}")
    say("small: files per second, whole pipeline, cold start", f"{options.files / took:.2f}")
    say("small: processor seconds a file", f"{processor:.2f}")
    say("small: peak memory of a child", f"{max(peaks) / 1e6:.0f} MB")
    peer = _seconds(lambda: [_dclab_condense(source, root) for source in sources[:3]]) / len(sources[:3])
    say(
        "small: against `dclab-condense` alone, one at a time",
        f"{peer / (took / options.files):.1f} times as fast ({1 / peer:.2f} files/s)",
    )


def big(root: Path, options: argparse.Namespace) -> None:
    """Time from the last byte of an upload to the end of its last job."""
    source = _synthetic(root.with_suffix(".rtdc"), options.events)
    appliance = Appliance(root)
    runner = appliance.runner()
    runner.start()
    runner.sandbox.warm_up()
    resource_id = appliance.add(appliance.dataset(), source)
    runner.wake()
    took = finish(runner, appliance, 3600)
    runner.stop(5)
    say(
        f"big: {options.events} events, {source.stat().st_size / 1e6:.0f} MB, last byte to all jobs done",
        f"{took:.1f} s",
    )
    with appliance.db.read() as conn:
        for job in jobs.for_resource(conn, resource_id):
            seconds = _between(job["started"], job["finished"])
            say(
                f"big: {job['kind']} ({job['state']})",
                f"{seconds:.1f} s, {job['result'].get('peak', 0) / 1e6:.0f} MB, {job['result'].get('cpu', 0):.1f} s of processor",
            )
    peer = _seconds(lambda: _dclab_condense(source, root))
    say("big: everything against `dclab-condense` alone", f"{took / peer:.2f} × its {peer:.1f} s")


def fair(root: Path, options: argparse.Namespace) -> None:
    """A third user's file arrives while two users have many, ten times over: when its first job starts, when its last one ends."""
    source = _synthetic(root.with_suffix(".rtdc"), 200)
    appliance = Appliance(root)
    dataset_id = appliance.dataset()
    for number in range(FILES_OF_OTHERS):
        for user in ("first", "second"):
            appliance.add(dataset_id, source, f"{user}-{number}.rtdc", user_id=user)
    runner = appliance.runner()
    runner.start()
    assert wait_until(lambda: _done(appliance) >= 20, 600)
    started, ended = [], []
    for number in range(10):
        resource_id = appliance.add(dataset_id, source, f"third-{number}.rtdc", user_id="third")
        runner.wake()
        assert wait_until(lambda one=resource_id: set(appliance.states(one).values()) == {"done"}, 600)
        with appliance.db.read() as conn:
            rows = jobs.for_resource(conn, resource_id)
        arrived = min(row["created"] for row in rows)
        started.append(_between(arrived, min(row["started"] for row in rows)))
        ended.append(_between(arrived, max(row["finished"] for row in rows)))
    with appliance.db.read() as conn:
        left = jobs.counts(conn)["queued"]
    runner.stop(5)
    say(f"fair: jobs of two users with {FILES_OF_OTHERS} files each still in the queue", str(left))
    for name, found in (("first job starts", started), ("last of four jobs ends", ended)):
        say(f"fair: a third user's {name}, median / most of 10", f"{sorted(found)[5]:.2f} / {max(found):.2f} s")


def _done(appliance: Appliance) -> int:
    with appliance.db.read() as conn:
        return jobs.counts(conn)["done"]


def _processor_seconds() -> float:
    """Of this process and of all its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _synthetic(path: Path, events: int) -> Path:
    synthetic.write(path, events=events)
    return path


def _dclab_condense(source: Path, folder: Path) -> None:
    target = folder / f"peer_{source.stem}.rtdc"
    subprocess.run([str(DCLAB_CONDENSE), str(source), str(target)], check=True, capture_output=True)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _between(first: str, last: str) -> float:
    from appliance.model import times

    return (times.parse(last) - times.parse(first)).total_seconds()


if __name__ == "__main__":
    main()
