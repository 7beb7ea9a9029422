"""What a taken-over child might try; runs only in the sandbox."""

# The plain calls are the point:
# ruff: noqa: PTH101, PTH108, PTH109, PTH208, PTH211, SIM115
from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from appliance.jobs.rtdc.errors import RtdcError


def echo(request, input, scratch, *, progress):
    progress(0.5, "half")
    (scratch / "out").write_bytes(input.read_bytes())
    return {
        "got": request,
        "cwd": os.getcwd(),
        "env": dict(os.environ),
    }


def binary(request, input, scratch, *, progress):
    return bytes(request["size"])


def nothing(request, input, scratch, *, progress):
    return {}


def refuse(request, input, scratch, *, progress):
    raise RtdcError("forbidden", "external storage")


def break_(request, input, scratch, *, progress):
    raise RuntimeError("broken in /secret/place")


def attempt(request, input, scratch, *, progress):
    """Run one forbidden thing and tell how it ended."""
    try:
        return {"done": repr(ATTEMPTS[request["what"]](request))}
    except (OSError, ValueError) as error:
        return {"refused": type(error).__name__, "errno": getattr(error, "errno", None)}


def crash(request, input, scratch, *, progress):
    ctypes.string_at(0)


def allocate(request, input, scratch, *, progress):
    return {"size": len(bytearray(request["size"]))}


def sleep(request, input, scratch, *, progress):
    while True:
        time.sleep(0.05)


def spin(request, input, scratch, *, progress):
    while True:
        pass


def fill(request, input, scratch, *, progress):
    with (scratch / "big").open("wb") as file:
        for _ in range(1000):
            file.write(bytes(1 << 20))


def litter(request, input, scratch, *, progress):
    number = 0
    while True:
        (scratch / str(number)).write_bytes(bytes(1 << 20))
        number += 1
        time.sleep(0.01)


def talk(request, input, scratch, *, progress):
    return bytes(400 << 20)


def nested(request, input, scratch, *, progress):
    os.write(int(request.get("fd", 3)), b"j" + b"[" * 60000)
    return []


def forks(request, input, scratch, *, progress):
    """Fork until refused (root is not: limits on processes do not count for it), each child sleeping; `hang` sleeps, too."""
    made, refused = 0, None
    try:
        while made < 200:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
            made += 1
    except OSError as error:
        refused = error.errno
    if request.get("hang"):
        time.sleep(600)
    return {"made": made, "error": refused}


def worker(request, input, scratch, *, progress):
    """What condense does: a worker process that hands back its part through a pipe."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(w, b"part")
        os._exit(0)
    part = os.read(r, 10)
    os.waitpid(pid, 0)
    return {"part": part.decode()}


def _raw(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


ATTEMPTS = {
    "read": lambda r: Path(r["path"]).read_bytes(),
    "list": lambda r: os.listdir(r["path"]),
    "write": lambda r: Path(r["path"]).write_bytes(b"x"),
    "append": lambda r: Path(r["path"]).open("ab"),
    "unlink": lambda r: os.unlink(r["path"]),
    "chmod": lambda r: os.chmod(r["path"], 0o777),
    "utime": lambda r: os.utime(r["path"]),
    "truncate": lambda r: os.truncate(r["path"], 0),
    "link": lambda r: os.link(r["path"], "stolen"),
    "symlink": lambda r: os.symlink(r["path"], "link"),
    "tcp": lambda r: socket.create_connection(("127.0.0.1", r["port"]), 2),
    "udp": lambda r: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", r["port"])),
    "unix": lambda r: socket.socket(socket.AF_UNIX).connect(r["path"]),
    "exec": lambda r: os.execv("/bin/true", ["true"]),
    "subprocess": lambda r: subprocess.run(["/bin/true"], check=True),
    "kill": lambda r: os.kill(r["pid"], signal.SIGTERM),
    "environ": lambda r: Path(f"/proc/{r['pid']}/environ").read_bytes(),
    "ptrace": lambda r: _raw({"x86_64": 101, "aarch64": 117}[os.uname().machine], 16, r["pid"], 0, 0),
    "fork": lambda r: os.fork(),
    "setsid": lambda r: os.setsid(),
    "namespace": lambda r: _raw({"x86_64": 272, "aarch64": 97}[os.uname().machine], 0x10000000),
    "mount": lambda r: _raw({"x86_64": 165, "aarch64": 40}[os.uname().machine], b"none", b"/tmp", b"tmpfs", 0, None),
    "shared_memory": lambda r: _raw({"x86_64": 29, "aarch64": 194}[os.uname().machine], 0, 4096, 0o1600),
    "io_uring": lambda r: _raw(425, 1, None),
    "keyctl": lambda r: _raw({"x86_64": 250, "aarch64": 219}[os.uname().machine], 0, -3, 0),
    "raise_limit": lambda r: _raw(
        {"x86_64": 302, "aarch64": 261}[os.uname().machine], 0, 4, (ctypes.c_ulong * 2)(0, 0), None
    ),
    "mmap": lambda r: mmap.mmap(-1, 4096),
}
