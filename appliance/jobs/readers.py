"""Long-lived sandboxed readers for requests that need the file itself (2021-style dcserv, the explorer).

Each reader may read the files of one resource and nothing else, so that a crafted file cannot reach another's data. The least
recently used one makes room for the next; answers are kept in a bounded cache. Nobody alone keeps all readers busy, and long questions have
readers of their own, so that short ones about the same file do not wait for them.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.jobs.confinement import Confinement
from appliance.jobs.fair_share import FairShare, ShareRequest
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import Child, SandboxError
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.store.cache import Cache
from appliance.store.depot import Depot

_FILES = ("original", "condensed", "columns")
_ARCHIVED = Message(
    "This file is in the archive, so only its condensed copy can be looked into here: no images, traces or masks. "
    "It can be downloaded, opened with dclab or DCscope, and recalled by an administrator."
)
#: What names the reader for long questions, behind a resource's id.
_LONG = "/long"


class _Reader:
    """One child and who uses it. `stamp` identifies the files it was made for."""

    def __init__(self, child: Child, stamp: tuple[Any, ...]) -> None:
        self.child = child
        self.stamp = stamp
        self.requests = 0
        self.last_used = time.monotonic()


class Readers:
    """A pool of readers, one per resource in use. Thread-safe.

    :param most: processes at once; :param memory: bytes each may take; :param recycle: requests after which a reader is replaced;
    :param cache: where answers are kept; None: nowhere. :param archived: is the original of this resource in the object storage? Then
        the condensed file answers what it can.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        depot: Depot,
        *,
        most: int = 4,
        memory: int = 1 << 30,
        recycle: int = 500,
        cache: Cache | None = None,
        archived: Callable[[str], bool] = lambda _id: False,
    ) -> None:
        self._sandbox, self._depot, self._archived = sandbox, depot, archived
        self._most, self._memory, self._recycle = most, memory, recycle
        self._changed = threading.Condition()
        self._free: OrderedDict[str, _Reader] = OrderedDict()
        self._places = FairShare(most)
        self._cache = Cache(lambda: 0, limit=0) if cache is None else cache

    def read(
        self,
        resource_id: str,
        request: Mapping[str, Any],
        *,
        caller: str = "",
        timeout: float = 5.0,
        task: str = "read",
        long: bool = False,
    ) -> Any:
        """The kernel's answer to `request` about one resource: a dict, or bytes.

        :param caller: who asks (a user's id, the address of somebody unknown), so that all get their share.
        :param long: the question takes many times longer than others; only half of the readers answer such ones.
        :raises Problem: 404 without a file, 409 what the file lacks, 503 when it takes longer than `timeout` seconds (or no reader is free so long).
        """
        for attempt in (1, 2):
            try:
                return self._read(resource_id, dict(request), caller, timeout, task, long)
            except SandboxError as error:
                if error.kind != "lost" or attempt == 2:
                    raise _problem(error) from error
        raise AssertionError("unreachable")

    def _read(
        self, resource_id: str, request: dict[str, Any], caller: str, timeout: float, task: str, long: bool
    ) -> Any:
        stamp = self._stamp(resource_id)
        whole = any(kind == "original" for kind, *_ in stamp)
        if not stamp or not (whole or self._archived(resource_id)):
            raise not_found("The file is missing")
        key = ("reader", json.dumps([resource_id, stamp, task, request], sort_keys=True, default=str))
        try:
            return self._cache.get_lasting(
                key, lambda: self._ask(resource_id, stamp, request, caller, time.monotonic() + timeout, task, long)
            )
        except SandboxError as error:
            if error.answered and not whole:
                raise invalid(message=_ARCHIVED) from error
            raise

    def forget(self, resource_id: str) -> None:
        """End the reader of a resource whose files change or go."""
        with self._changed:
            found = [self._free.pop(key, None) for key in (resource_id, resource_id + _LONG)]
        for reader in found:
            if reader is not None:
                reader.child.close()

    def retire_idle(self, seconds: float = 600.0) -> None:
        """End readers that nobody used for so long; done after each request."""
        limit = time.monotonic() - seconds
        with self._changed:
            old = [key for key, reader in self._free.items() if reader.last_used < limit]
            readers = [self._free.pop(key) for key in old]
        for reader in readers:
            reader.child.close()

    def close(self) -> None:
        """End all readers."""
        with self._changed:
            readers, self._free = list(self._free.values()), OrderedDict()
        for reader in readers:
            reader.child.close()

    def _ask(
        self,
        resource_id: str,
        stamp: tuple[Any, ...],
        request: dict[str, Any],
        caller: str,
        deadline: float,
        task: str,
        long: bool,
    ) -> Any:
        place = self._wait(caller, resource_id, deadline, long)
        reader, keep = None, False
        try:
            reader = self._reader(place.thing, resource_id, stamp)
            paths = {kind: str(self._depot.path(resource_id, kind)) for kind, *_ in stamp}
            message = {
                "task": task,
                "input": paths.get("original") or paths.get("condensed", ""),
                "scratch": None,
                "request": {**request, "files": paths},
            }
            reader.child.send(message, deadline)
            answer = reader.child.receive(deadline, None, lambda: False)
            reader.requests += 1
            keep = reader.requests < self._recycle
            return answer
        except SandboxError as error:
            keep = error.answered
            raise
        finally:
            self._give_back(place, reader, keep=keep)
            self.retire_idle()

    def _wait(self, caller: str, resource_id: str, deadline: float, long: bool) -> ShareRequest:
        """Wait until the reader of this resource may be used, or made, for the caller alone. Raises SandboxError at the deadline."""
        with self._changed:
            wish = self._places.wait(caller, resource_id + _LONG if long else resource_id, long=long)
            while not self._places.is_next(wish):
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    self._places.leave(wish)
                    self._changed.notify_all()
                    raise SandboxError(
                        "timeout", Message("All readers are busy; try again in a moment."), permanent=False
                    )
            self._places.take(wish)
            self._changed.notify_all()  # the next in line may have a place as well
            return wish

    def _reader(self, key: str, resource_id: str, stamp: tuple[Any, ...]) -> _Reader:
        """The reader of this resource (for this kind of questions), if there is one for its present files, or a new one in place of the least recently used."""
        outdated: list[_Reader] = []
        with self._changed:
            reader = self._free.pop(key, None)
            if reader is not None and reader.stamp != stamp:
                outdated.append(reader)
                reader = None
            if reader is None and len(self._free) + len(self._places) > self._most:
                outdated.append(self._free.popitem(last=False)[1])
        for one in outdated:
            one.child.close()
        return reader or _Reader(self._open(stamp, resource_id), stamp)

    def _give_back(self, place: ShareRequest, reader: _Reader | None, *, keep: bool) -> None:
        if reader is not None and not keep:
            reader.child.close()
        with self._changed:
            self._places.leave(place)
            if reader is not None and keep:
                reader.last_used = time.monotonic()
                self._free[place.thing] = reader
            self._changed.notify_all()

    def _open(self, stamp: tuple[Any, ...], resource_id: str) -> Child:
        paths = tuple(str(self._depot.path(resource_id, kind)) for kind, *_ in stamp)
        return self._sandbox.open(
            Confinement(read=paths, memory=self._memory, cpu=3600, file_size=0, open_files=64), serve=True
        )

    def _stamp(self, resource_id: str) -> tuple[Any, ...]:
        """(kind, inode, size, time) of each file of the resource that exists."""
        found = []
        for kind in _FILES:
            with suppress(FileNotFoundError):
                info = Path(self._depot.path(resource_id, kind)).stat()
                found.append((kind, info.st_ino, info.st_size, info.st_mtime_ns))
        return tuple(found)


def _problem(error: SandboxError) -> Problem:
    """What a client is told: the file's own fault (409), ours (500), or a matter of patience (503)."""
    if error.kind == "missing":
        return not_found(error.message)
    if error.answered and error.permanent:
        return invalid(message=error.message)
    if error.kind in {"timeout", "cpu", "lost", "killed"}:
        return Problem(503, "Busy", message=error.message)
    return Problem(500, "Internal Server Error", message="The file could not be read.")
