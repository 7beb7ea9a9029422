"""Locks of uploads: two clients that send the same piece of a file must not write at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from types import TracebackType

from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.web.transfer.file_receiver import RangeReceiver

#: A writer that has sent nothing for so long [s] has lost its right to the piece.
_PATIENCE = 5.0


class UploadLock:
    """The right to write one piece, until it is given back or taken over by somebody else."""

    def __init__(self, claims: UploadLocks, key: Hashable) -> None:
        self._claims = claims
        self._key = key
        self._lock = threading.Lock()
        self._moved = time.monotonic()
        self._receiver: RangeReceiver | None = None
        self._lost = False

    def write(self, receiver: RangeReceiver, data: bytes) -> None:
        """Give `data` to `receiver`. Raises Problem 409 when the right has gone to another connection."""
        with self._lock:
            self._require()
            self._receiver = receiver
            receiver.write(data)
            self._moved = time.monotonic()

    def keep(self) -> None:
        """Still ours, and from now on for good. Raises Problem 409 when it has gone to another connection."""
        with self._lock:
            self._require()
            self._moved = float("inf")

    def lose(self) -> bool:
        """Take the right away from a silent writer; False when the writer is alive."""
        with self._lock:
            silent = time.monotonic() - self._moved >= self._claims.patience
            if silent and (self._receiver is None or self._receiver.idle):
                self._lost = True
            return self._lost

    def _require(self) -> None:
        if self._lost:
            raise Problem(409, "Conflict", message=Message("Another connection has taken over this piece of the file."))

    def __enter__(self) -> UploadLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._claims.release(self._key, self)


class UploadLocks:
    """All claims of this process. The first writer keeps its piece as long as its bytes come."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self.patience = patience
        self._lock = threading.Lock()
        self._held: dict[Hashable, UploadLock] = {}

    def take(self, key: Hashable) -> UploadLock:
        """UploadLock a piece. Raises Problem 409 while another connection is sending it."""
        with self._lock:
            holder = self._held.get(key)
            if holder is not None and not holder.lose():
                raise Problem(409, "Conflict", message=Message("Another connection is sending this piece of the file."))
            claim = UploadLock(self, key)
            self._held[key] = claim
            return claim

    def release(self, key: Hashable, claim: UploadLock) -> None:
        """Give a claim back."""
        with self._lock:
            if self._held.get(key) is claim:
                del self._held[key]

    def holds(self, prefix: str) -> bool:
        """Whether anybody writes a piece of the upload `prefix` (the first member of the keys)."""
        with self._lock:
            return any(isinstance(key, tuple) and key[0] == prefix for key in self._held)


LOCKS = UploadLocks()
