"""System calls that preallocate space for a large file and write it back while it grows, so that the final fsync is short."""

from __future__ import annotations

import ctypes
import errno
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_WAIT_BEFORE, _WRITE, _WAIT_AFTER = 1, 2, 4


def reserve(fd: int, size: int) -> None:
    """Preallocate `size` bytes, where the file system supports it. Raises OSError (ENOSPC) when there is not enough space.

    `os.posix_fallocate` is not used: where the file system does not support it, it writes all zeros itself, even 100 GB.
    """
    if size <= 0:
        return
    while _libc.fallocate(fd, 0, 0, size) != 0:
        error = ctypes.get_errno()
        if error == errno.EINTR:
            continue
        if error in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            raise OSError(error, os.strerror(error))
        return


def start_writing(fd: int, offset: int, length: int) -> None:
    """Start writing this range to disk; returns immediately. Advisory: errors are reported by fsync."""
    _sync_range(fd, offset, length, _WRITE)


def wait_written(fd: int, offset: int, length: int) -> None:
    """Wait until this range has been written (but not flushed), so that the amount of dirty data stays limited."""
    _sync_range(fd, offset, length, _WAIT_BEFORE | _WRITE | _WAIT_AFTER)


if hasattr(_libc, "sync_file_range"):
    _libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]

    def _sync_range(fd: int, offset: int, length: int, flags: int) -> None:
        _libc.sync_file_range(fd, offset, length, flags)

else:

    def _sync_range(fd: int, offset: int, length: int, flags: int) -> None:
        return
