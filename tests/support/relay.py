"""A bad network: a TCP relay that delays what passes, and cuts or silences some of it. On loopback only."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress
from dataclasses import dataclass

from tests.support.ports import LOOPBACK

_PIECE = 1 << 16
#: A silenced connection is cut after this time [s], as a router forgets it.
_SILENCE = 5.0


@dataclass
class Passed:
    """What a relay has seen."""

    connections: int = 0
    cut: int = 0
    silenced: int = 0
    bytes: int = 0


class Relay:
    """Passes connections from `port` of 127.0.0.1 to the same port of `target`.

    :param delay: how long a byte is on its way, in either direction [s].
    :param loss: share of transfers (each 2 MiB of a connection counts as one) that end before their time, cut or silenced.
    """

    def __init__(self, port: int, target: str, *, delay: float, loss: float, seed: int = 1) -> None:
        self.passed = Passed()
        self._port, self._target, self._delay, self._loss = port, target, delay, loss
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Cut everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, self._port)

    async def _end(self) -> None:
        self._server.close()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.passed.connections += 1
        writers = [writer]
        with suppress(OSError):
            there, onward = await asyncio.open_connection(self._target, self._port)
            writers.append(onward)
            fate = _Fate(self._chance, self._loss)
            both = [
                asyncio.create_task(self._pass(reader, onward, fate)),
                asyncio.create_task(self._pass(there, writer, fate)),
            ]
            done, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            for one in waiting:
                one.cancel()
            await asyncio.gather(*done, *waiting, return_exceptions=True)
        for one in writers:
            one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: _Fate) -> None:
        """One direction; many pieces are on their way at once."""
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

        async def arrive() -> None:
            while True:
                at, piece = await way.get()
                await asyncio.sleep(at - self._loop.time())
                if not piece:
                    writer.write_eof()
                    return
                writer.write(piece)
                await writer.drain()

        arriving = asyncio.create_task(arrive())
        try:
            while True:
                piece = await reader.read(_PIECE)
                self.passed.bytes += len(piece)
                if fate.ends_with(len(piece)):
                    await self._lose(fate)
                    raise ConnectionAbortedError
                if arriving.done():
                    raise ConnectionAbortedError
                await way.put((self._loop.time() + self._delay, piece))
                if not piece:
                    await arriving
                    return
        finally:
            arriving.cancel()

    async def _lose(self, fate: _Fate) -> None:
        if fate.silent:
            self.passed.silenced += 1
            await asyncio.sleep(_SILENCE)
        else:
            self.passed.cut += 1


class _Fate:
    """After how many bytes a connection ends before its time, if at all."""

    TRANSFER = 2 << 20

    def __init__(self, chance: random.Random, loss: float) -> None:
        self._chance, self._loss = chance, loss
        self._seen, self._end = 0, 0.0
        self.silent = False
        self._draw()

    def ends_with(self, size: int) -> bool:
        """Does it end with the next `size` bytes?"""
        self._seen += size
        if self._seen >= self._end and self._lost:
            return True
        if self._seen >= self.TRANSFER:
            self._seen = 0
            self._draw()
        return False

    def _draw(self) -> None:
        self._lost = self._chance.random() < self._loss
        self._end = self._chance.uniform(1, self.TRANSFER)
        self.silent = self._chance.random() < 0.3
