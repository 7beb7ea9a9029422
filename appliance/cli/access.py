"""`dcor access`: encrypted .dcor-access files, for one user or for a whole list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from appliance.actions import access_files, accounts
from appliance.cli.common import (
    CliState,
    FilePath,
    as_caller,
    emit,
    json_option,
    note,
    pass_state,
    read_password,
    write_private,
)
from appliance.cli.inputs import read_file
from appliance.cli.token import Span
from appliance.model.problem import invalid
from appliance.model.text_files import decoded
from appliance.model.viewer import OPERATOR
from appliance.security.access_file import SUFFIX

_PATH = FilePath()


class SpanOrNever(Span):
    """A length of time, or "never"."""

    name = "time|never"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse; "never" becomes a length of time that counts as none."""
        return timedelta(0) if value == "never" else super().convert(value, param, ctx)


_expires_option = click.option(
    "--expires", type=SpanOrNever(), default="180d", show_default=True, help="Lifetime of the token, or: never."
)
_first_use_option = click.option(
    "--first-use",
    type=SpanOrNever(),
    default="14d",
    show_default=True,
    help="Time within which the token must first be used, or: never.",
)


@click.group("access")
def group() -> None:
    """Encrypted .dcor-access files for DCOR-Aid."""


@group.command("create")
@click.argument("user")
@click.option("--out", type=_PATH, required=True, help="File to write, or a folder.")
@click.option("--password-stdin", is_flag=True, help="Read the passphrase from stdin; otherwise one is generated.")
@_expires_option
@_first_use_option
@click.option("--scope", type=click.Choice(["read", "write", "admin"]), default="write", show_default=True, help="Use.")
@json_option
@pass_state
def create(
    state: CliState,
    user: str,
    out: Path,
    password_stdin: bool,
    expires: timedelta,
    first_use: timedelta,
    scope: str,
    as_json: bool,
) -> None:
    """Create a token for USER and write it with the certificate into an encrypted file for DCOR-Aid's "Health Facility".

    A generated passphrase is shown once on the terminal. Send the file and the passphrase through separate channels.
    """
    with as_caller():
        inside = out.is_dir()
        folder = out if inside else out.absolute().parent
        if not folder.is_dir():
            raise invalid(message=f"There is no folder {folder}.")
        if out.exists() and not inside:
            raise invalid(message=f"{out} exists already.")
    passphrase = read_password(True) if password_stdin else None
    made = access_files.make(
        state.site, OPERATOR, user, passphrase=passphrase, expires=expires or None, first_use=first_use or None, scope=scope
    )  # fmt: skip
    path = out / made.file_name if inside else out
    with _or_revoke(state, [made]):
        write_private(path, made.data, replace=False)
    data = {"file": str(path), "user": user, "token_id": made.token_id}
    if not password_stdin:
        data["passphrase"] = made.passphrase
    emit(data, as_json, lambda _: "")
    note(f"{path} is for {user}. Revoke it with: dcor token revoke {made.token_id}")
    if not password_stdin and not as_json:
        note(f"Passphrase (shown only once; send it through a different channel than the file): {made.passphrase}")
    if path.suffix != SUFFIX:
        note(f"DCOR-Aid looks for files that end with {SUFFIX}.")


@group.command("bulk")
@click.argument("users_csv", type=_PATH)
@click.option(
    "--out", type=_PATH, required=True, help="Folder to create; it will contain one file per user, and the list."
)
@click.option(
    "--recipient", help="Encrypt the list of passphrases to this age public key.  [default: backup.recipient]"
)
@click.option(
    "--password-stdin", is_flag=True, help="Encrypt the list (as a ZIP) with the passphrase on stdin instead."
)
@click.option("--create-users", is_flag=True, help="Create accounts for unknown names; these need an e-mail address.")
@_expires_option
@_first_use_option
@json_option
@pass_state
def bulk(
    state: CliState,
    users_csv: Path,
    out: Path,
    recipient: str | None,
    password_stdin: bool,
    create_users: bool,
    expires: timedelta,
    first_use: timedelta,
    as_json: bool,
) -> None:
    """Create access files for all users in a CSV list (columns: name; for new accounts also email and fullname)."""
    with as_caller():
        text = decoded(read_file(users_csv), users_csv.name)
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise invalid(message=f"{out} exists already and is not empty.")
    passphrase = read_password(True) if password_stdin else None
    recipient = None if password_stdin else recipient or state.settings.backup.recipient or None
    if passphrase is None and recipient is None:
        raise click.UsageError("Specify how to encrypt the list of passphrases: --recipient age1… or --password-stdin.")
    access_files.sealed_list([], recipient=recipient, passphrase=passphrase)  # refuse a bad key before anything is made
    rows = access_files.read_list(text)
    made = access_files.make_all(
        state.site, OPERATOR, rows, create_users=create_users, expires=expires or None, first_use=first_use or None
    )
    name, sealed = access_files.sealed_list(made, recipient=recipient, passphrase=passphrase)
    with _or_revoke(state, made):
        with as_caller():
            out.mkdir(mode=0o700, exist_ok=True)
        for one in made:
            write_private(out / one.file_name, one.data, replace=False)
        write_private(out / name, sealed, replace=False)
    data = {"folder": str(out), "files": [one.file_name for one in made], "list": name}
    emit(data, as_json, lambda _: "\n".join(data["files"]))
    note(f"{len(made)} files in {out}; the passphrases are in {name}, encrypted.")


@contextmanager
def _or_revoke(state: CliState, made: Sequence[access_files.Made]) -> Iterator[None]:
    """When the files cannot be written, their tokens shall not stay behind."""
    try:
        yield
    except OSError:
        for one in made:
            accounts.revoke_token(state.site, OPERATOR, token_id=one.token_id)
        raise
