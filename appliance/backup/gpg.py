"""GnuPG, for institutes that keep such a key already: encrypt to a public key, decrypt with the private one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.backup.crypto import FILE_MODE
from appliance.model.messages import Message
from appliance.model.problem import invalid
from appliance.security.secrets import private_folder

_TIMEOUT = 3600
# The path of a socket has at most 107 bytes; the longest name that GnuPG puts into its folder is S.gpg-agent.browser.
_LONGEST_HOME = 107 - len("/S.gpg-agent.browser")
_KEY_ID = re.compile(r"(0x)?[0-9A-Fa-f]{8,40}|[^\s<>@-][^\s<>@]*@[^\s<>@]+")


def program() -> str:
    """Return the path of `gpg`. Raises Problem 409 when it is not installed."""
    found = shutil.which("gpg")
    if found is None:
        raise invalid(
            message=Message(
                "GnuPG is not installed: sudo apt install gpg. Or use `dcor backup create`, which needs none."
            )
        )
    return found


def import_key(home: Path, key: Path) -> None:
    """Add the public key in the file `key` to the keyring in `home` (0700). Raises Problem 409."""
    _run(home, ["--import", str(key)], "The key cannot be imported")


def has_key(home: Path, key_id: str) -> bool:
    """Return whether the keyring in `home` has the public key `key_id` (hexadecimal id or mail address)."""
    _require_key_id(key_id)
    if not home.is_dir():  # asking makes none
        return False
    with _home(home) as command:
        done = subprocess.run(
            [*command, "--list-keys", key_id], capture_output=True, timeout=60, check=False, **_account()
        )
    return done.returncode == 0


def require_key(home: Path, key_id: str) -> None:
    """Raise Problem 409, with what to do, unless the keyring in `home` has the public key `key_id`."""
    if not has_key(home, key_id):
        raise invalid(
            message=Message(
                "The public key %(key_id)s is not known here. Export it where it is kept (gpg --export --armor %(key_id)s) and import it: dcor encrypted-database-backup --import FILE",
                key_id=key_id,
            )
        )


def encrypt(home: Path, source: Path, target: Path, key_id: str) -> None:
    """Write `source` encrypted to the public key `key_id` as `target` (mode 0400). Raises Problem 409."""
    require_key(home, key_id)
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)  # of a run that was killed: its mode (0400) would refuse to be written over
    try:
        # The administrator chose this key by its id; nobody on a server signs keys.
        arguments = ["--trust-model", "always", "--recipient", key_id, "--output", str(draft), "--encrypt", str(source)]
        _run(home, arguments, "The encryption failed")
        draft.chmod(FILE_MODE)
        durable.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def decrypt(source: Path, target: Path, *, key: Path | None = None, passphrase: str | None = None) -> None:
    """Write what is in the encrypted file `source` into `target`.

    :param key: a file with the exported private key; it is used in a keyring that is gone afterwards. None: the keyring of
        whoever runs this, which may ask for its passphrase or its card on the terminal.
    :raises Problem: 409 for a wrong key or passphrase and for a damaged file.
    """
    arguments = ["--yes", "--output", str(target), "--decrypt", str(source)]
    if key is None:
        _call([program(), "--quiet", *arguments], f"{source.name} cannot be decrypted")
        return
    with tempfile.TemporaryDirectory(prefix="dcor-", dir=short_folder()) as folder:
        command = [program(), "--homedir", folder, "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback"]
        command += ["--passphrase-fd", "0"]
        try:
            _call([*command, "--import", str(key)], "The private key cannot be read", passphrase)
            _call([*command, *arguments], f"{source.name} cannot be decrypted with this key", passphrase)
        finally:
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], capture_output=True, check=False)


def short_folder() -> str | None:
    """Where a private key may lie for a moment, and where paths are short: in memory, else in /tmp."""
    return next((place for place in ("/dev/shm", "/tmp") if os.access(place, os.W_OK | os.X_OK)), None)  # noqa: S108


def _run(home: Path, arguments: list[str], failure: str) -> None:
    with _home(home) as command:
        _call([*command, *arguments], failure)


def _call(command: list[str], failure: str, stdin: str | None = None) -> None:
    given = None if stdin is None else (stdin + "\n").encode()
    own_terminal = "--no-tty" not in command  # it may ask for a passphrase there
    done = subprocess.run(
        command, input=given, stdin=None if given is not None or own_terminal else subprocess.DEVNULL,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, timeout=_TIMEOUT, check=False, **_account(),
    )  # fmt: skip
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise invalid(message=f"{failure}: {words[-1] if words else 'gpg says nothing'}")


def _account() -> dict[str, Any]:
    """Run the program wholly as the account that we work as: GnuPG drops lent rights, and would write as root. Private from the start."""
    lent = os.getuid() != os.geteuid()
    return {"umask": 0o077} | ({"user": os.geteuid(), "group": os.getegid()} if lent else {})


@contextmanager
def _home(home: Path) -> Iterator[list[str]]:
    """The command that uses the keyring in `home`, made if missing. GnuPG fails where the path of a socket in it is too long."""
    private_folder(home)
    with ExitStack() as held:
        if len(os.fsencode(home)) > _LONGEST_HOME:
            link = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="dcor-", dir=short_folder()))) / "home"
            link.symlink_to(home.absolute())
            home = link
        yield [program(), "--homedir", str(home), "--batch", "--no-tty", "--quiet", "--no-autostart"]


def _require_key_id(key_id: str) -> None:
    if _KEY_ID.fullmatch(key_id) is None:
        raise invalid(
            message=Message(
                "'%(key_id)s' is neither a GnuPG key ID (8 to 40 hexadecimal digits) nor an e-mail address.",
                key_id=key_id,
            )
        )
