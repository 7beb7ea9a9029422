"""The gateway: connects selector, workers and admission, routes requests, and shuts down in order."""

from __future__ import annotations

import logging
import resource
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.model.problem import Problem
from appliance.security.limits import network
from appliance.threads import Loop
from appliance.tls.context import Certificate
from appliance.web.gateway.admission import Peers
from appliance.web.gateway.connection import Application, Connection, Environment
from appliance.web.gateway.hosts import Hosts
from appliance.web.gateway.limits import Limits
from appliance.web.gateway.peer import Peer, Phase, Standing
from appliance.web.gateway.redirect import Redirect
from appliance.web.gateway.selector import Selector
from appliance.web.gateway.workers import Workers
from appliance.web.http import PeerGone, Request, Response, problem_text, text
from appliance.web.routes import Route, find

if TYPE_CHECKING:
    from appliance.web.context import Context

log = logging.getLogger(__name__)

ErrorHandler = Callable[[Request, Exception], Response]


class Gateway:
    """Serves `routes` by HTTPS; an address of none of them is a 404.

    :param port: HTTPS port, 0 for a free one; `port` holds the bound one after `start`.
    :param http_port: port that redirects to HTTPS, 0 for a free one, None for none.
    :param names: host names in the certificate; requests for others are refused.
    :param on_error: makes the answer to a request whose handler failed.
    :param known: the id of the user whose valid credential a request carries, "" without one. Asked only where it decides who is
        dropped.
    :param carries_file: is the body of a request a file? Others have to come at a least rate.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        context: Context,
        *,
        certificate: Path,
        key: Path,
        names: Iterable[str] = (),
        bind: str = "127.0.0.1",
        port: int = 0,
        http_port: int | None = None,
        limits: Limits | None = None,
        on_error: ErrorHandler | None = None,
        known: Callable[[Request], str] = lambda request: "",
        carries_file: Callable[[Request], bool] = lambda request: False,
    ) -> None:
        self.port = port
        self.http_port = http_port
        self.limits = limits or Limits()
        self._routes = tuple(routes)
        self._context = context
        self._certificate = Certificate(certificate, key)
        self._names = tuple(names)
        self._hosts = Hosts(self._names)
        self._redirect: Redirect | None = None
        self._bind = bind
        self._on_error = on_error or _incident
        self._known = known
        self._carries_file = carries_file
        self._refused = 0
        self._closing = threading.Event()
        self._peers = Peers(self.limits)
        self._workers = Workers(self.limits, park=self._park, end=self._end)
        self._selector = Selector(
            tick=self.limits.tick,
            ready=self._workers.submit,
            gone=self._end,
            crowded=self._workers.crowded,
            dispatch=self._workers.dispatch,
            maintain=self._maintain,
        )

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._peers)

    @property
    def threads(self) -> int:
        """Number of worker threads."""
        return self._workers.threads

    @property
    def busy(self) -> bool:
        """Is a request being handled?"""
        return self._workers.busy

    @property
    def loop(self) -> Loop:
        """The selector's thread."""
        return self._selector.loop

    def start(self) -> None:
        """Bind the ports and start serving. Raises OSError when a port is taken."""
        _raise_file_limit(4 * self.limits.connections)
        secure = self._listen(self.port)
        self.port = secure.getsockname()[1]
        plain = None
        if self.http_port is not None:
            plain = self._listen(self.http_port)
            self.http_port = plain.getsockname()[1]
        self._serve(secure, self._answer, secure=True)
        if plain is not None:
            self._redirect = Redirect(self._hosts, self.port)
            self._serve(plain, self._redirect, secure=False)
        self._selector.start()

    def stop(self, grace: float = 30.0) -> bool:
        """Stop accepting, let requests in progress finish for `grace` seconds, then abort them. True when none was aborted."""
        self._closing.set()
        self._selector.stop_accepting()
        self._peers.abort(Phase.IDLE, Phase.HANDSHAKE, Phase.LINGER)
        clean = self._peers.wait_empty(grace)
        if not clean:
            self._peers.abort()
            self._peers.wait_empty(5.0)
        self._selector.stop()
        self._workers.stop()
        return clean

    def reload_certificate(self, names: Iterable[str] | None = None) -> None:
        """Load the certificate files again, for new connections. Raises OSError, ssl.SSLError; then nothing changes."""
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
        return listener

    def _serve(self, listener: socket.socket, application: Application, *, secure: bool) -> None:
        environment = Environment(
            application=application,
            limits=self.limits,
            peers=self._peers,
            closing=self._closing.is_set,
            crowded=self._workers.crowded,
            known=self._known,
            carries_file=self._carries_file,
        )
        standing = Standing.UNFINISHED if secure else Standing.STRANGER

        def welcome(sock: socket.socket, address: str) -> None:
            """Admit a new connection and wait for its first byte."""
            place = network(address, self.limits.ipv4_prefix)
            if self.limits.proxies.trusts(address):  # each of its connections may be of another client
                place = f"{place} {sock.fileno()}"
            peer = Peer(sock, address, place, standing)
            if not self._peers.admit(peer):
                self._refused += 1
                sock.close()
                return
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.connection = Connection(peer, environment, self._certificate.context if secure else None)
                self._selector.add(peer)
            except (OSError, ssl.SSLError, MemoryError):  # the peer has closed, or the system is out of resources
                self._end(peer)

        self._selector.listen(listener, welcome)

    def _park(self, peer: Peer) -> None:
        try:
            self._selector.park(peer)
        except (OSError, ValueError):  # the gateway has stopped
            self._end(peer)

    def _end(self, peer: Peer) -> None:
        self._peers.leave(peer)
        self._selector.forget(peer)
        peer.sock.close()

    def _maintain(self) -> None:
        """Periodic work in the selector's thread."""
        if self._refused:
            log.warning("gateway.full connections=%d refused=%d", self.connections, self._refused)
            self._refused = 0
        self._peers.enforce_deadlines()
        self._reload_if_changed()

    def _answer(self, request: Request) -> tuple[str, Response]:
        """Handle a request of the HTTPS port."""
        rule = "-"
        try:
            if not self._hosts.accept(request.host):
                return "host", text(421, "This server does not go by that name.\n")
            found = find(self._routes, request)
            if found is None:
                return "-", text(404, "There is nothing at this address.\n")
            rule = found[0].handler.__name__
            return rule, found[0].answer(self._context, request, found[1])
        except Problem as problem:
            return rule, problem_text(problem)
        except PeerGone:
            raise
        except Exception as error:
            return rule, self._on_error(request, error)

    def _reload_if_changed(self) -> None:
        """Load a certificate that changed on disk, and make a new TLS context every day."""
        changed = self._certificate.changed
        if not changed and not self._certificate.stale:
            return
        try:
            self.reload_certificate([*self._names, *self._certificate.names()] if changed else None)
        except Exception as error:  # whatever the new files contain, keep serving the old certificate
            self._certificate.keep()
            log.warning("gateway.certificate_unreadable error=%s", type(error).__name__)


def _raise_file_limit(wanted: int) -> None:
    """Raise the soft limit on descriptors to `wanted`, as far as the hard limit permits: the default of 1024 is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _incident(request: Request, error: Exception) -> Response:
    """The response to a failed request: an incident number that is in the log, without details."""
    incident = uuid.uuid4()
    log.error("http.failed incident=%s method=%s", incident, request.method, exc_info=error)
    return text(500, f"Something failed here. Tell the administrator the incident number {incident}.\n")
