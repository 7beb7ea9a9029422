"""Calls to the operating system that reserve room for a large file and write it out while it grows, so that its end is not waited for."""

from __future__ import annotations

import ctypes
import errno
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_WAIT_BEFORE, _WRITE, _WAIT_AFTER = 1, 2, 4


def reserve(fd: int, size: int) -> None:
    """Reserve room for `size` bytes, where the file system can. Raises OSError (ENOSPC) when there is not enough.

    `os.posix_fallocate` is not used: where the file system can not, it writes the zeros itself, to the last of 100 GB.
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
    """Have the kernel begin to write this range to disk; returns at once. Only advice: errors come from fsync."""
    _sync_range(fd, offset, length, _WRITE)


def wait_written(fd: int, offset: int, length: int) -> None:
    """Wait until this range has been written (not yet: flushed), so that the end of a file is never far behind."""
    _sync_range(fd, offset, length, _WAIT_BEFORE | _WRITE | _WAIT_AFTER)


if hasattr(_libc, "sync_file_range"):
    _libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]

    def _sync_range(fd: int, offset: int, length: int, flags: int) -> None:
        _libc.sync_file_range(fd, offset, length, flags)

else:

    def _sync_range(fd: int, offset: int, length: int, flags: int) -> None:
        return
