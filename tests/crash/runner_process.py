"""The job runner of a data root as a process of its own, to be killed: `python runner_process.py DATA_ROOT`. Says `ready`, works until its input ends."""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.jobs.runner import JobRunner
from appliance.settings import load
from appliance.store.database import Database
from appliance.store.depot import Depot


def main(root: Path) -> None:
    """Run until the other end closes our input."""
    settings = load(root, env={})
    runner = JobRunner(Database(settings.database), Depot(root), settings, scheduled=False)
    runner.start()
    print("ready", flush=True)
    sys.stdin.read()
    runner.stop(10.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
