"""Files of another DCOR on their way into a part of the depot: written once, hashed on the way, continued where they broke off."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from appliance.actions import upload_limits
from appliance.actions.site import Site
from appliance.model.crc32 import Crc32
from appliance.model.multipart_parts import EtagHasher
from appliance.model.problem import Problem
from appliance.peer.client import Passing, Refusal
from appliance.peer.entries import PeerFile, Unfit
from appliance.peer.progress import Progress
from appliance.peer.source import Body, Source
from appliance.store import origins
from appliance.store.depot import Part
from appliance.store.filesystem import start_writing
from appliance.store.origins import Received

_BLOCK = 1 << 20
#: Data are handed to the disk, and the free space is asked for, in steps of this size [bytes].
_STEP = 32 << 20
#: Files up to this size [bytes] are hashed in the thread that reads them.
_INLINE = 4 << 20
_PARTS = uuid.UUID("5c4a1d0e-3d5c-5b8e-9d59-0f6f3e1f6c11")


class _Hashes:
    """SHA-256, ETag and CRC-32 of a file of known size, computed beside the reading."""

    def __init__(self, size: int, lanes: ThreadPoolExecutor | None) -> None:
        self._size, self._lanes = size, lanes
        self._pending: list[Future[None]] = []
        self.sha256, self.etag, self.crc32 = hashlib.sha256(), EtagHasher(size), Crc32()

    def update(self, block: memoryview) -> None:
        """The next bytes; `block` must stay as it is until `settle`."""
        if self._lanes is None or self._size <= _INLINE:
            self._first(block)
            self._second(block)
        else:
            self.settle()
            self._pending = [self._lanes.submit(work, block) for work in (self._first, self._second)]

    def settle(self) -> None:
        """Wait until everything given has been hashed."""
        for future in self._pending:
            future.result()
        self._pending = []

    def _first(self, block: memoryview) -> None:
        self.sha256.update(block)
        self.crc32.update(block)

    def _second(self, block: memoryview) -> None:
        self.etag.update(block)


class FileReceiver:
    """Fetches files of one server. Threads may share it.

    :param site: whose depot takes them; :param source: the server, as the database names it.
    """

    def __init__(self, site: Site, client: Source, source: str, progress: Progress) -> None:
        self._site, self._client, self._source, self._progress = site, client, source, progress
        self._lock = threading.Lock()
        self._promised = 0
        self._local = threading.local()

    def fetch(self, dataset_id: str, circle_id: str, file: PeerFile) -> Received:
        """The file as a whole, flushed part; one that had arrived before is not asked for again.

        Raises Unfit when it cannot be had or is not what it should be, Problem 507 when the disk is full, 502.
        """
        known = self._arrived(file)
        if known is not None:
            self._progress.advance(known.size, fetched=False)
            return known
        part_id = str(uuid.uuid5(_PARTS, f"{self._source} {file.id}"))
        try:
            part = self._site.depot.open_part(part_id)
        except FileNotFoundError:
            part = self._site.depot.new_part(part_id)
        try:
            path = f"/dataset/{dataset_id}/resource/{file.id}/download/{_name_in_url(file.name)}"
            received = self._received(part, part_id, path, circle_id, file)
        except Unfit:
            part.discard()
            raise
        finally:
            part.close()
        with self._site.db.write() as tx:
            origins.note_received(tx, file.id, self._source, received)
        return received

    def fetch_condensed(self, dataset_id: str, circle_id: str, file: PeerFile) -> str:
        """The condensed file of a measurement; → its part. Nobody says what it should be: a job compares it with the measurement.

        Raises Unfit when there is none, Problem 507 when the disk is full, 502.
        """
        part_id = str(uuid.uuid5(_PARTS, f"{self._source} condensed {file.id}"))
        self._site.depot.discard_part(part_id)  # without a size and a checksum it cannot be continued
        unknown = replace(file, name=f"the condensed file of {file.name}", size=None, sha256=None, etag=None)
        part = self._site.depot.new_part(part_id)
        path = f"/dataset/{dataset_id}/resource/{file.id}/condensed.rtdc"
        whole = False
        try:
            self._received(part, part_id, path, circle_id, unknown)
            whole = True
        finally:
            if whole:
                part.close()
            else:
                part.discard()
        return part_id

    def discard(self, resource_id: str, part_id: str) -> None:
        """Forget a file that arrived and is not needed any more."""
        self._site.depot.discard_part(part_id)
        with self._site.db.write() as tx:
            origins.forget_received(tx, resource_id, self._source)

    def _arrived(self, file: PeerFile) -> Received | None:
        with self._site.db.read() as conn:
            known = origins.received(conn, file.id, self._source)
        if known is None or file.sha256 not in (None, known.sha256):
            return None
        path = self._site.depot.part(known.part)
        try:
            if path.stat().st_size != known.size:
                return None
            os.utime(path)  # what clears up old parts goes by this
        except FileNotFoundError:
            return None
        return known

    def _received(self, part: Part, part_id: str, path: str, circle_id: str, file: PeerFile) -> Received:
        for again in (False, True):
            resumed = os.fstat(part.fd).st_size > 0
            size, hashes = self._stream(part, path, circle_id, file)
            sha256 = hashes.sha256.hexdigest()
            if file.sha256 in (None, sha256):
                os.fsync(part.fd)
                return Received(part_id, size, sha256, hashes.etag.etag(), hashes.crc32.value)
            os.ftruncate(part.fd, 0)
            self._progress.advance(-size, fetched=False)
            if again or not resumed:
                break
        raise Unfit(f"{file.name} is damaged: its SHA-256 is {sha256}, the server says {file.sha256}")

    def _stream(self, part: Part, path: str, circle_id: str, file: PeerFile) -> tuple[int, _Hashes]:
        """Bring the part to its full size, with a pause after each failure; → (size, hashes)."""
        transfer = _Transfer(part, file, self._lanes(), self._progress, self._require_reserve)
        failures, had = 0, -1
        while True:
            try:
                with self._client.file(path, transfer.have) as body:
                    size = transfer.begin(body)
                    with self._room(circle_id, size - transfer.have):
                        transfer.take(body)
                return size, transfer.hashes
            except Passing as passing:
                failures = 0 if transfer.have > had else failures + 1
                had = max(had, transfer.have)
                if failures >= len(self._client.waits):
                    raise Unfit(
                        f"{file.name} broke off {failures + 1} times at byte {transfer.have}: {passing}"
                    ) from passing
                time.sleep(self._client.waits[failures])
            except Refusal as refusal:
                raise Unfit(f"{file.name}: {refusal}") from refusal
            finally:
                transfer.settle()

    def _room(self, circle_id: str, size: int) -> _Promise:
        """Ask for room for `size` bytes beside all that is under way here and in the service."""
        with self._lock:
            with self._site.db.read() as conn:
                try:
                    upload_limits.require_room(self._site, conn, size + self._promised)
                    upload_limits.require_quota(self._site, conn, circle_id, size)
                except Problem as problem:
                    if problem.status == 507:
                        raise
                    raise Unfit(str(problem)) from problem
            self._promised += size
        return _Promise(self._release, size)

    def _release(self, size: int) -> None:
        with self._lock:
            self._promised -= size

    def _require_reserve(self) -> None:
        upload_limits.require_reserve(self._site)

    def _lanes(self) -> ThreadPoolExecutor:
        """Two threads for hashing, for each thread that fetches."""
        lanes = getattr(self._local, "lanes", None)
        if lanes is None:
            lanes = self._local.lanes = ThreadPoolExecutor(2, "pull-hash")
        return lanes


class _Promise:
    """Room that is kept for a file while it comes."""

    def __init__(self, release: Callable[[int], None], size: int) -> None:
        self._release, self._size = release, size

    def __enter__(self) -> None:
        return

    def __exit__(self, *error: object) -> None:
        self._release(self._size)


class _Transfer:
    """One file between several connections. :ivar have: bytes that are in the part and hashed."""

    def __init__(
        self, part: Part, file: PeerFile, lanes: ThreadPoolExecutor, progress: Progress, room: Callable[[], None]
    ) -> None:
        self._fd, self._file, self._lanes, self._progress, self._room = part.fd, file, lanes, progress, room
        self._size = file.size
        self._buffers = [memoryview(bytearray(_BLOCK)) for _ in range(2)]
        self.have = os.fstat(part.fd).st_size
        if file.size is None or self.have > file.size:
            self.have = 0  # the ETag's rule needs the size first
        os.ftruncate(part.fd, self.have)
        self.hashes = _Hashes(file.size or 0, lanes)
        self._rehash()

    def begin(self, body: Body) -> int:
        """Compare what is announced with what was told; → the size of the whole file [bytes]. Raises Unfit."""
        if self._size is None:
            if body.total is None:
                raise Unfit(f"the server tells no size of {self._file.name}")
            self._size = body.total
        if body.total not in (None, self._size):
            raise Unfit(f"{self._file.name} has {body.total} bytes; {self._size} were told")
        if body.start != self.have or not self.have:
            self._progress.advance(-self.have, fetched=False)
            self.have = 0
            os.ftruncate(self._fd, 0)
            self.hashes = _Hashes(self._size, self._lanes)
        return self._size

    def take(self, body: Body) -> None:
        """Take what comes, until the file is whole. Raises Passing when it ends before, Unfit when it goes on after."""
        size, number, stepped = self._size or 0, 0, self.have
        while self.have < size:
            buffer = self._buffers[number % 2][: min(_BLOCK, size - self.have)]
            count = body.read_into(buffer)
            if not count:
                raise Passing("it ended too early")
            number += 1
            self.hashes.update(buffer[:count])
            self._write(buffer[:count])
            if self.have - stepped >= _STEP:
                start_writing(self._fd, stepped, self.have - stepped)
                stepped = self.have
                self._room()
        if body.total is None and body.read_into(memoryview(bytearray(1))):
            raise Unfit(f"the server sends more of {self._file.name} than the {size} bytes that were told")

    def settle(self) -> None:
        """Wait for the hashes."""
        self.hashes.settle()

    def _write(self, view: memoryview) -> None:
        count = len(view)
        while len(view):
            view = view[os.pwrite(self._fd, view, self.have + count - len(view)) :]
        self.have += count
        self._progress.advance(count)

    def _rehash(self) -> None:
        """Read again what an earlier call left in the part."""
        offset = 0
        while offset < self.have:
            block = os.pread(self._fd, min(_BLOCK, self.have - offset), offset)
            self.hashes.update(memoryview(block))
            offset += len(block)
            self._progress.advance(len(block), fetched=False)
        self.hashes.settle()


def _name_in_url(name: str) -> str:
    """The name as the last part of a path; servers go by the ids before it."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
