"""Mail to the administrator: one message, and the digest of new alarms."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

from appliance.model.problem import Problem, invalid
from appliance.settings import Mail
from appliance.store import alarms, audit_chain
from appliance.store.database import Database

#: Kind of the alarm that the mail server raises; it is the one that mail cannot tell.
ALARM = "mail"
_TIMEOUT = 30.0  # seconds
_AT_ONCE = 50  # alarms told in one mail


def send(settings: Mail, recipient: str, subject: str, text: str) -> None:
    """Hand one message to the mail server, encrypted where it offers that. Raises Problem with what it answered.

    Its certificate is not looked at: mail is a postcard, and no server of a clinic's own has a public one.
    """
    if not settings.server:
        raise invalid(message="No mail server is configured: dcor config set mail.server smtp.hospital.example")
    message = EmailMessage()
    message["From"] = settings.sender or f"dcor@{settings.server.partition(':')[0]}"
    message["To"], message["Subject"] = recipient, subject
    message.set_content(text)
    host, _, port = settings.server.partition(":")
    try:
        with smtplib.SMTP(host, int(port or 25), timeout=_TIMEOUT) as server:
            server.ehlo_or_helo_if_needed()  # only then is known what it offers
            if server.has_extn("starttls"):
                server.starttls()
            server.send_message(message)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise invalid(message=f"{settings.server} did not take the mail: {error}") from error


def digest(db: Database, settings: Mail, hostname: str) -> int:
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
    lines.append("\nSettle them in the web interface (administration), or with: dcor alarm resolve ID")
    if audit_state.entries:
        lines.append(f"\nAudit log (dcor audit verify --anchor compares it with this): {audit_state}")
    try:
        send(
            settings,
            settings.admin,
            f"DCOR {hostname}: {len(new)} new alarm{'s' if len(new) > 1 else ''}",
            "\n".join(lines),
        )
    except Problem as problem:
        with db.write() as tx:
            alarms.raise_(tx, ALARM, "", str(problem))
        return 0
    with db.write() as tx:
        alarms.mailed(tx, [row["id"] for row in new])
        alarms.resolve_for(tx, ALARM, "")
    return len(new)
