"""`dcor send-mail`: does the configured mail server take a message?"""

from __future__ import annotations

from pathlib import Path

import click

from appliance.actions import mailing
from appliance.cli.common import CliState, FilePath, note, pass_state, read_password
from appliance.cli.config import remember
from appliance.cli.inputs import read_file
from appliance.model.text_files import decoded


@click.command("send-mail")
@click.option("--recipient", help="Address.  [default: mail.admin]")
@click.option("--subject", default="DCOR Email", show_default=True, help="Subject.")
@click.option(
    "--file_body",
    "--file-body",
    "body",
    type=FilePath(exists=True, dir_okay=False),
    help="File with the text.",
)
@click.option("--login", metavar="USER", help="Set the account at the mail server first; its password is asked for.")
@click.option("--password-stdin", is_flag=True, help="With --login: read the password from stdin.")
@pass_state
def command(
    state: CliState,
    recipient: str | None,
    subject: str,
    body: Path | None,
    login: str | None,
    password_stdin: bool,
) -> None:
    """Send a test mail with the configured mail server."""
    if login is not None:
        state.require_root()
        password = read_password(password_stdin, "Password at the mail server")
        remember(state, "mail.user", login)
        state = CliState(state.data_root)
        mailing.set_login_password(state.settings.secrets, state.settings.mail, password)
    settings = state.settings.mail
    to = recipient or settings.admin
    if not to:
        raise click.UsageError("Name a --recipient, or set mail.admin.")
    text = (
        decoded(read_file(body), body.name)
        if body
        else f"A test message from the DCOR appliance {state.settings.site_url}.\n"
    )
    note(f"Sending mail to {to} …")
    mailing.send(settings, to, subject, text, password=mailing.login_password(state.settings.secrets, settings))
    note("Done!")
