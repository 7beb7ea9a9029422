"""One connection, from its first byte to its last: requests come in, answers go out, on whichever worker has it.

Between requests, and while a handshake, a head or a small body is incomplete, the connection belongs to the selector and costs no
thread. A worker keeps it only for the moment in which the next bytes usually come.
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

#: Answers a request; the string names the route for the log.
Application = Callable[[Request], tuple[str, Response]]

#: Answers up to this size [bytes] are sent without asking who the client is.
_SMALL_ANSWER = 1 << 16


class Next(enum.Enum):
    """What becomes of a connection that a worker returns."""

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
    """Serves one peer until it leaves, errs, or the gateway closes.

    :ivar stepped_back: the worker's priority was lowered, which cannot be undone: the thread must end.
    """

    def __init__(self, peer: Peer, environment: Environment, context: ssl.SSLContext | None) -> None:
        self.stepped_back = False
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
        """Serve as long as there is something to do. Never raises: whatever a peer does ends here."""
        self.stepped_back = False
        try:
            self._channel.wait(blocking=False, attentive=not self._env.crowded())
            if self._peer.standing is Standing.UNFINISHED:
                self._channel.handshake()
                self._env.peers.judge(self._peer, Standing.STRANGER)
                self._peer.enter(Phase.IDLE)
            return self._serve()
        except BlockingIOError:
            if self._answered is not None:  # while it is idle its standing decides whether it may be dropped
                self._judge(self._answered)
                self._answered = None
            return Next.PARK
        except (OSError, EOFError) as error:  # the peer is gone, or must be told so by the end of the connection
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
                return self._part()
            try:
                if self._head is None:
                    raw = self._reader.head(self._limits.head_size, lambda: self._peer.enter(Phase.HEAD))
                    if raw is None:
                        return self._part()
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
        """The request, with its body if that is small. Raises BlockingIOError until it has come."""
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
                    self._judge(request)
            request.body = Body(self._reader.collect(head.length))
        return request

    def _exchange(self, request: Request, head: Head) -> bool:
        """One request and its answer; False when the connection is done."""
        body = request.body
        began = time.perf_counter()
        self._peer.enter(Phase.HANDLER)
        rule, response = self._env.application(request)
        if head.method != "HEAD" and (response.content_length or 0) > self._limits.bulk:
            self._step_back()
        keep = head.keep_alive and not self._env.closing() and not self._bulk and self._reusable(body)
        judged = (
            not request.viewer.anonymous or not isinstance(response.body, bytes) or len(response.body) > _SMALL_ANSWER
        )
        if judged:
            self._judge(request)
        self._peer.enter(Phase.TRANSFER)
        sent, keep = response_writer.send(
            self._channel, response, head_only=head.method == "HEAD", version=head.version, keep_alive=keep
        )
        self._answered = None if judged else request
        seconds = time.perf_counter() - began
        metrics.answered(rule, response.status, seconds)
        # what went well is counted, what did not is told
        level = logging.DEBUG if response.status < 400 else logging.INFO
        if log.isEnabledFor(level):
            self._tell(level, head.method, rule, response.status, sent, seconds)
        if keep:
            keep = self._drain(body)
        if not keep:
            self._part(linger=isinstance(body, StreamBody) and body.unread != 0)
        return keep

    @staticmethod
    def _tell(level: int, method: str, rule: str, status: int, sent: int, seconds: float) -> None:
        log.log(
            level,
            "http.request method=%s route=%s status=%d sent=%d ms=%.1f",
            method,
            rule,
            status,
            sent,
            seconds * 1e3,
        )

    def _judge(self, request: Request) -> None:
        """Tell from a request's credential whether its sender is known."""
        user = request.viewer.user_id or self._env.known(request)
        self._env.peers.judge(self._peer, Standing.KNOWN if user else Standing.STRANGER, user)

    def _stream(self, request: Request, head: Head) -> StreamBody:
        """A body that the handler reads as it comes; its first read answers "Expect: 100-continue"."""
        expects = head.expects
        begun = False
        hurried = not self._env.carries_file(request)

        def before() -> None:
            """The application asks for more: tell a client that waits to be asked, and let bulk bytes step back."""
            nonlocal expects, begun
            if not begun:
                begun = True
                self._judge(request)
                self._channel.wait(blocking=True)
            if expects:
                expects = False
                self._channel.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._peer.phase, self._peer.hurried = Phase.TRANSFER, hurried
            if body.taken > self._limits.bulk:
                self._step_back()

        def after() -> None:
            """It has what it asked for: what takes time now is ours."""
            self._peer.phase, self._peer.hurried = Phase.HANDLER, False

        body: StreamBody = (
            ChunkedBody(self._reader, before, after)
            if head.chunked
            else LengthBody(self._reader, head.length or 0, before, after)
        )
        body.withheld = lambda: expects
        return body

    def _step_back(self) -> None:
        """Let others have the processor first. A thread can not take that back, so this connection ends with its answer."""
        if not self._bulk:
            self._bulk = self.stepped_back = True
            lower_priority()

    def _reusable(self, body: Body) -> bool:
        """Whether another request can follow `body`, as far as can be said before the answer."""
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
        """Answer something that is no request, and close."""
        self._peer.enter(Phase.TRANSFER)
        response_writer.send(self._channel, problem_text(problem), head_only=False, version="1.1", keep_alive=False)
        return self._part(linger=True)

    def _part(self, *, linger: bool = False) -> Next:
        """Close in good form. A peer that still sends gets the time to read our answer: a close now would reset it."""
        self._peer.enter(Phase.LINGER)
        with suppress(OSError):
            self._channel.finish()
            if linger:
                self.stepped_back = True
                lower_priority()
                self._channel.wait(blocking=True)
                self._channel.discard(self._limits.linger_size)
        return Next.CLOSE

    @property
    def costly(self) -> bool:
        """Its buffers have grown large."""
        return self._channel.costly
