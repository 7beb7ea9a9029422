"""The health checks, once an hour: what came of them is kept for metrics and the next look."""

from __future__ import annotations

import json
import subprocess
import sys

from appliance.actions import check_results
from appliance.jobs.registry import CARE, Done, JobContext, JobFailed, job
from appliance.model.messages import Message

_TIMEOUT = 1800.0  # seconds; reading a large database takes its time


@job("checks", lane=CARE)
def run(context: JobContext) -> Done:
    """Run `dcor inspect` in a process of its own, so that requests do not wait for the interpreter, and keep the result."""
    command = [sys.executable, "-m", "appliance", "--data", str(context.settings.data), "inspect", "--json"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
        found = json.loads(said.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise JobFailed(
            Message("the checks did not finish (%(name__)s)", name__=type(error).__name__), permanent=False
        ) from error
    levels = check_results.keep(context.settings, found["findings"])
    return Done({level: sum(counts.get(level, 0) for counts in levels.values()) for level in ("problem", "warning")})
