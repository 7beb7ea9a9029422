"""Secret files: made once, whole or not at all, readable by the service's account only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from appliance.durable import sync_folder
from appliance.model.problem import invalid

#: Length of a secret [bytes].
SIZE = 32


def signing_key(folder: Path) -> bytes:
    """Return the `SIZE` bytes that sign URLs (`signing.Signer`), from `folder`; folder (0700) and file (0600) are made.

    Several processes may start at once: they all get the same key. Raises Problem for a damaged file and OSError when
    the folder cannot be written.
    """
    private_folder(folder)
    return load_or_create(folder / "signing.key")


def load_or_create(path: Path) -> bytes:
    """Return the `SIZE` random bytes that `path` holds (as hexadecimal text); make the file when it is missing."""
    if not path.exists():
        draft = _draft(path, secrets.token_hex(SIZE).encode() + b"\n", 0o600)
        try:
            os.link(draft, path)  # unlike a rename, fails when another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        sync_folder(path.parent)
    path.chmod(0o600)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != SIZE:
        raise invalid(message=f"{path} is damaged. Restore it from a backup, or remove it to have a new one made.")
    return value


def write_private(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data` in one step that survives a power cut; nobody else can read it at any moment."""
    draft = _draft(path, data, mode)
    draft.replace(path)
    sync_folder(path.parent)


def private_folder(path: Path, mode: int = 0o700) -> Path:
    """Make `path` (and its parents) where missing; it ends with `mode`."""
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    path.chmod(mode)
    return path


def _draft(path: Path, data: bytes, mode: int) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    return draft
