"""`dcor send-mail`: does the configured mail server take a message?"""

from __future__ import annotations

from pathlib import Path

import click

from appliance.actions import mailing
from appliance.cli.common import CliState, note, pass_state
from appliance.model.text_files import decoded


@click.command("send-mail")
@click.option("--recipient", help="Address.  [default: mail.admin]")
@click.option("--subject", default="DCOR Email", show_default=True, help="Subject.")
@click.option(
    "--file_body",
    "--file-body",
    "body",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the text.",
)
@pass_state
def command(state: CliState, recipient: str | None, subject: str, body: Path | None) -> None:
    """Send a test mail with the configured mail server."""
    settings = state.settings.mail
    to = recipient or settings.admin
    if not to:
        raise click.UsageError("Name a --recipient, or set mail.admin.")
    text = (
        decoded(body.read_bytes(), body.name) if body else f"A test by the DCOR appliance {state.settings.site_url}.\n"
    )
    note(f"Sending mail to {to} …")
    mailing.send(settings, to, subject, text)
    note("Done!")
