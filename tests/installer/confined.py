"""Run a command under the system call rules of a systemd unit, where systemd itself does not run.

`python -m tests.installer.confined UNIT COMMAND…`: what SystemCallFilter, MemoryDenyWriteExecute, RestrictNamespaces,
RestrictAddressFamilies and NoNewPrivileges of UNIT forbid is forbidden (EPERM), by the library that systemd uses for it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

ALLOW, DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
MASKED_EQUAL, NOT_EQUAL, EQUAL = 7, 1, 4
PROT_WRITE, PROT_EXEC = 2, 4
NAMESPACES = 0x7E020080  # CLONE_NEW*


class Compare(ctypes.Structure):
    """One condition on an argument (struct scmp_arg_cmp)."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def settings(unit: Path) -> dict[str, list[str]]:
    """The unit's lines by key."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        key, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def calls(words: list[str]) -> set[str]:
    """Names of system calls, groups expanded."""
    found: set[str] = set()
    for word in words:
        if word.startswith("@"):
            said = subprocess.run(
                ["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True
            ).stdout
            found |= calls(
                [line.strip() for line in said.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
            )
        else:
            found.add(word)
    return found


def allowed(lines: list[str]) -> set[str]:
    """What a list of SystemCallFilter= lines leaves."""
    found: set[str] = set()
    for line in lines:
        found = found - calls(line[1:].split()) if line.startswith("~") else found | calls(line.split())
    return found


def main() -> None:
    """Confine this process and become the command."""
    unit = settings(Path(sys.argv[1]))
    names = allowed(unit["SystemCallFilter"])
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p

    def rule(context: int, action: int, name: str, *conditions: Compare) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            array = (Compare * len(conditions))(*conditions)
            if (
                library.seccomp_rule_add_array(
                    ctypes.c_void_p(context), ctypes.c_uint32(action), number, len(conditions), array
                )
                != 0
            ):
                raise OSError(f"rule for {name}")

    permitted = library.seccomp_init(ctypes.c_uint32(DENY))
    for name in names | {"execve"}:
        rule(permitted, ALLOW, name)
    forbidden = library.seccomp_init(ctypes.c_uint32(ALLOW))
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        rule(forbidden, DENY, "mmap", Compare(2, MASKED_EQUAL, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC))
        rule(forbidden, DENY, "mprotect", Compare(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
    if unit["RestrictNamespaces"] == ["yes"]:
        bits = [1 << bit for bit in range(32) if NAMESPACES >> bit & 1]
        for bit in bits:
            rule(forbidden, DENY, "clone", Compare(0, MASKED_EQUAL, bit, bit))
            rule(forbidden, DENY, "unshare", Compare(0, MASKED_EQUAL, bit, bit))
        rule(forbidden, DENY, "setns")
    families = {int(getattr(socket, name)) for name in unit["RestrictAddressFamilies"][0].split()}
    for family in set(range(46)) - families:
        rule(forbidden, DENY, "socket", Compare(0, EQUAL, family, 0))
    if ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) != 0:
        raise OSError("no_new_privs")
    for context in (permitted, forbidden):
        if library.seccomp_load(ctypes.c_void_p(context)) != 0:
            raise OSError("seccomp_load")
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
