"""`dcor update` and `dcor rollback`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance import root_marker
from appliance.cli.common import (
    CliState,
    FilePath,
    as_caller,
    confirm,
    dry_run_option,
    emit,
    json_option,
    note,
    pass_state,
    yes_option,
)
from appliance.model.problem import invalid

if TYPE_CHECKING:
    from appliance.cli.releases import Releases

_prefix = click.option(
    "--prefix",
    type=FilePath(file_okay=False),
    default=Path("/opt/dcor"),
    show_default=True,
    envvar="DCOR_PREFIX",
    help="Where releases are installed.",
)


@click.command("update")
@click.option("--bundle", type=FilePath(exists=True, dir_okay=False), help="Offline bundle to install first.")
@click.option(
    "--to",
    "version",
    metavar="VERSION",
    help="An installed release to switch to.  [default: the bundle's, or the newest installed]",
)
@click.option("--older", is_flag=True, help="Allow a release that is older than the one in use.")
@click.option("--no-backup", is_flag=True, help="Skip the encrypted backup; the database is copied in any case.")
@_prefix
@yes_option
@dry_run_option
@json_option
@pass_state
def command(
    state: CliState,
    bundle: Path | None,
    version: str | None,
    older: bool,
    no_backup: bool,
    prefix: Path,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Install a newer release beside this one and switch when it is healthy.

    Backup, installation, copy of the database, migration, health gate, switch. When the gate fails, the release and the
    data are as before within a minute. An interrupted update is finished or undone by this command, by `dcor rollback`,
    or by the next start of the service. Two old releases are kept. Needs root.
    """
    from appliance.cli.releases import Releases, change, require_newer, settle

    releases = Releases(prefix)
    source = releases.current
    settings = state.settings
    if dry_run:
        emit(
            {"current": source, "installed": releases.installed()},
            as_json,
            lambda data: f"In use: {source}; installed: {', '.join(data['installed'])}",
        )
        return
    releases.require_writable()
    state.require_root()
    if settle(releases, settings, note):
        emit({"current": releases.current, "changed": True}, as_json, _settled)
        return
    if bundle is not None:
        note(f"Checking and installing {bundle.name} …")
        version = releases.install_bundle(bundle.absolute(), older=older)
    target = version or (releases.installed() or [source])[-1]
    if target == source:
        emit({"current": source, "changed": False}, as_json, lambda _: f"Release {source} is already in use.")
        return
    if target not in releases.installed():
        raise invalid(message=f"Release {target} is not installed. Installed: {', '.join(releases.installed())}.")
    if not older:
        require_newer(target, source)
    confirm(f"Switch from release {source} to {target}? The service stops for about half a minute.", yes)
    if settings.backup.recipient and not no_backup:
        note("Backing up …")
        with as_caller():
            subprocess.run(
                releases.command(source, "--data", str(settings.data), "backup", "create"),
                check=True,
                stdout=subprocess.DEVNULL,
            )
    change(releases, target, settings, note)
    gone = releases.clean()
    if gone:
        note(f"Removed old releases: {', '.join(gone)}")
    _note_outside(state, releases)
    emit(
        {"current": target, "previous": source, "changed": True},
        as_json,
        lambda _: f"Release {target} is in use. Back to {source} with: dcor rollback",
    )


@click.command("rollback")
@_prefix
@yes_option
@json_option
@pass_state
def rollback(state: CliState, prefix: Path, yes: bool, as_json: bool) -> None:
    """Go back to the release before the last update.

    If the newer release changed the database schema, the copy made before the update is put back:
    anything entered since then is lost (files stay in the depot), and the command says so before it asks. Needs
    root.
    """
    from appliance.actions import release_journal, rollback_copies
    from appliance.cli.releases import Releases, go_back, settle

    releases = Releases(prefix)
    settings = state.settings
    if not releases.history() and release_journal.read(settings) is None:
        raise invalid(message="There is no update to undo.")
    releases.require_writable()
    state.require_root()
    before = releases.current
    if settle(releases, settings, note) or not releases.history():
        emit({"current": releases.current, "changed": releases.current != before}, as_json, _settled)
        return
    last = releases.history()[-1]
    copy = rollback_copies.find(settings, last.snapshot)
    if not copy.exists():
        raise invalid(
            message=f"The copy of the database from before the update to {last.target} is gone ({copy}), so release {last.source} cannot use the data. Restore a backup that it made."
        )
    question = f"Go back from release {last.target} to {last.source}?"
    if release_journal.schema_of(settings.database) != release_journal.schema_of(copy):
        question += " The database from before the update is put back; anything entered since then is lost."
    confirm(question, yes)
    go_back(releases, last, settings, note)
    emit({"current": last.source, "previous": last.target}, as_json, lambda _: f"Release {last.source} is in use.")


def _settled(data: dict[str, Any]) -> str:
    return f"Release {data['current']} is in use. Repeat the command to go back one more."


def _note_outside(state: CliState, releases: Releases) -> None:
    """A data root of 0.1 is not noted in /etc/dcor yet."""
    from appliance.cli.releases import PREFIX

    if releases.prefix == PREFIX and root_marker.read(state.data_root) is not None:
        root_marker.record(state.data_root)
