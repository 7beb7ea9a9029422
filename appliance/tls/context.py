"""The served certificate, which can be replaced while clients are connected."""

from __future__ import annotations

import ssl
import threading
import time
from pathlib import Path

from appliance.tls.certificate import alternative_names, load_chain, server_context

#: TLS session ticket keys live as long as their context; a new one every day limits what a stolen key decrypts.
CONTEXT_LIFETIME = 86400.0


class Certificate:
    """The served certificate. Each handshake uses the current `context`; existing connections keep theirs."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = certificate, key
        self._lock = threading.Lock()
        self._made = 0.0
        self.reload()

    def reload(self) -> None:
        """Read the files again. Raises Problem 409; the old certificate then stays in use."""
        signature = self._signature()
        context = server_context(*self._files)
        with self._lock:
            self._context = context
            self._made = time.monotonic()
            self._read = signature

    def keep(self) -> None:
        """Keep serving the loaded certificate; the files are read again when they change, or after a day."""
        with self._lock:
            self._made = time.monotonic()
            self._read = self._signature()

    @property
    def context(self) -> ssl.SSLContext:
        """The context for a new connection."""
        return self._context

    @property
    def changed(self) -> bool:
        """Whether the files on disk differ from those loaded."""
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
        """Whether the context is older than a day."""
        return time.monotonic() - self._made > CONTEXT_LIFETIME
