"""The gateway: listens, gives every connection its thread, and ends in good order."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.model.problem import Problem
from appliance.tls.context import Certificate
from appliance.web.gateway.connection import Application, Connection
from appliance.web.gateway.deadlines import Peer, Phase, Watchdog
from appliance.web.gateway.fallback import forward
from appliance.web.gateway.hosts import Hosts
from appliance.web.gateway.limits import Limits
from appliance.web.gateway.redirect import Redirect
from appliance.web.http import PeerGone, Request, Response, problem_text, text
from appliance.web.routes import Route, find

if TYPE_CHECKING:
    from appliance.web.context import Context

log = logging.getLogger(__name__)

ErrorHandler = Callable[[Request, Exception], Response]


class Gateway:
    """Serves `routes` by HTTPS and hands every other address to the application behind `fallback_socket`.

    :param port: HTTPS port, 0 for a free one; `port` holds the bound one after `start`.
    :param http_port: port that redirects to HTTPS, 0 for a free one, None for none.
    :param names: host names in the certificate; requests for others are refused.
    :param on_error: makes the answer to a request whose handler failed.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        context: Context,
        *,
        certificate: Path,
        key: Path,
        fallback_socket: Path,
        names: Iterable[str] = (),
        bind: str = "127.0.0.1",
        port: int = 0,
        http_port: int | None = None,
        limits: Limits | None = None,
        on_error: ErrorHandler | None = None,
    ) -> None:
        self.port = port
        self.http_port = http_port
        self.limits = limits or Limits()
        self._routes = tuple(routes)
        self._context = context
        self._fallback_socket = fallback_socket
        self._certificate = Certificate(certificate, key)
        self._names = tuple(names)
        self._hosts = Hosts(self._names)
        self._redirect: Redirect | None = None
        self._bind = bind
        self._on_error = on_error or _incident
        self._closing = threading.Event()
        self._listeners: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._watchdog = Watchdog(self.limits, self._renew)

    @property
    def connections(self) -> int:
        """Live connections."""
        return len(self._watchdog)

    def start(self) -> None:
        """Bind the ports and begin to serve. Raises OSError when a port is taken."""
        _raise_file_limit(4 * self.limits.connections)
        secure = self._listen(self.port)
        self.port = secure.getsockname()[1]
        plain = None
        if self.http_port is not None:
            plain = self._listen(self.http_port)
            self.http_port = plain.getsockname()[1]
        self._watchdog.start()
        self._accept(secure, self._answer, secure=True)
        if plain is not None:
            self._redirect = Redirect(self._hosts, self.port)
            self._accept(plain, self._redirect, secure=False)

    def stop(self, grace: float = 30.0) -> bool:
        """Accept no more, let requests under way finish for `grace` seconds, then cut. True when nothing was cut."""
        self._closing.set()
        while self._listeners:
            listener = self._listeners.pop()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join()
        self._watchdog.abort(Phase.IDLE, Phase.HANDSHAKE, Phase.LINGER)
        clean = self._watchdog.wait_empty(grace)
        if not clean:
            self._watchdog.abort()
            self._watchdog.wait_empty(5.0)
        self._watchdog.stop()
        return clean

    def reload_certificate(self, names: Iterable[str] | None = None) -> None:
        """Use the certificate files as they are now, for new connections. Raises OSError, ssl.SSLError; then nothing changes."""
        self._certificate.reload()
        if names is not None:
            self._hosts = Hosts(names)
            if self._redirect is not None:
                self._redirect.hosts = self._hosts

    def _listen(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._bind else socket.AF_INET
        listener = socket.create_server(
            (self._bind, port), family=family, backlog=1024, dualstack_ipv6=self._bind == "::"
        )
        self._listeners.append(listener)
        return listener

    def _accept(self, listener: socket.socket, application: Application, *, secure: bool) -> None:
        thread = threading.Thread(
            target=self._accept_loop, args=(listener, application, secure), name="gateway-accept", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _accept_loop(self, listener: socket.socket, application: Application, secure: bool) -> None:
        while not self._closing.is_set():
            try:
                sock, address = listener.accept()
            except OSError as error:
                if self._closing.is_set():
                    return
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    log.warning("gateway.exhausted error=%s", errno.errorcode[error.errno])
                    time.sleep(0.05)
                continue
            self._welcome(sock, address[0].removeprefix("::ffff:"), application, secure)

    def _welcome(self, sock: socket.socket, address: str, application: Application, secure: bool) -> None:
        peer = Peer(sock, address)
        if not self._watchdog.admit(peer):
            log.warning("gateway.full connections=%d", self.connections)
            sock.close()
            return
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=self._serve, args=(peer, application, secure), name="gateway-peer", daemon=True
            ).start()
        except (OSError, RuntimeError):  # the peer is gone already, or there is no thread to be had
            self._watchdog.leave(peer)
            sock.close()

    def _serve(self, peer: Peer, application: Application, secure: bool) -> None:
        context = self._certificate.context if secure else None
        try:
            Connection(peer, application, self.limits, self._closing.is_set, context).run()
        finally:
            self._watchdog.leave(peer)

    def _answer(self, request: Request) -> tuple[str, Response]:
        """The application of the HTTPS port: routes first, then the pages."""
        rule = "-"
        try:
            if not self._hosts.accept(request.host):
                return "host", text(421, "This server does not go by that name.\n")
            found = find(self._routes, request)
            if found is None:
                return "pages", forward(request, self._fallback_socket, self.limits.fallback_body)
            rule = found[0].handler.__name__
            return rule, found[0].answer(self._context, request, found[1])
        except Problem as problem:
            return rule, problem_text(problem)
        except PeerGone:
            raise
        except Exception as error:
            return rule, self._on_error(request, error)

    def _renew(self) -> None:
        changed = self._certificate.changed
        if changed or self._certificate.stale:
            try:
                self.reload_certificate([*self._names, *self._certificate.names()] if changed else None)
            except (OSError, Problem) as error:
                log.warning("gateway.certificate_unreadable error=%s", type(error).__name__)


def _raise_file_limit(wanted: int) -> None:
    """Let this process hold `wanted` descriptors, as far as the system allows it: the usual 1024 are soon gone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _incident(request: Request, error: Exception) -> Response:
    """The answer to a failed request: a number that stands in the log, and nothing of what went wrong."""
    incident = uuid.uuid4()
    log.error("http.failed incident=%s method=%s", incident, request.method, exc_info=error)
    return text(500, f"Something failed here. Tell the administrator the incident number {incident}.\n")
