"""Hostile clients, in a process of their own: `python -m tests.support.siege PORT KIND COUNT SOURCE…` until it is ended.

`COUNT` connections are spread over the source addresses (of 127.0.0.0/8, nothing else is attacked); one that the server ends is
opened again. A line "ready" is printed when all have been opened once.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_FORM = b"POST /user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
_PAUSE = 0.5

#: kind → (by TLS, what is sent at first, what is sent again and again, seconds between)
KINDS: dict[str, tuple[bool, bytes, bytes, float]] = {
    "bare": (False, b"", b"", 60.0),
    "half a handshake": (False, b"\x16\x03\x01", b"\x02", 5.0),
    "idle": (True, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"", 60.0),
    "head": (True, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x", 5.0),
    "body": (True, _FORM + b"Content-Length: 1000\r\n\r\nlogin=", b"x", 15.0),
    "large body": (True, _FORM + b"Content-Length: 1000000\r\n\r\nlogin=", b"x", 15.0),
    "chunks": (True, _FORM + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 15.0),
    "no reading": (True, b"GET /user/login HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400, b"", 60.0),
}


@contextmanager
def siege(port: int, kind: str, count: int, sources: list[str]) -> Iterator[None]:
    """Attack meanwhile."""
    arguments = [sys.executable, "-m", "tests.support.siege", str(port), kind, str(count), *sources]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()


async def _hold(port: int, kind: str, source: str, context: ssl.SSLContext, opened: Callable[[], None]) -> None:
    """One hostile connection, for ever."""
    tls, first, more, seconds = KINDS[kind]
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(source, 0), ssl=context if tls else None, limit=1024
            )
            opened()
            try:
                writer.write(first)
                while kind == "no reading" or not reader.at_eof():
                    with suppress(TimeoutError):
                        if kind == "no reading":
                            await asyncio.sleep(seconds)
                        else:
                            await asyncio.wait_for(reader.read(1024), seconds)
                            continue
                    writer.write(more)
            finally:
                writer.transport.abort()
        opened()
        await asyncio.sleep(_PAUSE)


async def _attack(port: int, kind: str, count: int, sources: list[str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all, and without the system's authorities
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    seen = 0
    all_opened = asyncio.Event()

    def opened() -> None:
        """Count tries."""
        nonlocal seen
        seen += 1
        if seen >= count:
            all_opened.set()

    held = []
    for number in range(count):
        held.append(asyncio.create_task(_hold(port, kind, sources[number % len(sources)], context, opened)))
        if number % 20 == 0:
            await asyncio.sleep(0.01)
    await all_opened.wait()
    print("ready", flush=True)
    await asyncio.gather(*held)


if __name__ == "__main__":
    asyncio.run(_attack(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
