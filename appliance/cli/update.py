"""`dcor update` and `dcor rollback`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from appliance.cli.common import (
    CliState,
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

_prefix = click.option(
    "--prefix",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/opt/dcor"),
    show_default=True,
    envvar="DCOR_PREFIX",
    help="Where releases are installed.",
)


@click.command("update")
@click.option(
    "--bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Offline bundle to install first."
)
@click.option(
    "--to",
    "version",
    metavar="VERSION",
    help="An installed release to switch to.  [default: the bundle's, or the newest installed]",
)
@click.option("--older", is_flag=True, help="Take a release that is older than the one in use.")
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
    data are as before within a minute. Needs root.
    """
    from appliance.cli.releases import Releases, change, require_newer

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
    if bundle is not None:
        note(f"Checking and installing {bundle.name} …")
        version = releases.install_bundle(bundle.absolute(), older=older)
    target = version or (releases.installed() or [source])[-1]
    if target == source:
        emit({"current": source, "changed": False}, as_json, lambda _: f"Release {source} is in use already.")
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

    If the newer release changed the database's form, the copy made before the update is put back: what was entered since then
    is lost (files stay in the depot), so the question says so. Needs root.
    """
    from appliance.actions import rollback_copies
    from appliance.cli.releases import Releases, stopped_service
    from appliance.store import inspection

    releases = Releases(prefix)
    history = releases.history()
    if not history:
        raise invalid(message="There was no update that could be taken back.")
    releases.require_writable()
    last = history[-1]
    settings = state.settings
    copy = rollback_copies.find(settings, last.snapshot)
    with state.db.read() as conn:
        present = inspection.schema_version(conn)
    before = _schema_of(copy) if copy.exists() else present
    question = f"Go back from release {last.target} to {last.source}?"
    if present != before:
        question += " The database as it was before the update is put back; what was entered since then is lost."
    confirm(question, yes)
    state.db.close()
    with stopped_service(settings):
        if present != before:
            rollback_copies.take(settings, f"rollback-from-{last.target}")
            rollback_copies.put_back(settings, copy)
        releases.switch(last.source)
    releases.remember(history[:-1])
    emit({"current": last.source, "previous": last.target}, as_json, lambda _: f"Release {last.source} is in use.")


def _schema_of(path: Path) -> int:
    from appliance.store import inspection
    from appliance.store.database import Database

    copy = Database(path)
    try:
        with copy.read() as conn:
            return inspection.schema_version(conn)
    finally:
        copy.close()
