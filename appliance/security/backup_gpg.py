"""Database backups for a GnuPG key, as the DCOR manual has them: for institutes that keep such a key already."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from appliance.model.problem import invalid
from appliance.security.backup_crypto import FILE_MODE
from appliance.security.secrets import private_folder

_TIMEOUT = 3600
_KEY_ID = re.compile(r"(0x)?[0-9A-Fa-f]{8,40}|[^\s<>@-][^\s<>@]*@[^\s<>@]+")


def program() -> str:
    """Return the path of `gpg`. Raises Problem 409 when it is not installed."""
    found = shutil.which("gpg")
    if found is None:
        raise invalid(
            message="GnuPG is not installed: sudo apt install gpg. Or use `dcor backup create`, which needs none."
        )
    return found


def import_key(home: Path, key: Path) -> None:
    """Add the public key in the file `key` to the keyring in `home` (0700). Raises Problem 409."""
    _run(home, ["--import", str(key)], "The key cannot be imported")


def has_key(home: Path, key_id: str) -> bool:
    """Return whether the keyring in `home` has the public key `key_id` (hexadecimal id or mail address)."""
    _require_key_id(key_id)
    done = subprocess.run(_command(home, ["--list-keys", key_id]), capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def encrypt(home: Path, source: Path, target: Path, key_id: str) -> None:
    """Write `source` encrypted to the public key `key_id` as `target` (mode 0400). Raises Problem 409."""
    if not has_key(home, key_id):
        raise invalid(
            message=f"The public key {key_id} is not known here. Export it where it is kept (gpg --export --armor {key_id}) "
            "and import it: dcor encrypted-database-backup --import FILE"
        )
    draft = target.with_name(target.name + ".part")
    try:
        # The administrator chose this key by its id; nobody on a server signs keys.
        arguments = ["--trust-model", "always", "--recipient", key_id, "--output", str(draft), "--encrypt", str(source)]
        _run(home, arguments, "The encryption failed")
        draft.chmod(FILE_MODE)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _run(home: Path, arguments: list[str], failure: str) -> None:
    done = subprocess.run(_command(home, arguments), capture_output=True, timeout=_TIMEOUT, check=False)
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise invalid(message=f"{failure}: {words[-1] if words else 'gpg says nothing'}")


def _command(home: Path, arguments: list[str]) -> list[str]:
    private_folder(home)
    return [program(), "--homedir", str(home), "--batch", "--no-tty", "--quiet", "--no-autostart", *arguments]


def _require_key_id(key_id: str) -> None:
    if _KEY_ID.fullmatch(key_id) is None:
        raise invalid(message=f"'{key_id}' is no GnuPG key id (8 to 40 hexadecimal digits) or mail address.")
