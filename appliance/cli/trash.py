"""`dcor trash`: what was deleted and can be brought back."""

from __future__ import annotations

from typing import Any

import click

from appliance.actions import trash
from appliance.cli.common import CliState, note, pass_state, prints, table
from appliance.model.viewer import OPERATOR

_COLUMNS = {"kind": "kind", "name": "name", "of": "of", "since": "since", "id": "id"}


@click.group("trash")
def group() -> None:
    """Deleted items that can be restored: list, restore."""


@group.command("list")
@prints(lambda rows: table([row | {"since": row["since"][:16]} for row in rows], _COLUMNS, empty="The trash is empty."))
def list_(state: CliState) -> list[dict[str, Any]]:
    """List deleted datasets, files, users, circles and collections, latest first."""
    return trash.listed(state.site, OPERATOR)


@group.command("restore")
@click.argument("kind", type=click.Choice(trash.KINDS))
@click.argument("ref")
@pass_state
def restore(state: CliState, kind: str, ref: str) -> None:
    """Restore one item as it was, by name or ID. For items no longer in the trash: `dcor backup restore`."""
    for line in trash.restore(state.site, OPERATOR, kind, ref):
        note(line)
    note(f"Restored {kind} {ref}.")
