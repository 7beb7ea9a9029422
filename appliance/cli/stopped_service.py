"""The service stopped while something is done to its release or its data, and started again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from appliance.cli.common import as_caller
from appliance.health.overview import answers
from appliance.health.units import SERVICE, SYSTEMD, UNITS
from appliance.model.problem import Problem, invalid
from appliance.settings import Settings


@contextmanager
def stopped_service(settings: Settings) -> Iterator[None]:
    """The service is stopped inside and started again afterwards, whatever happens. Without systemd: Problem if it runs."""
    if not SYSTEMD.is_dir():
        if answers(settings):
            raise invalid(message="The service runs outside of systemd. Stop it first, and start it afterwards.")
        yield
        return
    _systemctl("stop", "sudo dcor update")
    try:
        yield
    finally:
        _start("sudo dcor update")


@contextmanager
def restored_service() -> Iterator[None]:
    """The service of this machine, if it has one, is stopped while its data root is restored, and started afterwards.

    It refuses by itself while a restore is not finished.
    """
    if not SYSTEMD.is_dir() or not (UNITS / SERVICE).exists():
        yield
        return
    _systemctl("stop", "the same command")
    restored = False
    try:
        yield
        restored = True
    finally:
        if not restored:
            with suppress(ServiceError):  # what went wrong before is what has to be mended
                _start("")
    _start("sudo systemctl start dcor")


class ServiceError(Problem):
    """systemd could not stop or start the service."""


def _start(then: str) -> None:
    with as_caller():
        subprocess.run(["systemctl", "daemon-reload"], check=False)
        # Whatever was tried before: this start must not be refused as one too many.
        subprocess.run(["systemctl", "reset-failed", SERVICE], check=False, capture_output=True)
    _systemctl("start", then)


def _systemctl(verb: str, then: str) -> None:
    """With the rights of whoever called `dcor`. Raises ServiceError, which says what to do `then`."""
    with as_caller():
        done = subprocess.run(["systemctl", verb, SERVICE], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[0].rstrip(".")
        message = f"`systemctl {verb} dcor` failed ({why}). Mend what `journalctl -u dcor -n 30` says, then: {then}"
        raise ServiceError(409, "Validation Error", message=message)
