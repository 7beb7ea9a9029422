"""One connection from its first byte to its last: requests are read and answered by whichever worker holds it.

Between requests, and while a handshake, a head or a small body is incomplete, the connection belongs to the selector and uses
no thread. A worker keeps it only for the moment in which the next bytes usually arrive.
"""

from __future__ import annotations

import enum
import logging
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from appliance.model.problem import Problem
from appliance.web import cpu_slot, metrics
from appliance.web.gateway import response_writer
from appliance.web.gateway.admission import Peers
from appliance.web.gateway.channel import Channel, PlainChannel, TlsChannel
from appliance.web.gateway.head import Head, parse_head
from appliance.web.gateway.limits import Limits
from appliance.web.gateway.peer import Peer, Phase, Standing
from appliance.web.gateway.priority import lower_priority
from appliance.web.gateway.request_reader import ChunkedBody, LengthBody, RequestReader, StreamBody
from appliance.web.http import Body, Request, Response, problem_text

log = logging.getLogger("appliance.web.access")

#: Answers a request; the string is the route's name for the log.
Application = Callable[[Request], tuple[str, Response]]

#: Responses up to this size [bytes] are sent without looking up the client's standing.
_SMALL_ANSWER = 1 << 16


class Next(enum.Enum):
    """What to do with a connection that a worker returns."""

    PARK = "wait for the peer"
    AGAIN = "more has been received already"
    CLOSE = "it has ended"


@dataclass(frozen=True, slots=True)
class Environment:
    """What all connections of a port share.

    :ivar known: the id of the user whose valid credential a request carries, "" without one.
    :ivar carries_file: is the body of a request a file, which may take as long as it wants?
    :ivar crowded: do other connections wait for a worker?
    """

    application: Application
    limits: Limits
    peers: Peers
    closing: Callable[[], bool]
    crowded: Callable[[], bool]
    known: Callable[[Request], str]
    carries_file: Callable[[Request], bool]


