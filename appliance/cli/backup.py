"""`dcor backup`: keys, create, list, verify, restore; and `dcor encrypted-database-backup`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from appliance.actions import backup_dumps, backups
from appliance.backup import claims, key_sheet
from appliance.backup import gpg as backup_gpg
from appliance.backup import zip_archive as backup_zip
from appliance.backup.create import Progress
from appliance.backup.crypto import parse_recipient
from appliance.cli import bring_back
from appliance.cli.common import (
    CliState,
    as_caller,
    confirm,
    dry_run_option,
    emit,
    json_option,
    note,
    pass_state,
    read_password,
    size,
    table,
    yes_option,
)
from appliance.cli.config import remember
from appliance.model.problem import invalid
from appliance.model.viewer import OPERATOR

_COLUMNS = {"name": "backup", "kind": "kind", "files": "files", "size": "size", "problem": "problem"}
_KINDS = {"full": "complete", "database": "database only"}
_PATH = click.Path(path_type=Path)
_place_option = click.option("--from", "place", type=_PATH, help="Folder of the backups.  [default: backup.folder]")
_key_option = click.option("--key", type=_PATH, help="File with the private key or the key sheet; - reads stdin.")


@click.group("backup")
def group() -> None:
    """Encrypted backups: keys, create, verify, restore."""


@group.command("keys")
@click.option("--out", type=_PATH, help="Write the key sheet to this file instead of stdout.")
@click.option("--recipient", help="Use this public key (age1…), whose private key is kept elsewhere already.")
@click.option("--replace", is_flag=True, help="Replace the key in use; earlier backups still need the old one.")
@json_option
@pass_state
def keys(state: CliState, out: Path | None, recipient: str | None, replace: bool, as_json: bool) -> None:
    """Make the key pair of the backups and print the key sheet, once. The server keeps the public half only."""
    present = state.settings.backup.recipient
    if present and not replace:
        raise invalid(message=f"Backups are encrypted to {present} already. --replace makes another key.")
    if recipient:
        public, sheet = str(parse_recipient(recipient)), ""
    else:
        made, sheet = backups.make_keys(state.site, OPERATOR)
        public = made.recipient
    if sheet and out is not None:
        with as_caller():
            out.touch(mode=0o600, exist_ok=False)
            out.write_text(sheet, encoding="utf-8")
        sheet = ""
    remember(state, "backup.recipient", public)
    emit({"recipient": public, "sheet": sheet or None}, as_json, lambda data: data["sheet"] or "")
    if out is not None and not recipient:
        note(f"The key sheet is in {out}. Print it twice, keep it in two places, and remove the file.")
    note(f"Backups are encrypted to {public} from now on. Make one: dcor backup create")


@group.command("create")
@click.option("--database-only", is_flag=True, help="Leave the depot's files out.")
@click.option("--zip", "zip_file", type=_PATH, help="Write one ZIP that opens with a passphrase (7-Zip can) instead.")
@click.option("--with-files", is_flag=True, help="With --zip: put the depot's files in, too.")
@click.option("--password-stdin", is_flag=True, help="With --zip: read the passphrase from stdin.")
@json_option
@pass_state
def create(
    state: CliState, database_only: bool, zip_file: Path | None, with_files: bool, password_stdin: bool, as_json: bool
) -> int:
    """Make a backup while the service runs. Exit code 1 when single files were missing or damaged."""
    if zip_file is not None:
        return _create_zip(state, zip_file, with_files, password_stdin, as_json)
    with progress() as told:
        made = backups.create(state.site, kind="database" if database_only else "full", progress=told)
        tried = backups.trial(state.site, progress=told) if backups.trial_is_due(state.settings) else None
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
@_place_option
@json_option
@pass_state
def list_(state: CliState, place: Path | None, as_json: bool) -> None:
    """List the backups, newest first."""
    own = backups.own_signer(state.settings) if place is None else None
    with as_caller() if place else _nothing():
        rows = backups.listed(place or backups.folder(state.settings), own)
    shown = [row | {"size": size(row["size"]), "kind": _KINDS.get(row["kind"], row["kind"])} for row in rows]
    emit(rows, as_json, lambda _: table(shown, _COLUMNS, empty="No backups yet. Make one: dcor backup create"))


@group.command("contents")
@click.argument("name", required=False)
@_place_option
@_key_option
@click.option(
    "--only", "kinds", multiple=True, type=click.Choice(["datasets", "files", "users", "circles", "collections"]),
    help="Only this kind of things; may be given more than once.",
)  # fmt: skip
@json_option
@pass_state
def contents(
    state: CliState, name: str | None, place: Path | None, key: Path | None, kinds: tuple[str, ...], as_json: bool
) -> None:
    """List what the newest backup, or the one called NAME, holds: datasets, files, users, circles, collections."""
    where = bring_back.place_of(place or backups.folder(state.settings), _key_text(key), name)
    bring_back.show_contents(state, where, kinds, as_json)


@group.command("verify")
@click.argument("name", required=False)
@_place_option
@_key_option
@click.option("--password-stdin", is_flag=True, help="For a ZIP: read its passphrase from stdin and open it.")
@json_option
@pass_state
def verify(
    state: CliState, name: str | None, place: Path | None, key: Path | None, password_stdin: bool, as_json: bool
) -> int:
    """Check the newest backup or the one called NAME: every stored byte, and with the key every content.

    Exit code 1 when something is wrong with it.
    """
    with progress() as told, as_caller() if place else _nothing():
        if place is not None and place.is_file():
            passphrase = read_password(True) if password_stdin else None
            problems = backup_zip.verify(place, passphrase, progress=told)
            data: dict[str, Any] = {"name": place.name, "opened": passphrase is not None, "problems": problems}
        else:
            done = backups.verify(state.settings, name, place=place, key=_key_text(key) if key else None, progress=told)
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


@group.command("restore")
@click.option(
    "--from", "place", type=_PATH, help="Folder of the backups, a ZIP, or a database dump.  [default: backup.folder]"
)
@_key_option
@click.option("--password-stdin", is_flag=True, help="For a ZIP or a GnuPG key: read the passphrase from stdin.")
@click.option("--backup", "name", help="Name of the backup.  [default: the newest complete one]")
@click.option(
    "--signer", metavar="HEX", help="Signature key of the server that made the backup.  [default: the key file's]"
)
@click.option("--any-signer", is_flag=True, help="Restore a backup whoever made it; a forged one cannot be told then.")
@click.option("--files", "only_files", is_flag=True, help="Only put back files that the depot has lost.")
@click.option(
    "--replace",
    is_flag=True,
    help="Move what is there aside (into its quarantine), and go on with or start over an unfinished restore.",
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

    An interrupted restore goes on when the command is repeated; with --replace, another backup may be taken instead. Until it is
    finished, the service does not start. A backup of the database only is taken when --backup names it. Exit code 1 when single files could not be restored.

    Of a dump by `dcor encrypted-database-backup` (.gpg, or decrypted already) the database comes back; settings,
    certificate and files stay as they are. --key then names the exported private GnuPG key; without it, the caller's keyring is asked.

    One thing (--dataset, --file, --user, --circle, --collection) comes back while the service runs, from the newest backup that has it,
    or from --backup NAME; `dcor backup contents` lists what a backup holds.
    """
    wanted = bring_back.chosen(one, files=only_files, system=system, replace=replace)
    place = place or backups.folder(state.settings)
    if wanted is not None:
        where = bring_back.place_of(place, _key_text(key), name, signer, any_signer)
        with progress() as told:
            return bring_back.restore_one(state, where, *wanted, as_json, told)
    with as_caller():
        zipped = place.is_file()
        dumped = zipped and backup_dumps.is_dump(place)
    if dumped:
        return _restore_dump(state, place, key, read_password(True) if password_stdin else None, replace, yes, as_json)
    secret = read_password(True) if zipped and password_stdin else "" if zipped else _key_text(key)
    if zipped and not secret:
        secret = str(click.prompt("Passphrase", hide_input=True, err=True))
    chosen: dict[str, Any] = {"name": name, "signer": signer, "any_signer": any_signer}
    if not zipped and not only_files and not any_signer:
        key_sheet.require_signer(secret, signer)
    if replace and not only_files:
        confirm(f"Move what is in {state.data_root} aside and restore {place}?", yes)
    with progress() as told, _as_caller_for_owner(state.data_root):
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


