"""What systemd is to do: keep the service running and start the nightly work, with the units of this release."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from appliance.health.base import Finding, Level, Premises, check
from appliance.model import system_errors
from appliance.model.messages import Message

_NAME = Message("units")
#: There while systemd runs the machine.
SYSTEMD = Path("/run/systemd/system")
#: Where the installer puts the units, and where the release in use keeps its own.
UNITS, RELEASED = Path("/etc/systemd/system"), Path("/opt/dcor/current/share/systemd")
SERVICE = "dcor.service"
TIMERS = ("dcor-backup.timer", "dcor-scrub.timer", "dcor-prune.timer", "dcor-certificate.timer", "dcor-reserve.timer")
_TIMEOUT = 10.0  # seconds
_WHY = {
    SERVICE: Message("After the next reboot nobody can work."),
    "dcor-backup.timer": Message("Nothing is backed up."),
    "dcor-scrub.timer": Message("Damaged files are not noticed."),
    "dcor-prune.timer": Message("What has had its time is not removed."),
    "dcor-reserve.timer": Message("The standby machine gets no increments."),
    "dcor-certificate.timer": Message("Nobody is told before the certificate ends."),
}


@check(_NAME, "systemd starts the service and its timers, with the units of this release")
def units(premises: Premises) -> Iterator[Finding]:
    """Enabled, active, and as released; only where the service was installed with systemd."""
    if not SYSTEMD.is_dir() or not RELEASED.is_dir():
        yield Finding(_NAME, Level.OK, Message("the service is not installed under systemd here"))
        return
    found = [*_switched_off(), *_changed()]
    yield from found
    if not found:
        yield Finding(
            _NAME, Level.OK, Message("%(service)s and %(timers)s timers", service=SERVICE, timers=len(TIMERS))
        )


def _switched_off() -> Iterator[Finding]:
    for unit in (SERVICE, *TIMERS):
        enabled, active = _state("is-enabled", unit), _state("is-active", unit)
        if enabled != "enabled":
            yield _finding(unit, Message("%(unit)s does not start at boot (%(enabled)s)", unit=unit, enabled=enabled))
        elif unit != SERVICE and active != "active":
            yield _finding(unit, Message("%(unit)s is inactive (%(active)s)", unit=unit, active=active))


def _finding(unit: str, detail: str) -> Finding:
    return Finding(_NAME, Level.PROBLEM, detail, _WHY[unit], f"sudo systemctl enable --now {unit}")


def _changed() -> Iterator[Finding]:
    for released in sorted(RELEASED.glob("dcor*.*")):
        if released.suffix not in (".service", ".timer"):
            continue
        installed = UNITS / released.name
        try:
            same = installed.read_bytes() == released.read_bytes()
            what = Message("%(unit)s is not the one of this release", unit=installed)
        except OSError as error:
            same, what = (
                False,
                Message("%(unit)s cannot be read (%(reason)s)", unit=installed, reason=system_errors.reason(error)),
            )
        if not same:
            yield Finding(
                _NAME,
                Level.PROBLEM,
                what,
                Message(
                    "The service may lack protection or settings that this release needs. (Your own changes belong "
                    "in `systemctl edit`.)"
                ),
                f"sudo install -m 644 {released} {installed}; sudo systemctl daemon-reload",
            )


def _state(question: str, unit: str) -> str:
    """What systemd says, "unknown" when it cannot be asked."""
    try:
        said = subprocess.run(
            ["systemctl", question, unit], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return said.stdout.strip() or "unknown"