class Connection:
    """Serves one peer until it closes, fails, or the gateway stops.

    :ivar priority_lowered: the worker's priority was lowered, which cannot be undone: the thread must end.
    """

    def __init__(self, peer: Peer, environment: Environment, context: ssl.SSLContext | None) -> None:
        self.priority_lowered = False
        self._peer = peer
        self._env = environment
        self._limits = environment.limits
        self._secure = context is not None
        attention = environment.limits.attention
        self._channel: Channel = (
            PlainChannel(peer.sock, attention) if context is None else TlsChannel(peer.sock, attention, context)
        )
        self._reader = RequestReader(self._channel)
        self._head: Head | None = None
        self._answered: Request | None = None
        self._bulk = False

    def run(self) -> Next:
        """Serve until nothing more has been received. Never raises: every failure of a peer ends the connection."""
        self.priority_lowered = False
        try:
            self._channel.wait(blocking=False, attentive=not self._env.crowded())
            if self._peer.standing is Standing.UNFINISHED:
                self._channel.handshake()
                self._env.peers.set_standing(self._peer, Standing.STRANGER)
                self._peer.enter(Phase.IDLE)
            return self._serve()
        except BlockingIOError:
            if self._answered is not None:  # while it is idle, its standing decides whether it may be dropped
                self._set_standing(self._answered)
                self._answered = None
            return Next.PARK
        except (OSError, EOFError) as error:  # the peer is gone, or closing the connection tells it
            log.debug("gateway.broken reason=%s", type(error).__name__)
        except Exception:
            log.exception("gateway.failed")
        finally:
            cpu_slot.release()
        return Next.CLOSE

    def _serve(self) -> Next:
        while True:
            cpu_slot.release()
            if self._env.closing() and self._peer.phase is Phase.IDLE:
                return self._close()
            try:
                if self._head is None:
                    raw = self._reader.head(self._limits.head_size, lambda: self._peer.enter(Phase.HEAD))
                    if raw is None:
                        return self._close()
                    self._head = parse_head(raw, self._limits)
                    self._limits.proxies.check(self._peer.address, self._head.headers)
            except Problem as problem:
                return self._refuse(problem)
            request = self._request(self._head)
            if not self._exchange(request, self._head):
                return Next.CLOSE
            self._head = None
            self._peer.enter(Phase.IDLE)
            crowded = self._env.crowded()
            self._channel.wait(blocking=False, attentive=not crowded)
            if crowded and self._reader.pending:
                return Next.AGAIN

    def _request(self, head: Head) -> Request:
        """The request, with its body if that is small. Raises BlockingIOError until the body is complete."""
        request = Request(
            method=head.method,
            target=head.target,
            path=head.path,
            query=head.query,
            headers=head.headers,
            client=self._limits.proxies.client(self._peer.address, head.headers),
            secure=self._secure,
            host=head.host,
        )
        if head.chunked or (head.length and (head.expects or head.length > self._limits.collected_body)):
            request.body = self._stream(request, head)
        elif head.length:
            if self._peer.phase is not Phase.BODY:
                self._peer.enter(Phase.BODY)
                if self._reader.received < head.length:
                    self._set_standing(request)
            request.body = Body(self._reader.collect(head.length))
        return request

    def _exchange(self, request: Request, head: Head) -> bool:
        """Handle one request and send its response; False when the connection is to be closed."""
        body = request.body
        began = time.perf_counter()
        self._peer.enter(Phase.HANDLER)
        rule, response = self._env.application(request)
        try:
            if head.method != "HEAD" and (response.content_length or 0) > self._limits.bulk:
                self._lower_priority()
            keep = head.keep_alive and not self._env.closing() and not self._bulk and self._reusable(body)
            known = not request.viewer.anonymous
            standing_set = known or not isinstance(response.body, bytes) or len(response.body) > _SMALL_ANSWER
            if standing_set:
                self._set_standing(request)
            self._peer.enter(Phase.TRANSFER)
        except Exception:
            response.close()
            raise
        sent, keep = response_writer.send(
            self._channel, response, head_only=head.method == "HEAD", version=head.version, keep_alive=keep
        )
        self._answered = None if standing_set else request
        seconds = time.perf_counter() - began
        metrics.answered(rule, response.status, seconds)
        # successes are counted in the metrics, failures logged
        level = logging.DEBUG if response.status < 400 else logging.INFO
        if log.isEnabledFor(level):
            self._log_response(level, head.method, rule, response.status, sent, seconds)
        if keep:
            keep = self._drain(body)
        if not keep:
            self._close(linger=isinstance(body, StreamBody) and body.unread != 0)
        return keep

    @staticmethod
    def _log_response(level: int, method: str, rule: str, status: int, sent: int, seconds: float) -> None:
        log.log(
            level,
            "http.request method=%s route=%s status=%d sent=%d ms=%.1f",
            method,
            rule,
            status,
            sent,
            seconds * 1e3,
        )

    def _set_standing(self, request: Request) -> None:
        """Set the peer's standing by the credential of its request."""
        user = request.viewer.user_id or self._env.known(request)
        self._env.peers.set_standing(self._peer, Standing.KNOWN if user else Standing.STRANGER, user)

    def _stream(self, request: Request, head: Head) -> StreamBody:
        """A body that the handler reads as it arrives; its first read answers "Expect: 100-continue"."""
        expects = head.expects
        begun = False
        hurried = not self._env.carries_file(request)

        def before() -> None:
            """Called before each receive: answer "Expect: 100-continue", and lower the priority of bulk transfers."""
            nonlocal expects, begun
            if not begun:
                begun = True
                self._set_standing(request)
                self._channel.wait(blocking=True)
            if expects:
                expects = False
                self._channel.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._peer.phase, self._peer.hurried = Phase.TRANSFER, hurried
            if body.taken > self._limits.bulk:
                self._lower_priority()

        def after() -> None:
            """Called after each receive: the time until the next one is the handler's."""
            self._peer.phase, self._peer.hurried = Phase.HANDLER, False

        body: StreamBody = (
            ChunkedBody(self._reader, before, after)
            if head.chunked
            else LengthBody(self._reader, head.length or 0, before, after)
        )
        body.withheld = lambda: expects
        return body

    def _lower_priority(self) -> None:
        """Lower this thread's priority. That cannot be undone, so the connection ends with this response."""
        if not self._bulk:
            self._bulk = self.priority_lowered = True
            lower_priority()

    def _reusable(self, body: Body) -> bool:
        """Whether another request can follow `body`, as far as is known before the response."""
        if not isinstance(body, StreamBody) or body.unread == 0:
            return True
        if body.broken or body.withheld():
            return False
        return body.unread is None or body.unread <= self._limits.drain

    def _drain(self, body: Body) -> bool:
        """Read what the handler left unread; False when that is too much."""
        if not isinstance(body, StreamBody):
            return True
        rest = self._limits.drain
        while body.unread != 0 and rest >= 0:
            rest -= len(body.read(16384))
        return body.unread == 0

    def _refuse(self, problem: Problem) -> Next:
        """Answer a malformed request and close."""
        self._peer.enter(Phase.TRANSFER)
        response_writer.send(self._channel, problem_text(problem), head_only=False, version="1.1", keep_alive=False)
        return self._close(linger=True)

    def _close(self, *, linger: bool = False) -> Next:
        """Close gracefully. A peer that is still sending gets time to read the response: an immediate close would reset the connection."""
        self._peer.enter(Phase.LINGER)
        with suppress(OSError):
            self._channel.finish()
            if linger:
                self.priority_lowered = True
                lower_priority()
                self._channel.wait(blocking=True)
                self._channel.discard(self._limits.linger_size)
        return Next.CLOSE

    @property
    def costly(self) -> bool:
        """Its buffers have grown large."""
        return self._channel.costly