@group.command("trial")
@_key_option
@json_option
@pass_state
def trial(state: CliState, key: Path | None, as_json: bool) -> int:
    """Restore a part for trial (each month another one), as the timer does by itself. Exit code 1 when it fails."""
    with progress() as told:
        done = backups.trial(state.site, key=_key_text(key) if key else None, progress=told)
    emit(done.as_dict(), as_json, lambda data: "\n".join([*data["problems"], f"{data['restored_files']} files restored, "
         f"{data['stored_files']} stored files read: {'good' if data['ok'] else 'problems found'}."]))  # fmt: skip
    return int(not done.ok)


@group.command("prune")
@dry_run_option
@json_option
@pass_state
def prune(state: CliState, dry_run: bool, as_json: bool) -> int:
    """Remove backups that the settings backup.keep_* do not keep. Each `backup create` does so, too."""
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
@click.option("--import", "key_file", type=_PATH, help="First import this public key.")
@pass_state
def encrypted_database_backup(state: CliState, key_id: str | None, key_file: Path | None) -> None:
    """Back up the database, as the manual names it: to a GnuPG key, or without one like `dcor backup create`."""
    state.require_root()
    settings = state.settings
    if key_file is not None:
        with as_caller():
            data = key_file.read_bytes()
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
            message="There is no key to encrypt to: give --key-id (GnuPG), or set up a key with `dcor backup keys`."
        )


