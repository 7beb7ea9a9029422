"""The service stopped while something is done to its release or its data, and started again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.health.overview import answers
from appliance.model.problem import Problem, invalid
from appliance.settings import Settings


@contextmanager
def stopped_service(settings: Settings) -> Iterator[None]:
    """The service is stopped inside and started again afterwards, whatever happens. Without systemd: Problem if it runs."""
    if not Path("/run/systemd/system").is_dir():
        if answers(settings):
            raise invalid(message="The service runs outside of systemd. Stop it first, and start it afterwards.")
        yield
        return
    _systemctl("stop")
    try:
        yield
    finally:
        subprocess.run(["systemctl", "daemon-reload"], check=False)
        # Whatever was tried before: this start must not be refused as one too many.
        subprocess.run(["systemctl", "reset-failed", "dcor.service"], check=False, capture_output=True)
        _systemctl("start")


class ServiceError(Problem):
    """systemd could not stop or start the service."""


def _systemctl(verb: str) -> None:
    """Raises ServiceError."""
    done = subprocess.run(["systemctl", verb, "dcor.service"], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        message = f"`systemctl {verb} dcor` failed: {done.stderr.strip()} Mend what `journalctl -u dcor -n 30` says, then: sudo dcor update"
        raise ServiceError(409, "Validation Error", message=message)
