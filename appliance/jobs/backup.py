"""The nightly backup and the monthly trial restore, for machines without system timers for them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from appliance.actions import backups
from appliance.jobs.registry import CARE, Done, JobContext, JobFailed, job
from appliance.model.messages import Message

_LOOK = 0.5  # poll interval while a backup runs [s]


@job("backup", lane=CARE)
def run(context: JobContext) -> Done:
    """Back up everything unless a timer did so today (or the argument `now` is set), and try a restore once a month.

    It runs in a separate process: hours of hashing must not make requests wait for the GIL.
    """
    if not context.arguments.get("now") and backups.is_fresh(context.settings):
        return Done({"skipped": "there is one of today"})
    context.progress(0.0, Message("running"))
    root = str(context.settings.data)
    with subprocess.Popen(
        [sys.executable, "-m", "appliance", "--data", root, "backup", "create", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        out, err = _ended(process, context)
    if process.returncode not in (0, 1) or not out:
        raise JobFailed(err.strip().removeprefix("dcor: ")[-500:] or Message("the backup stopped"), permanent=False)
    made = json.loads(out)
    return Done({key: made[key] for key in ("name", "new_files", "new_bytes", "seconds", "problems")})


def _ended(process: subprocess.Popen[Any], context: JobContext) -> tuple[str, str]:
    """The output of the process; raises JobFailed when the job is cancelled (then there is no backup)."""
    while True:
        try:
            out, err = process.communicate(timeout=_LOOK)
        except subprocess.TimeoutExpired:
            if context.cancelled():
                process.terminate()
                process.communicate()
                raise JobFailed(Message("cancelled")) from None
            continue
        return out, err
