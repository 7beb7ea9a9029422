"""From a child's scratch folder to an artefact: check, hash, publish durably; the row comes with the job's last transaction."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.jobs.registry import JobContext, JobFailed
from appliance.model.multipart_parts import EtagHasher
from appliance.store import artefacts

_STEP = 1 << 20


@dataclass(frozen=True)
class Hashes:
    """Size in bytes, hexadecimal SHA-256, and the ETag by the rule of `model.multipart_parts`."""

    size: int
    sha256: str
    etag: str


def hash_file(path: Path, *, tick: Callable[[int], None] = lambda _read: None, keep_cached: bool = True) -> Hashes:
    """Read a file once. `tick` gets the bytes read so far after each MiB; it may raise to stop. Raises OSError.

    :param keep_cached: without it the file is read from the disk and does not stay in the page cache.
    """
    sha256, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        etag = EtagHasher(os.fstat(file.fileno()).st_size)
        buffer = bytearray(_STEP)
        view = memoryview(buffer)
        if not keep_cached:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while count := file.readinto(buffer):
            sha256.update(view[:count])
            etag.update(view[:count])
            size += count
            tick(size)
        if not keep_cached:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return Hashes(size, sha256.hexdigest(), etag.etag() or "")


@contextmanager
def scratch(context: JobContext) -> Iterator[Path]:
    """A fresh scratch folder on the data volume, gone afterwards."""
    folder = context.sandbox.new_scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(context: JobContext, folder: Path, files: dict[str, str]) -> Callable[[sqlite3.Connection], None]:
    """Move a child's files into the depot. `files`: artefact kind → name in `folder`; missing ones are left out.

    → the function that writes their rows. Raises JobFailed when something other than a plain file lies there.
    """
    made: dict[str, Hashes] = {}
    for kind, name in files.items():
        part = folder / name
        if not os.path.lexists(part):
            continue
        _require_plain(part)
        made[kind] = hash_file(part)
        part.chmod(0o640)
        context.depot.publish(part, context.resource_id, kind)

    def write(tx: sqlite3.Connection) -> None:
        """Note the artefacts."""
        for kind, found in made.items():
            artefacts.put(tx, context.resource_id, kind, size=found.size, sha256=found.sha256, etag=found.etag)

    return write


def _require_plain(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise JobFailed("the job left something that is not a plain file")
