"""What a taken-over child might try; runs only in the sandbox."""

# The plain calls are the point:
# ruff: noqa: PTH101, PTH104, PTH108, PTH109, PTH208, PTH211, SIM115
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
from appliance.model.messages import Message


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


def say(request, input, scratch, *, progress):
    """Answer with messages, and say one while at it."""
    progress(0.5, request["said"])
    return {"cues": [{"message": request["said"]}], "deep": [Message("See: %(reason)s", reason=request["said"])]}


def fail_with(request, input, scratch, *, progress):
    raise RtdcError("damaged", request["said"])


def fail_raw(request, input, scratch, *, progress):
    """Say why in a packet of its own making."""
    os.write(_socket(progress), b"x" + request["packet"].encode())
    time.sleep(600)


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
    """Fill every file that may be written, each within its bound."""
    for path in scratch.iterdir():
        if path.name != "child.log":
            path.write_bytes(bytes(4 << 20))
    time.sleep(600)


def breed(request, input, scratch, *, progress):
    """Make files, folders and names of every kind. → what was refused."""
    made = {
        "file": lambda: (scratch / "new").write_bytes(b"x"),
        "folder": lambda: (scratch / "deep").mkdir(),
        "fifo": lambda: os.mkfifo(scratch / "fifo"),
        "symlink": lambda: os.symlink("/etc/passwd", scratch / "link"),
        "hard link": lambda: os.link(input, scratch / "hard"),
        "rename": lambda: os.rename(scratch / "out", scratch / "new"),
        "remove": lambda: os.unlink(scratch / "out"),
        "temporary": lambda: os.open(scratch, os.O_TMPFILE | os.O_RDWR),
    }
    refused = []
    for name, action in made.items():
        try:
            action()
        except OSError:
            refused.append(name)
    return {"refused": refused, "left": sorted(path.name for path in scratch.iterdir())}


def allocate_disk(request, input, scratch, *, progress):
    """Take room on the disk as fast as the kernel gives it. → bytes in each file."""
    taken = []
    for path in sorted(scratch.iterdir()):
        if path.name == "child.log":
            continue
        with path.open("r+b") as file:
            for step in range(1, 64):
                try:
                    os.posix_fallocate(file.fileno(), 0, step << 20)
                except OSError:
                    break
            taken.append(os.fstat(file.fileno()).st_blocks * 512)
    return {"taken": taken}


def flood(request, input, scratch, *, progress):
    """Report progress without end."""
    while True:
        progress(0.5, "x" * 100)


def empty_packets(request, input, scratch, *, progress):
    while True:
        os.write(_socket(progress), b"j")


def many_lists(request, input, scratch, *, progress):
    """A short answer that takes a lot of memory."""
    _send(_socket(progress), b"[" + b"[]," * 5_000_000 + b"[]]")
    time.sleep(600)


def long_answer(request, input, scratch, *, progress):
    _send(_socket(progress), b"[" + b"0," * 60_000_000 + b"0]")
    time.sleep(600)


def escapes(request, input, scratch, *, progress):
    """Give the administrator's terminal and the page something to obey."""
    os.write(2, b"\x1b]0;owned\x07\x1b[2Jtext\n")
    progress(0.1, "\x1b[31mred")
    raise RtdcError("bad\x1b[0m", "first\nsecond \x1b[2J \N{RIGHT-TO-LEFT OVERRIDE}end")


def _socket(progress):
    """The descriptor that the trusted code of the child answers through."""
    return progress.__closure__[0].cell_contents


def _send(fd, data):
    for start in range(0, len(data), 16000):
        os.write(fd, b"j" + data[start : start + 16000])
    os.write(fd, b"E")


def talk(request, input, scratch, *, progress):
    return bytes(400 << 20)


def nested(request, input, scratch, *, progress):
    _send(_socket(progress), b"[" * 200_000)
    time.sleep(600)


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
