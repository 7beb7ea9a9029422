"""Settings of the servers of others that this one talks to: mail, syslog, virus scanner."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.model.setting_values import option as _option


@dataclass(frozen=True, slots=True)
class Mail:
    """Mail to the administrator; nothing is sent without a server."""

    server: str = _option("", "SMTP host[:port]; empty = no mail", live=True, form="server")
    sender: str = _option("", "From address", live=True, form="mail")
    admin: str = _option("", "E-mail address for alarms", live=True, form="mail")
    security: str = _option(
        "auto",
        "auto: encrypted if the server offers it, without checking its certificate; starttls, tls (SMTPS): always "
        "encrypted, with a valid certificate only",
        choices=("auto", "starttls", "tls"),
    )
    authority: str = _option(
        "", "PEM file of the authority that signed the mail server's certificate; empty = the system's authorities"
    )
    user: str = _option("", "Account at the mail server; `dcor send-mail --login` sets its password; empty = none")


@dataclass(frozen=True, slots=True)
class Syslog:
    """Entries of the audit log for a syslog server or SIEM; nothing is sent without a server."""

    server: str = _option(
        "", "tls://host:port, tcp:// or udp://, for entries as RFC 5424 with JSON; empty = none", form="server"
    )
    authority: str = _option(
        "", "PEM file of the authority that signed its certificate; empty = the system's authorities"
    )


@dataclass(frozen=True, slots=True)
class Clamav:
    """Uploads through ClamAV; what is infected goes to quarantine/."""

    socket: str = _option(
        "", "Socket of clamd, such as /run/clamav/clamd.ctl, or host:port; empty = no scanning", form="server"
    )
    hold: bool = _option(True, "Files not scanned yet can be opened by their uploader only", live=True)
    too_large: str = _option(
        "hold",
        "Files larger than StreamMaxLength in clamd.conf: hold (their uploader only), or release without a scan",
        choices=("hold", "release"),
        live=True,
    )
