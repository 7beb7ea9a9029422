"""`dcor backup`: keys, create, list, verify, restore; and `dcor encrypted-database-backup`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from appliance.actions import backup_dumps, backup_trials, backups
from appliance.backup import gpg as backup_gpg
from appliance.backup import zip_archive as backup_zip
from appliance.backup.crypto import parse_recipient
from appliance.cli.backup_options import FILE_PATH, as_caller_for_owner, key_option, key_text, place_option, progress
from appliance.cli.backup_restore import restore
from appliance.cli.bring_back import contents
from appliance.cli.common import (
    CliState,
    as_caller,
    dry_run_option,
    emit,
    json_option,
    note,
    pass_state,
    read_password,
    size,
    table,
)
from appliance.cli.config import remember
from appliance.cli.inputs import read_file
from appliance.model.problem import invalid
from appliance.model.viewer import OPERATOR

_COLUMNS = {"name": "backup", "kind": "kind", "files": "files", "size": "size", "problem": "problem"}
_KINDS = {"full": "complete", "database": "database only"}


@click.group("backup")
def group() -> None:
    """Encrypted backups: keys, create, verify, restore."""


group.add_command(contents)
group.add_command(restore)


@group.command("keys")
@click.option("--out", type=FILE_PATH, help="Write the key sheet to this file instead of stdout.")
@click.option("--recipient", help="Use this public key (age1…); its private key is already kept elsewhere.")
@click.option("--replace", is_flag=True, help="Replace the key in use; earlier backups still need the old one.")
@json_option
@pass_state
def keys(state: CliState, out: Path | None, recipient: str | None, replace: bool, as_json: bool) -> None:
    """Create the key pair for the backups and print the key sheet, once. The server keeps only the public key."""
    present = state.settings.backup.recipient
    if present and not replace:
        raise invalid(message=f"Backups are encrypted to {present} already. --replace creates another key.")
    if out is not None and not recipient:  # before anything is made: a sheet that cannot be written would be lost
        with as_caller():
            out.touch(mode=0o600, exist_ok=False)
    if recipient:
        public, sheet = str(parse_recipient(recipient)), ""
    else:
        made, sheet = backups.make_keys(state.site, OPERATOR)
        public = made.recipient
    if sheet and out is not None:
        with as_caller():
            out.write_text(sheet, encoding="utf-8")
        sheet = ""
    remember(state, "backup.recipient", public)
    emit({"recipient": public, "sheet": sheet or None}, as_json, lambda data: data["sheet"] or "")
    if out is not None and not recipient:
        note(f"The key sheet is in {out}. Print it twice, keep the copies in two places, and delete the file.")
    note(f"Backups are encrypted to {public} from now on. Create one: dcor backup create")


@group.command("create")
@click.option("--database-only", is_flag=True, help="Leave out the files of the depot.")
@click.option(
    "--zip",
    "zip_file",
    type=FILE_PATH,
    help="Write a single ZIP protected by a passphrase (7-Zip can open it) instead.",
)
@click.option("--with-files", is_flag=True, help="With --zip: include the files of the depot.")
@click.option("--password-stdin", is_flag=True, help="With --zip: read the passphrase from stdin.")
@json_option
@pass_state
def create(
    state: CliState, database_only: bool, zip_file: Path | None, with_files: bool, password_stdin: bool, as_json: bool
) -> int:
    """Create a backup while the service runs. Exit code 1 if single files were missing or damaged."""
    if zip_file is not None:
        return _create_zip(state, zip_file, with_files, password_stdin, as_json)
    with progress() as told:
        made = backups.create(state.site, kind="database" if database_only else "full", progress=told)
        tried = backup_trials.trial(state.site, progress=told) if backup_trials.trial_is_due(state.settings) else None
    problems = [*made.problems, *(tried.problems if tried else [])]
    data = {
        "name": made.manifest.name,
        "kind": made.manifest.kind,
        "path": str(made.path),
        "new_files": made.new_files,
        "new_bytes": made.new_bytes,
        "total_files": made.total_files,
        "total_bytes": made.total_bytes,
        "seconds": round(made.seconds, 1),
        "trial": tried.as_dict() if tried else None,
        "problems": problems,
    }
    emit(data, as_json, _created)
    return int(bool(problems))


@group.command("list")
@place_option
@json_option
@pass_state
def list_(state: CliState, place: Path | None, as_json: bool) -> None:
    """List the backups, newest first."""
    own = backups.own_signer(state.settings) if place is None else None
    with as_caller() if place else _nothing():
        rows = backups.listed(place or backups.folder(state.settings), own)
    shown = [row | {"size": size(row["size"]), "kind": _KINDS.get(row["kind"], row["kind"])} for row in rows]
    emit(rows, as_json, lambda _: table(shown, _COLUMNS, empty="No backups yet. Create one: dcor backup create"))


@group.command("verify")
@click.argument("name", required=False)
@place_option
@key_option
@click.option("--password-stdin", is_flag=True, help="For a ZIP: read its passphrase from stdin and open it.")
@json_option
@pass_state
def verify(
    state: CliState, name: str | None, place: Path | None, key: Path | None, password_stdin: bool, as_json: bool
) -> int:
    """Check the newest backup or the one called NAME: every stored byte, and with the key all decrypted content.

    Exit code 1 when something is wrong with it.
    """
    with progress() as told, as_caller() if place else _nothing():
        if place is not None and place.is_file():
            passphrase = read_password(True) if password_stdin else None
            problems = backup_zip.verify(place, passphrase, progress=told)
            data: dict[str, Any] = {"name": place.name, "opened": passphrase is not None, "problems": problems}
        else:
            done = backups.verify(state.settings, name, place=place, key=key_text(key) if key else None, progress=told)
            data = {
                "name": done.name,
                "kind": done.kind,
                "opened": done.opened,
                "files": done.files,
                "bytes": done.size,
            }
            data["problems"] = problems = done.problems
    emit(data, as_json, _verified)
    return int(bool(problems))


@group.command("trial")
@key_option
@json_option
@pass_state
def trial(state: CliState, key: Path | None, as_json: bool) -> int:
    """Test-restore a part (a different one each month), as the timer does automatically. Exit code 1 if it fails."""
    with progress() as told:
        done = backup_trials.trial(state.site, key=key_text(key) if key else None, progress=told)
    emit(done.as_dict(), as_json, lambda data: "\n".join([*data["problems"], f"{data['restored_files']} files restored, "
         f"{data['stored_files']} stored files read: {'good' if data['ok'] else 'problems found'}."]))  # fmt: skip
    return int(not done.ok)


@group.command("prune")
@dry_run_option
@json_option
@pass_state
def prune(state: CliState, dry_run: bool, as_json: bool) -> int:
    """Remove backups that the settings backup.keep_* do not keep. Each `backup create` does this, too."""
    done = backups.prune(state.site, dry_run=dry_run)
    data = {
        "removed": done.removed,
        "files": done.files,
        "bytes": done.size,
        "problems": done.problems,
        "dry_run": dry_run,
    }
    word = "would be removed" if dry_run else "removed"
    emit(
        data,
        as_json,
        lambda _: "\n".join(
            [*done.problems, *done.removed, f"{len(done.removed)} backups and {size(done.size)} {word}."]
        ),
    )
    return int(bool(done.problems))


@click.command("encrypted-database-backup")
@click.option("--key-id", help="GnuPG key id or mail address.  [default: backup.gpg_key]")
@click.option("--import", "key_file", type=FILE_PATH, help="Import this public key first.")
@pass_state
def encrypted_database_backup(state: CliState, key_id: str | None, key_file: Path | None) -> None:
    """Back up the database, as the manual names it: to a GnuPG key, or without one like `dcor backup create`."""
    state.require_root()
    settings = state.settings
    if key_file is not None:
        with as_caller():
            data = read_file(key_file)
        copy = settings.tmp / "import.asc"
        copy.write_bytes(data)
        try:
            backup_gpg.import_key(backup_dumps.gpg_home(settings), copy)
        finally:
            copy.unlink()
    key_id = key_id or settings.backup.gpg_key
    if key_id:
        click.echo(f"Created {backup_dumps.create(state.site, key_id)}")
    elif settings.backup.recipient:
        click.echo(f"Created {backups.create(state.site, kind='database').path}")
    else:
        raise invalid(
            message="There is no key to encrypt to: use --key-id (GnuPG), or set up a key with `dcor backup keys`."
        )


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _create_zip(state: CliState, zip_file: Path, with_files: bool, password_stdin: bool, as_json: bool) -> int:
    passphrase = read_password(password_stdin, "Passphrase of the backup")
    with progress() as told, as_caller_for_owner(state.data_root, spare=("depot", "backups")):
        done = backups.zip_backup(state.site, zip_file.absolute(), passphrase, with_files=with_files, progress=told)
    data = {"path": str(zip_file.absolute()), "files": done.files, "bytes": done.size, "problems": done.problems}
    emit(data, as_json, lambda _: "\n".join([*done.problems, f"{done.files} files, {size(done.size)}: {zip_file}"]))
    return int(bool(done.problems))


def _created(data: dict[str, Any]) -> str:
    lines = [*data["problems"]]
    if data["trial"]:
        lines.append(f"Trial restore of this month: {'good' if data['trial']['ok'] else 'problems found'}.")
    if data["kind"] != "full":
        lines.append(f"{data['path']}: the database only, without files, in {data['seconds']} s")
        return "\n".join(lines)
    lines.append(
        f"{data['path']}: database and {data['total_files']} files ({size(data['total_bytes'])}), "
        f"{data['new_files']} of them new ({size(data['new_bytes'])}), in {data['seconds']} s"
    )
    return "\n".join(lines)


def _verified(data: dict[str, Any]) -> str:
    how = "decrypted with the key and compared" if data["opened"] else "compared with the hashes recorded at the time"
    state = f"{len(data['problems'])} problems" if data["problems"] else "good"
    kind = ", database only" if data.get("kind", "full") != "full" else ""
    return "\n".join([*data["problems"], f"{data['name']}{kind}: {state} ({how})."])
