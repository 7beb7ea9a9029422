"""`dcor backup restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from appliance.actions import backup_dumps, backups
from appliance.backup import key_sheet
from appliance.cli import bring_back
from appliance.cli.backup_options import FILE_PATH, as_caller_for_owner, key_option, key_text, progress
from appliance.cli.common import (
    CliState,
    as_caller,
    confirm,
    emit,
    json_option,
    note,
    pass_state,
    read_password,
    size,
    yes_option,
)


@click.command("restore")
@click.option(
    "--from",
    "place",
    type=FILE_PATH,
    help="Folder of the backups, a ZIP, or a database dump.  [default: backup.folder]",
)
@key_option
@click.option("--password-stdin", is_flag=True, help="For a ZIP or a GnuPG key: read the passphrase from stdin.")
@click.option("--backup", "name", help="Name of the backup.  [default: the newest complete one]")
@click.option(
    "--signer", metavar="HEX", help="Signature key of the server that created the backup.  [default: the key file's]"
)
@click.option(
    "--any-signer", is_flag=True, help="Restore a backup whoever signed it; a forged one then goes unnoticed."
)
@click.option("--files", "only_files", is_flag=True, help="Only restore files that the depot has lost.")
@click.option(
    "--replace",
    is_flag=True,
    help="Move existing data aside (into its quarantine), and resume or restart an unfinished restore.",
)
@bring_back.options
@yes_option
@json_option
@pass_state
def restore(
    state: CliState,
    /,
    place: Path | None,
    key: Path | None,
    password_stdin: bool,
    name: str | None,
    signer: str | None,
    any_signer: bool,
    only_files: bool,
    replace: bool,
    system: bool,
    yes: bool,
    as_json: bool,
    **one: str | None,
) -> int:
    """Rebuild the data root (--data) on a bare machine, with the private key from the key sheet.

    An interrupted restore resumes when the command is repeated; with --replace, another backup can
    be used instead. Until it is finished, the service does not start. A backup of the database only is used if
    --backup names it. Exit code 1 if single files could not be restored.

    From a dump by `dcor encrypted-database-backup` (.gpg, or already decrypted), the database is
    restored; settings, certificate and files stay as they are. --key then names the exported private GnuPG key;
    without it, the caller's keyring is used.

    A single item (--dataset, --file, --user, --circle, --collection) is restored while the service
    runs, from the newest backup that contains it, or from --backup NAME; `dcor backup contents` lists what a
    backup contains.
    """
    wanted = bring_back.chosen(one, files=only_files, system=system, replace=replace)
    place = place or backups.folder(state.settings)
    if wanted is not None:
        where = bring_back.place_of(place, key_text(key), name, signer, any_signer)
        with progress() as told:
            return bring_back.restore_one(state, where, *wanted, as_json, told)
    with as_caller():
        zipped = place.is_file()
        dumped = zipped and backup_dumps.is_dump(place)
    if dumped:
        return _restore_dump(state, place, key, read_password(True) if password_stdin else None, replace, yes, as_json)
    secret = read_password(True) if zipped and password_stdin else "" if zipped else key_text(key)
    if zipped and not secret:
        secret = str(click.prompt("Passphrase", hide_input=True, err=True))
    chosen: dict[str, Any] = {"name": name, "signer": signer, "any_signer": any_signer}
    if not zipped and not only_files and not any_signer:
        key_sheet.require_signer(secret, signer)
    if replace and not only_files:
        confirm(f"Move the contents of {state.data_root} aside and restore {place}?", yes)
    with progress() as told, as_caller_for_owner(state.data_root):
        if only_files:
            done: Any = backups.restore_files(state.site, place, secret, **chosen, progress=told)
        elif zipped:
            done = backups.restore_zip(state.data_root, place, secret, replace=replace, progress=told)
        else:
            done = backups.restore(state.data_root, place, secret, **chosen, replace=replace, progress=told)
    data = {"backup": name or place.name, "files": done.files, "bytes": done.size, "problems": done.problems}
    data["notes"] = done.notes
    if not zipped:
        data |= {
            "backup": done.manifest.name,
            "kind": done.manifest.kind,
            "hostname": done.manifest.hostname,
        }
    for line in done.notes:
        note(line)
    emit(data, as_json, _restored)
    if not only_files:
        note("Next: sudo systemctl start dcor; dcor inspect")
    return int(bool(done.problems))


def _restore_dump(
    state: CliState, dump: Path, key: Path | None, passphrase: str | None, replace: bool, yes: bool, as_json: bool
) -> int:
    if replace:
        confirm(f"Move the database in {state.data_root} aside and restore {dump}?", yes)
    with as_caller_for_owner(state.data_root, spare=("depot", "backups")):
        done = backup_dumps.restore(state.data_root, dump, key=key, passphrase=passphrase, replace=replace)
    data = {"backup": dump.name, "files": done.files, "bytes": done.size, "problems": done.problems}
    emit(
        data,
        as_json,
        lambda _: "\n".join([*done.problems, f"Restored the database from {dump.name}; it knows {done.files} files."]),
    )
    note("Next: sudo systemctl start dcor; dcor inspect")
    return int(bool(done.problems))


def _restored(data: dict[str, Any]) -> str:
    return "\n".join(
        [*data["problems"], f"Restored from {data['backup']}: {data['files']} files, {size(data['bytes'])}."]
    )
