"""Secret files: created once, atomically, readable by the service's account only."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from appliance import durable
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
        draft = durable.new_draft(path, secrets.token_hex(SIZE).encode() + b"\n", 0o600)
        try:
            durable.add_name(draft, path)  # unlike a rename, fails when another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    path.chmod(0o600)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != SIZE:
        raise invalid(message=f"{path} is damaged. Restore it from a backup, or remove it to have a new one created.")
    return value


def write_private(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data` atomically and durably; nobody else can read it at any moment."""
    durable.write(path, data, mode)


def write_owned(path: Path, secret: str, owner: Sequence[str]) -> None:
    """Store a secret with what it belongs to (server, account …), in lines, readable by the service's account only."""
    private_folder(path.parent)
    write_private(path, "\n".join([secret, *owner]).encode() + b"\n")


def read_owned(path: Path, owner: Sequence[str]) -> str:
    """Return the secret that `write_owned` kept; "" without one, or when it belongs to something else: whoever changes the server in the
    settings does not get the secret of the one before. Raises OSError when the file cannot be read."""
    try:
        secret, *kept = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ValueError):
        return ""
    return secret if kept == list(owner) else ""


def private_folder(path: Path, mode: int = 0o700) -> Path:
    """Create `path` (and its parents) if missing, and set `mode`."""
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    path.chmod(mode)
    return path
