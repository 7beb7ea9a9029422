"""TLS as Mozilla's "intermediate" profile has it, and a certificate that can be changed while clients are connected."""

from __future__ import annotations

import ssl
import threading
import time
from pathlib import Path

from appliance.tls.certificate import alternative_names, load_chain

CIPHERS = ":".join(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ]
)
#: A context's ticket keys live as long as it does; a new one a day keeps yesterday's traffic unreadable with today's.
CONTEXT_LIFETIME = 86400.0


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A context for TLS 1.2 and 1.3. Raises OSError or ssl.SSLError when certificate and key do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context


class Certificate:
    """The served certificate. Each handshake takes the `context` of its moment; running connections keep theirs."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = certificate, key
        self._lock = threading.Lock()
        self._made = 0.0
        self.reload()

    def reload(self) -> None:
        """Read the files again. Raises as `server_context` does; the old certificate then stays in use."""
        signature = self._signature()
        context = server_context(*self._files)
        with self._lock:
            self._context = context
            self._made = time.monotonic()
            self._read = signature

    @property
    def context(self) -> ssl.SSLContext:
        """The context for a new connection."""
        return self._context

    @property
    def changed(self) -> bool:
        """Other files lie on disk than those in use."""
        return self._signature() != self._read

    def names(self) -> list[str]:
        """Host names and addresses in the certificate on disk. Raises Problem when there is none."""
        dns, ips = alternative_names(load_chain(self._files[0])[0])
        return [*dns, *ips]

    def _signature(self) -> list[tuple[int, int, int]]:
        found = []
        for path in self._files:
            try:
                entry = path.stat()
            except OSError:
                continue
            found.append((entry.st_ino, entry.st_size, entry.st_mtime_ns))
        return found

    @property
    def stale(self) -> bool:
        """The context is older than a day."""
        return time.monotonic() - self._made > CONTEXT_LIFETIME
