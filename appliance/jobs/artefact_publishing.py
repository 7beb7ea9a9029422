"""From a child's scratch folder to an artefact: check, hash, publish durably; the row comes with the job's last transaction."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from appliance.jobs.registry import JobContext, JobFailed
from appliance.jobs.scratch import open_plain, remove_tree
from appliance.model.crc32 import Crc32
from appliance.model.messages import Message
from appliance.model.multipart_parts import EtagHasher
from appliance.store import artefacts

_STEP = 1 << 20


@dataclass(frozen=True)
class Hashes:
    """Size in bytes, hexadecimal SHA-256, the ETag by the rule of `model.multipart_parts`, and the CRC-32."""

    size: int
    sha256: str
    etag: str
    crc32: int


def hash_file(path: Path, *, tick: Callable[[int], None] = lambda _read: None, keep_cached: bool = True) -> Hashes:
    """Read a file once. `tick` gets the bytes read so far after each MiB; it may raise to stop. Raises OSError.

    :param keep_cached: without it the file is read from the disk and does not stay in the page cache.
    """
    with path.open("rb", buffering=0) as file:
        return _hash(file, tick, keep_cached=keep_cached)


def _hash(file: IO[bytes], tick: Callable[[int], None], *, keep_cached: bool) -> Hashes:
    sha256, crc32, size = hashlib.sha256(), Crc32(), 0
    etag = EtagHasher(os.fstat(file.fileno()).st_size)
    buffer = bytearray(_STEP)
    view = memoryview(buffer)
    if not keep_cached:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    while count := file.readinto(buffer):  # type: ignore[attr-defined]  # opened without a buffer
        sha256.update(view[:count])
        etag.update(view[:count])
        crc32.update(view[:count])
        size += count
        tick(size)
    if not keep_cached:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return Hashes(size, sha256.hexdigest(), etag.etag() or "", crc32.value)


@contextmanager
def scratch(context: JobContext) -> Iterator[Path]:
    """A fresh scratch folder on the data volume, gone afterwards."""
    folder = context.sandbox.new_scratch()
    try:
        yield folder
    finally:
        remove_tree(folder)


@dataclass(frozen=True)
class Output:
    """A file that a task leaves in its scratch folder. :ivar most: bytes it may have.

    :ivar check: looks into the open file, which may have been written by an attacker; raises ValueError when it is not what it should be.
    :ivar site_url: address of this server that stands in it.
    """

    name: str
    most: int
    check: Callable[[IO[bytes]], object] = lambda _file: None
    site_url: str | None = None


def publish(context: JobContext, folder: Path, files: Mapping[str, Output]) -> Callable[[sqlite3.Connection], None]:
    """Move a child's files into the depot, by artefact kind; those that it left empty are left out.

    → the function that writes their rows. Raises JobFailed, before any file is moved, when one is not what it should be;
    NoRoom when they take from the volume's reserve.
    """
    context.room.require()
    made: dict[str, Hashes] = {}
    for kind, output in files.items():
        if found := checked(folder / output.name, output):
            made[kind] = found
    for kind in made:
        context.depot.publish(folder / files[kind].name, context.resource_id, kind)

    def write(tx: sqlite3.Connection) -> None:
        """Note the artefacts."""
        for kind, found in made.items():
            artefacts.put(
                tx,
                context.resource_id,
                kind,
                size=found.size,
                sha256=found.sha256,
                etag=found.etag,
                site_url=files[kind].site_url,
            )

    return write


def checked(path: Path, output: Output) -> Hashes | None:
    """The hashes of a child's file, None for none. Raises JobFailed."""
    try:
        file = open_plain(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JobFailed(Message("the job left something that is not a regular file")) from error
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > output.most:
            raise JobFailed(
                Message(
                    "the job left %(size)s bytes as %(name)s; at most %(most)s are taken",
                    size=size,
                    name=output.name,
                    most=output.most,
                )
            )
        if not size:
            return None
        try:
            output.check(file)
        except ValueError as error:
            raise JobFailed(
                Message("the job left a malformed %(name)s: %(error)s", name=output.name, error=error)
            ) from error
        file.seek(0)
        os.fchmod(file.fileno(), 0o640)
        return _hash(file, lambda _read: None, keep_cached=True)