@contextmanager
def progress() -> Iterator[Progress]:
    """Show how far it is, on one line of a terminal; say nothing in a pipe."""
    last = 0.0

    def told(done: int, total: int, what: str) -> None:
        """Write over the line of before, five times a second at most; sizes in bytes."""
        nonlocal last
        if time.monotonic() - last > 0.2:
            last = time.monotonic()
            share = min(100, 100 * done // max(total, 1))
            text = f"{share:3d} %  {size(done)} of {size(total)}  {what[-40:]}"
            click.echo(f"\r{text:<79}", err=True, nl=False)

    def silent(done: int, total: int, what: str) -> None:
        """For a pipe."""

    shown = sys.stderr.isatty()
    try:
        yield told if shown else silent
    finally:
        if shown and last:
            click.echo("\r" + " " * 79 + "\r", err=True, nl=False)


@contextmanager
def _as_caller_for_owner(root: Path, spare: tuple[str, ...] = ()) -> Iterator[None]:
    """Inside, root uses whatever disk the backups are on; what is written into `root` then goes to its owner.

    The folders `spare` are known to have got nothing.
    """
    was_there = root.is_dir()
    with as_caller():
        try:
            yield
        finally:
            if was_there:
                claims.give_to_owner(root, spare)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _key_text(key: Path | None) -> str:
    if key is None:
        if sys.stdin.isatty():
            return str(click.prompt("Private key (AGE-SECRET-KEY-1…)", hide_input=True, err=True))
        raise click.UsageError("Name the file with the private key: --key FILE (- reads stdin).")
    if str(key) == "-":
        return sys.stdin.read()
    with as_caller():
        return key.read_text(encoding="utf-8", errors="replace")


def _create_zip(state: CliState, zip_file: Path, with_files: bool, password_stdin: bool, as_json: bool) -> int:
    passphrase = read_password(password_stdin, "Passphrase of the backup")
    with progress() as told, _as_caller_for_owner(state.data_root, spare=("depot", "backups")):
        done = backups.zip_backup(state.site, zip_file.absolute(), passphrase, with_files=with_files, progress=told)
    data = {"path": str(zip_file.absolute()), "files": done.files, "bytes": done.size, "problems": done.problems}
    emit(data, as_json, lambda _: "\n".join([*done.problems, f"{done.files} files, {size(done.size)}: {zip_file}"]))
    return int(bool(done.problems))


def _restore_dump(
    state: CliState, dump: Path, key: Path | None, passphrase: str | None, replace: bool, yes: bool, as_json: bool
) -> int:
    if replace:
        confirm(f"Move the database in {state.data_root} aside and restore {dump}?", yes)
    with _as_caller_for_owner(state.data_root, spare=("depot", "backups")):
        done = backup_dumps.restore(state.data_root, dump, key=key, passphrase=passphrase, replace=replace)
    data = {"backup": dump.name, "files": done.files, "bytes": done.size, "problems": done.problems}
    emit(
        data,
        as_json,
        lambda _: "\n".join([*done.problems, f"Restored the database from {dump.name}; it knows {done.files} files."]),
    )
    note("Next: sudo systemctl start dcor; dcor inspect")
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
    how = "opened with the key and compared" if data["opened"] else "compared with the hashes written at the time"
    state = f"{len(data['problems'])} problems" if data["problems"] else "good"
    kind = ", database only" if data.get("kind", "full") != "full" else ""
    return "\n".join([*data["problems"], f"{data['name']}{kind}: {state} ({how})."])


def _restored(data: dict[str, Any]) -> str:
    return "\n".join(
        [*data["problems"], f"Restored from {data['backup']}: {data['files']} files, {size(data['bytes'])}."]
    )
