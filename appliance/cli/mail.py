"""`dcor send-mail`: does the configured mail server take a message?"""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

import click

from appliance.cli.common import CliState, note, pass_state
from appliance.model.problem import invalid
from appliance.settings import Mail

_TIMEOUT = 30.0  # seconds


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
    text = body.read_text(encoding="utf-8") if body else f"A test by the DCOR appliance {state.settings.site_url}.\n"
    note(f"Sending mail to {to} …")
    send(settings, to, subject, text)
    note("Done!")


def send(settings: Mail, recipient: str, subject: str, text: str) -> None:
    """Hand one message to the mail server. Raises Problem with what it answered."""
    if not settings.server:
        raise invalid(message="No mail server is configured: dcor config set mail.server smtp.hospital.example")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        settings.sender or f"dcor@{settings.server.partition(':')[0]}",
        recipient,
        subject,
    )
    message.set_content(text)
    host, _, port = settings.server.partition(":")
    try:
        with smtplib.SMTP(host, int(port or 25), timeout=_TIMEOUT) as server:
            if server.has_extn("starttls"):
                server.starttls()
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise invalid(message=f"{settings.server} did not take the mail: {error}") from error
