"""Running jobs' code from the command line: in the sandbox, as the service does."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable
from pathlib import Path

from appliance.actions.site import Sanity
from appliance.jobs.runner import JobRunner
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sanity import SanityChecks
from appliance.settings import Settings
from appliance.store import jobs
from appliance.store.database import Database
from appliance.store.depot import Depot

_POLL = 0.1  # seconds


def check_sanity(settings: Settings) -> Callable[[Path, str], Sanity]:
    """What `actions.Site` asks whether a file is valid measurement data; a sandboxed child looks into it."""
    sandbox = Sandbox(settings.tmp / "cli", allow_weak=settings.jobs.allow_weak_sandbox)
    atexit.register(sandbox.close)  # one warm process for all files of this call

    return SanityChecks(sandbox, memory=settings.jobs.memory, seconds=settings.jobs.timeout).check


def run_until_idle(db: Database, depot: Depot, settings: Settings, told: Callable[[str], None]) -> dict[str, int]:
    """Run every due job in this process until none is left; returns the number of jobs by state.

    :param told: gets a line of progress whenever the number of waiting jobs changes.
    :raises Problem: when the service (or another `dcor jobs run`) already runs the jobs of this data root.
    """
    runner = JobRunner(db, depot, settings, scheduled=False)
    runner.start()
    last = -1
    try:
        while not runner.idle():
            with db.read() as conn:
                counts = jobs.counts(conn)
            left = counts["queued"] + counts["running"]
            if left != last:
                last = left
                told(f"{left} jobs left")
            time.sleep(_POLL)
    finally:
        runner.stop()
    with db.read() as conn:
        return jobs.counts(conn)
