"""One connection, from its first byte to its last: requests come in, answers go out, in the connection's own thread."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from appliance.model.problem import Problem
from appliance.web import cpu_slot, metrics
from appliance.web.gateway import response_writer
from appliance.web.gateway.channel import Channel, PlainChannel, TlsChannel
from appliance.web.gateway.deadlines import Peer, Phase
from appliance.web.gateway.head import Head, parse_head
from appliance.web.gateway.limits import Limits
from appliance.web.gateway.priority import lower_priority
from appliance.web.gateway.request_reader import ChunkedBody, LengthBody, RequestReader, StreamBody
from appliance.web.http import Body, Request, Response, problem_text

log = logging.getLogger("appliance.web.access")

#: Answers a request; the string names the route for the log.
Application = Callable[[Request], tuple[str, Response]]


class Connection:
    """Serves one peer until it leaves, errs, or the gateway closes."""

    def __init__(
        self,
        peer: Peer,
        application: Application,
        limits: Limits,
        closing: Callable[[], bool],
        context: ssl.SSLContext | None,
    ) -> None:
        self._peer = peer
        self._application = application
        self._limits = limits
        self._closing = closing
        self._context = context
        self._bulk = False
        self._channel: Channel = PlainChannel(peer.sock)

    def run(self) -> None:
        """Serve. Never raises: whatever a peer does ends here."""
        try:
            if self._context is not None:
                channel = TlsChannel(self._peer.sock, self._context)
                self._channel = channel
                channel.handshake()
            self._serve()
        except (OSError, EOFError) as error:  # the peer is gone, or must be told so by the end of the connection
            log.debug("gateway.broken reason=%s", type(error).__name__)
        except Exception:
            log.exception("gateway.failed")
        finally:
            cpu_slot.release()
            self._peer.sock.close()

    def _serve(self) -> None:
        inbox = RequestReader(self._channel)
        while True:
            cpu_slot.release()
            self._peer.enter(Phase.IDLE)
            if self._closing():
                return self._part()
            try:
                raw = inbox.head(self._limits.head_size, lambda: self._peer.enter(Phase.HEAD))
                if raw is None:
                    return self._part()
                head = parse_head(raw, self._limits)
            except Problem as problem:
                return self._refuse(problem)
            if not self._exchange(inbox, head):
                return None

    def _exchange(self, inbox: RequestReader, head: Head) -> bool:
        """One request and its answer; False when the connection is done."""
        body = self._body(inbox, head)
        request = Request(
            method=head.method,
            target=head.target,
            path=head.path,
            query=head.query,
            headers=head.headers,
            body=body,
            client=self._peer.address,
            secure=self._context is not None,
            host=head.host,
        )
        began = time.perf_counter()
        self._peer.enter(Phase.HANDLER)
        rule, response = self._application(request)
        if head.method != "HEAD" and (response.content_length or 0) > self._limits.bulk:
            self._step_back()
        keep = head.keep_alive and not self._closing() and not self._bulk and self._reusable(body)
        self._peer.enter(Phase.TRANSFER)
        sent, keep = response_writer.send(
            self._channel, response, head_only=head.method == "HEAD", version=head.version, keep_alive=keep
        )
        seconds = time.perf_counter() - began
        metrics.answered(rule, response.status, seconds)
        # what went well is counted, what did not is told
        log.log(
            logging.DEBUG if response.status < 400 else logging.INFO,
            "http.request method=%s route=%s status=%d sent=%d ms=%.1f",
            head.method,
            rule,
            response.status,
            sent,
            seconds * 1e3,
        )
        if keep:
            keep = self._drain(body)
        if not keep:
            self._part(linger=isinstance(body, StreamBody) and body.unread != 0)
        return keep

    def _body(self, inbox: RequestReader, head: Head) -> Body:
        """The body of a request; its first read answers "Expect: 100-continue"."""
        if not head.chunked and not head.length:
            return Body()
        expects = head.expects

        def before() -> None:
            """The application asks for more: tell a client that waits to be asked, and let bulk bytes step back."""
            nonlocal expects
            if expects:
                expects = False
                self._channel.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._peer.phase = Phase.TRANSFER
            if body.taken > self._limits.bulk:
                self._step_back()

        def after() -> None:
            """It has what it asked for: what takes time now is ours."""
            self._peer.phase = Phase.HANDLER

        body: StreamBody = (
            ChunkedBody(inbox, before, after) if head.chunked else LengthBody(inbox, head.length or 0, before, after)
        )
        body.withheld = lambda: expects
        return body

    def _step_back(self) -> None:
        """Let others have the processor first. A thread can not take that back, so this connection ends with its answer."""
        if not self._bulk:
            self._bulk = True
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

    def _refuse(self, problem: Problem) -> None:
        """Answer something that is no request, and close."""
        self._peer.enter(Phase.TRANSFER)
        response_writer.send(self._channel, problem_text(problem), head_only=False, version="1.1", keep_alive=False)
        self._part(linger=True)

    def _part(self, *, linger: bool = False) -> None:
        """Close in good form. A peer that still sends gets the time to read our answer: a close now would reset it."""
        self._peer.enter(Phase.LINGER)
        with suppress(OSError):
            self._channel.finish()
            if linger:
                lower_priority()
                self._channel.discard(self._limits.linger_size)
