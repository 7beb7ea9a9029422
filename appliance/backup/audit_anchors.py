"""States of the audit log recorded outside of the database: in the signed backups, and daily in the system's journal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from appliance.backup import manifest as manifests
from appliance.model.audit_anchor import Anchor, LogState
from appliance.model.messages import Message

#: Event of the log line that notes the state of the audit log.
EVENT = "audit.anchor"
UNIT = "dcor.service"
_TIMEOUT = 20.0  # seconds


def of_backups(folder: Path, signer: str) -> list[Anchor]:
    """What the backups in `folder` that `signer` has signed say; those of releases before this one say nothing."""
    found, _problems = manifests.all_of(folder, signer)
    return [
        Anchor(one.audit, Message("The backup %(name)s", name=one.name), one.moment.isoformat())
        for one in found
        if one.audit is not None
    ]


def line(state: LogState, at: str, authenticate: Callable[[str], str]) -> str:
    """The log line that notes `state`; its code says that this server wrote it."""
    return f"{EVENT} entries={state.entries} head={state.head or '-'} at={at} code={authenticate(_covered(state, at))}"


def of_journal(authenticate: Callable[[str], str]) -> list[Anchor] | None:
    """What the journal of the service says, without lines that others wrote; None where it cannot be read.

    It is read with the rights of whoever called the program (root may read it, the service's account may not).
    """
    program = shutil.which("journalctl")
    if program is None:
        return None
    command = [program, "--quiet", "--no-pager", "--output=cat", f"--unit={UNIT}"]
    lent: dict[str, Any] = {} if os.getuid() == os.geteuid() else {"user": os.getuid()}
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False, **lent)
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode != 0 or not done.stdout:
        return None
    return list(of_lines(done.stdout.decode(errors="replace"), authenticate))


def of_lines(text: str, authenticate: Callable[[str], str]) -> Iterator[Anchor]:
    """The notes among the lines of a log, as `logs.JsonFormatter` writes them."""
    for one in text.splitlines():
        if EVENT not in one:
            continue
        try:
            entry = json.loads(one)
            head = entry["head"].strip("-")
            state, at, code = LogState(int(entry["entries"]), head), entry["at"], entry["code"]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if code == authenticate(_covered(state, at)):
            yield Anchor(state, Message("The journal of %(at)s", at=at[:16]), at)


def _covered(state: LogState, at: str) -> str:
    return f"{state} {at}"
