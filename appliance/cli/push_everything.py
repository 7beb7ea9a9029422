"""`dcor push --everything`: the whole server moves to another one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from appliance import file_locks
from appliance.cli.common import CliState, size
from appliance.cli.pull import line, printed, shortened
from appliance.model.problem import Problem
from appliance.model.viewer import OPERATOR
from appliance.peer import move
from appliance.peer.client import Client
from appliance.peer.progress import Progress

QUESTION = "Everything on this server, private and patient data included, is copied to {url}. Go on?"
_LOCK = "push.lock"


@contextmanager
def alone(state: CliState) -> Iterator[None]:
    """While this lasts, no other `dcor push` sends. Raises Problem 409 when one does already."""
    with file_locks.held(state.settings.tmp / _LOCK) as free:
        if not free:
            raise Problem(
                409, "Validation Error", message="Another `dcor push` is already running; wait for it to finish."
            )
        yield


def everything(state: CliState, client: Client) -> dict[str, Any]:
    """Send all that is not there yet; the report. Raises Problem."""
    terminal = sys.stderr.isatty()
    with alone(state):
        found = move.move(state.site, OPERATOR, client, Progress(line if terminal else None)).as_dict()
    if terminal:
        click.echo("\r\x1b[K", nl=False, err=True)
    return found


def report_text(data: dict[str, Any]) -> str:
    """What was sent, and what could not go."""
    lines = [f"To {data['target']}:"]
    lines += [f"  {kind}: {len(data['made'][kind])} new, {data['present'][kind]} there before" for kind in move.KINDS]
    lines.append(f"  files: {data['files']} ({size(data['sent'])} sent now)")
    if data["new_ids"]:
        lines.append(f"  files with another id there: {len(data['new_ids'])}")
    if data["left_out"]:
        counted = Counter(one["kind"] for one in data["left_out"])
        lines += ["", f"Left out ({', '.join(f'{count} {kind}' for kind, count in counted.items())}):"]
        lines += shortened([f"  {one['kind']} {one['name']}: {one['reason']}" for one in data["left_out"]])
    if data["notes"]:
        lines += ["", "To note:", *shortened([f"  {one}" for one in data["notes"]])]
    return printed(lines)
