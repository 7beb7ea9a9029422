"""Mail to the administrator: one message, and the digest of new alarms."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path

from appliance.external_settings import Mail
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid
from appliance.security import secrets
from appliance.store import alarms, audit_chain
from appliance.store.database import Database

#: Kind of the alarm that the mail server raises; it is the one that mail cannot tell.
ALARM = Message("mail")
#: File in `secrets/` with the password for the mail server.
PASSWORD = "mail.password"  # noqa: S105 - the name of a file
_TIMEOUT = 30.0  # seconds
_AT_ONCE = 50  # alarms told in one mail


def send(settings: Mail, recipient: str, subject: str, text: str, *, password: str = "") -> None:
    """Hand one message to the mail server. Raises Problem with what it answered.

    With `mail.security` "auto" it is encrypted where the server offers that, to whoever it is; otherwise always, to a server with a
    valid certificate. A password goes to such a server only.
    """
    if not settings.server:
        raise invalid(
            message=Message("No mail server is configured: dcor config set mail.server smtp.hospital.example")
        )
    message = EmailMessage()
    message["From"] = settings.sender or f"dcor@{settings.server.partition(':')[0]}"
    message["To"], message["Subject"] = recipient, subject
    message.set_content(text)
    if settings.user and settings.security == "auto":
        raise invalid(
            message=Message(
                "A password is sent only to a verified mail server: dcor config set mail.security starttls (or tls, for SMTPS)"
            )
        )
    if settings.user and not password:
        raise invalid(
            message=Message(
                "No password is known for %(user)s at %(server)s. Set it: sudo dcor send-mail --login %(user)s",
                user=settings.user,
                server=settings.server,
            )
        )
    try:
        with _connected(settings) as server:
            if settings.user:
                server.login(settings.user, password)
            server.send_message(message)
    except ssl.SSLCertVerificationError as error:
        raise invalid(
            message=Message(
                "The certificate of %(server)s is not trusted here: %(verify_message)s. Name its authority: dcor config set mail.authority FILE.pem",
                server=settings.server,
                verify_message=error.verify_message,
            )
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        raise invalid(
            message=Message(
                "%(server)s rejects the sign-in of %(user)s (%(smtp_code)s). Set its password: sudo dcor send-mail --login %(user)s",
                server=settings.server,
                user=settings.user,
                smtp_code=error.smtp_code,
            )
        ) from error
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise invalid(
            message=Message("%(server)s did not accept the mail: %(error)s", server=settings.server, error=error)
        ) from error


def login_password(folder: Path, settings: Mail) -> str:
    """The password for this account at this mail server in the folder of secrets; "" without one, or when it is another's."""
    return secrets.read_owned(folder / PASSWORD, _account(settings))


def set_login_password(folder: Path, settings: Mail, password: str) -> None:
    """Keep the password for the mail server, readable by the service alone, with the account that it belongs to."""
    secrets.write_owned(folder / PASSWORD, password, _account(settings))


def _account(settings: Mail) -> list[str]:
    """Server and user: whoever changes the server's name in the settings does not get the password of the one before."""
    return [settings.server.partition(":")[0].casefold(), settings.user]


def _connected(settings: Mail) -> smtplib.SMTP:
    """A connection, encrypted as the settings say. Raises OSError, SMTPException, ValueError for a port that is none."""
    host, _, port = settings.server.partition(":")
    context = ssl.create_default_context(cafile=settings.authority or None)
    if settings.security == "tls":
        return smtplib.SMTP_SSL(host, int(port or 465), timeout=_TIMEOUT, context=context)
    server = smtplib.SMTP(host, int(port or (587 if settings.user else 25)), timeout=_TIMEOUT)
    try:
        server.ehlo_or_helo_if_needed()  # only then is known what it offers
        if settings.security == "starttls":
            server.starttls(context=context)
        elif server.has_extn("starttls"):
            server.starttls()
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def digest(db: Database, settings: Mail, hostname: str, *, password: str = "") -> int:
    """Mail the alarms that nobody has had by mail yet, all in one message, each one once. → their number.

    Without a mail server, or while it takes nothing (which becomes an alarm itself), they wait for a later call.
    """
    if not settings.server or not settings.admin:
        return 0
    with db.read() as conn:
        new = [row for row in alarms.unmailed(conn) if row["kind"] != ALARM]
        audit_state = audit_chain.state(conn)
    if not new:
        return 0
    lines = [f"{row['at'][:16].replace('T', ' ')} UTC  {row['kind']}: {row['message']}" for row in new[:_AT_ONCE]]
    if len(new) > _AT_ONCE:
        lines.append(f"… and {len(new) - _AT_ONCE} more: dcor alarm list")
    lines.append("\nResolve them in the web interface (administration), or with: dcor alarm resolve ID")
    if audit_state.entries:
        lines.append(f"\nAudit log (dcor audit verify --anchor compares it with this): {audit_state}")
    try:
        send(
            settings,
            settings.admin,
            f"DCOR {hostname}: {len(new)} new alarm{'s' if len(new) > 1 else ''}",
            "\n".join(lines),
            password=password,
        )
    except Problem as problem:
        with db.write() as tx:
            alarms.raise_(tx, ALARM, "", str(problem))
        return 0
    with db.write() as tx:
        alarms.mailed(tx, [row["id"] for row in new])
        alarms.resolve_for(tx, ALARM, "")
    return len(new)
