"""The units of a release where systemd looks for them: replaced when another release is taken into use."""

from __future__ import annotations

import subprocess
from pathlib import Path

from appliance import durable
from appliance.health import units

_FOLDERS = {"": "*.service", ".": "*.timer", "dcor-.service.d": "*.conf"}


def install(release: Path) -> list[str]:
    """Put the units of the release in this folder into place, and switch on timers that are new; → names that changed.

    No-op where the service was not installed with systemd, or for a release that brings none. `daemon-reload` is the caller's.
    """
    brought = release / "share" / "systemd"
    if not (units.UNITS / units.SERVICE).exists() or not (brought / units.SERVICE).is_file():
        return []
    changed = []
    for folder, pattern in _FOLDERS.items():
        for source in sorted((brought / folder).glob(pattern)):
            name = source.relative_to(brought)
            target = units.UNITS / name
            content = source.read_bytes()
            if target.is_file() and target.read_bytes() == content:
                continue
            new = not target.exists()
            target.parent.mkdir(exist_ok=True)
            durable.write(target, content, 0o644)
            changed.append(str(name))
            if new and target.suffix == ".timer":
                subprocess.run(["systemctl", "daemon-reload"], check=False)
                subprocess.run(["systemctl", "enable", "--now", target.name], check=False)
    return changed
