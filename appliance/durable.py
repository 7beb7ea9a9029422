"""Durable writing and renaming of files: content and name survive a power failure.

Order: content → fsync → rename → fsync of the folder. No other module of this package renames files (a test enforces this).
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path


def sync_file(path: Path) -> None:
    """fsync the content of a file. Raises OSError."""
    _sync(path, os.O_RDONLY | os.O_CLOEXEC)


def sync_folder(path: Path) -> None:
    """fsync a folder, i.e. the names in it. Raises OSError."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def replace(source: Path, target: Path) -> None:
    """Rename a finished file, symbolic link or folder to `target` on the same file system, durably.

    The content is synced first, so that `target` is always the old file or the complete new one; then the folders are synced.
    An existing file is replaced. Raises OSError.
    """
    if not source.is_symlink():
        sync_file(source)  # a folder: the names in it
    source.replace(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def move(source: Path, target: Path) -> None:
    """Like `replace`, but also from another file system: then the content is copied beside `target` first. Raises OSError."""
    try:
        replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        draft = new_draft(target, b"", 0o600)
        try:
            shutil.copyfile(source, draft)
            draft.chmod(source.stat().st_mode & 0o777)
            replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
        source.unlink()


def add_name(source: Path, target: Path) -> None:
    """Hard-link a finished file, durably. Raises FileExistsError when `target` exists, and OSError."""
    sync_file(source)
    os.link(source, target)
    sync_folder(target.parent)


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data` atomically; others cannot read it before it has `mode`. Raises OSError."""
    draft = new_draft(path, data, mode)
    try:
        replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def append_private(path: Path, data: bytes) -> None:
    """Append to a file that only its owner can read (created with mode 0600 if missing), durably. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def new_draft(path: Path, data: bytes, mode: int) -> Path:
    """Write `data` to a new temporary file beside `path`, for `replace` or `add_name`; returns its path. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
