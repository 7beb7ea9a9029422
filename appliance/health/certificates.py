"""The certificate: valid, for this host, with its chain, and served as it stands on disk."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from appliance.health.base import Finding, Level, Premises, check
from appliance.health.service import loopback
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.tls import certificate
from appliance.tls import chain as certificate_chain

_TIMEOUT = 5.0  # seconds


@check("certificate", "the certificate is valid, names this host, belongs to its key and has days left")
def installed(premises: Premises) -> Iterator[Finding]:
    """Expired or foreign certificates lock every client out; the end is announced 30, 14, 7 and 1 days before."""
    settings = premises.settings
    texts = certificate.findings(settings.certificate, settings.certificate_key, settings.server.hostname)
    try:
        about = certificate.describe(certificate.load_chain(settings.certificate))
    except Problem:
        about = None
    for text in texts:
        ends_soon = isinstance(text, Message) and "days_left" in text.values
        urgent = about is None or about.days_left <= 7 or not ends_soon
        yield Finding(
            "certificate",
            Level.PROBLEM if urgent else Level.WARNING,
            text,
            Message("Clients refuse to connect."),
            Message(
                "`dcor certificate create` creates a new one (distribute it again); `dcor certificate request` "
                "creates a request for the hospital's authority."
            ),
        )
    if not texts and about is not None:
        yield Finding(
            "certificate",
            Level.OK,
            Message(
                "%(common_name)s, %(type)s, %(days_left)s days left",
                common_name=about.common_name,
                type=about.key_type,
                days_left=about.days_left,
            ),
        )


@check("certificate chain", "clients that pin the certificate, as DCOR-Aid does, accept it")
def chain(premises: Premises) -> Iterator[Finding]:
    """The manual's item 11: a chain without its intermediate certificates, tried with a real handshake in memory."""
    settings = premises.settings
    pair = certificate.Pair(settings.certificate.read_bytes(), settings.certificate_key.read_bytes())
    reason = certificate_chain.handshake(pair, settings.server.hostname)
    if reason is None:
        yield Finding("certificate chain", Level.OK, Message("complete, leaf first"))
    else:
        yield Finding(
            "certificate chain",
            Level.PROBLEM,
            reason,
            Message("Clients cannot connect even though they have the certificate."),
            Message("`dcor certificate install` accepts the whole chain."),
        )


@check("served certificate", "the running service hands out the certificate that lies in the data root")
def served(premises: Premises) -> Iterator[Finding]:
    """A certificate replaced on disk is taken up within seconds; if not, the service is not ours or hangs."""
    settings = premises.settings.server
    host = loopback(premises.settings)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, settings.port), _TIMEOUT) as raw,
            context.wrap_socket(raw, server_hostname=settings.hostname) as tls,
        ):
            seen = tls.getpeercert(binary_form=True)
    except OSError as error:
        yield Finding(
            "served certificate",
            Level.NOTE,
            Message("none is served at %(host)s:%(port)s (%(error)s)", host=host, port=settings.port, error=error),
            "",
            Message("See the check “service”."),
        )
        return
    leaf = certificate.load_chain(premises.settings.certificate)[0]
    if seen == ssl.PEM_cert_to_DER_cert(certificate.chain_pem([leaf]).decode()):
        yield Finding(
            "served certificate", Level.OK, Message("the same one at %(host)s:%(port)s", host=host, port=settings.port)
        )
    else:
        yield Finding(
            "served certificate",
            Level.PROBLEM,
            Message("a different one is served at %(host)s:%(port)s", host=host, port=settings.port),
            Message("Access files contain a certificate that does not match."),
            "sudo systemctl restart dcor",
        )
