"""What a child process gives up before it touches a file: everything but its input, its scratch folder, and a share of the machine."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import site
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import appliance
from appliance.jobs import landlock, seccomp
from appliance.model.messages import Message, joined

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 1, 38, 24
_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL = 47, 4
_NEW_IPC, _NEW_USER, _NEW_NET = 0x08000000, 0x10000000, 0x40000000
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_IOPRIO_IDLE = 3 << 13
_IOPRIO_LOWEST = (2 << 13) | 7
_EXTRA_READ = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
)

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Confinement:
    """Bounds of one child.

    :param read: files (or trees) it may read besides Python and the libraries.
    :param write: its folder; None for a reader. :param outputs: names of the files in it that it may write. It can make no others, so
        the kernel bounds what it writes: `file_size` for each, also before anybody looks.
    :param memory: address space in bytes on top of what the warm process already maps.
    :param cpu: processor seconds; :param file_size: largest file it may write, bytes.
    :param fork: may it start worker processes? :param allow_weak: run also where the kernel has no Landlock or no system call filter.
    """

    read: tuple[str, ...] = ()
    write: str | None = None
    outputs: tuple[str, ...] = ()
    memory: int = 4 << 30
    cpu: int = 3600
    file_size: int = 16 << 30
    open_files: int = 256
    processes: int = 16
    fork: bool = False
    idle_io: bool = False
    allow_weak: bool = False

    def output_paths(self) -> list[Path]:
        """Where the outputs lie."""
        return [Path(self.write) / name for name in self.outputs] if self.write else []

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Confinement:
        """Back from `to_json`."""
        return cls(**{**value, "read": tuple(value["read"]), "outputs": tuple(value["outputs"])})


def runtime_paths() -> tuple[Path, ...]:
    """What Python itself needs to read: the standard library, installed packages, this package, the mapped shared libraries' folders."""
    paths = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {Path(folder) for folder in site.getsitepackages()}
    paths |= {Path(appliance.__file__).parent}
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        name = line.partition("/")[2]
        if ".so" in name:
            paths.add(Path("/" + name).parent)
    paths |= {Path(path) for path in _EXTRA_READ}
    return tuple(sorted(paths))


def apply(bounds: Confinement, runtime: tuple[Path, ...], *, namespaces: bool) -> None:
    """Confine this process for the rest of its life. Single-threaded callers only.

    Raises OSError when the kernel refuses a step it offers, or lacks one without which `bounds` do not allow to run.

    :param runtime: `runtime_paths` of the warm process; :param namespaces: `namespaces_work` said so.
    """
    _die_with_parent()
    _lower_priority(idle_io=bounds.idle_io)
    if namespaces:
        _check(_libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC), "unshare")
    _set_limits(bounds, in_own_namespace=namespaces)
    _drop_capabilities()
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    filtered = seccomp.supported()
    folder = [Path(bounds.write)] if bounds.write else []
    read = [*runtime, *folder, *map(Path, bounds.read), Path("/dev/null")]
    version = landlock.restrict(read, bounds.output_paths())
    if not bounds.allow_weak and not (version and filtered):
        raise PermissionError(errno.EPERM, "no Landlock or no system call filter")
    if filtered:
        # From version 6 on Landlock keeps signals inside; before that no child may send any.
        seccomp.install(fork=bounds.fork, kill=bounds.fork and version >= 6)


def capabilities(*, namespaces: bool) -> dict[str, Any]:
    """What protects children on this machine: mechanism → version or yes/no, `warnings` in words.

    `complete`: does it have what jobs do not run without, unless the setting `jobs.allow_weak_sandbox` permits it?
    """
    version = landlock.abi()
    filtered = seccomp.supported()
    warnings = []
    if version == 0:
        warnings.append(
            Message(
                "The kernel has no Landlock: a malicious file that takes over a job could read other files of the "
                "service. Use kernel 5.13 or newer."
            )
        )
    elif version < 4:
        warnings.append(Message("Landlock of this kernel does not cover the network; the system call filter does."))
    if not filtered:
        warnings.append(
            Message("There is no system call filter for this machine (%(machine)s).", machine=os.uname().machine)
        )
    return {
        "landlock": version,
        "seccomp": filtered,
        "namespaces": namespaces,
        "complete": bool(version and filtered),
        "warnings": warnings,
    }


def summary(found: Mapping[str, Any]) -> str:
    """What `capabilities` found, in one line."""
    parts: list[str] = [
        Message("Landlock v%(version)s", version=found["landlock"]) if found["landlock"] else Message("no Landlock"),
        Message("system call filter") if found["seccomp"] else Message("no system call filter"),
        Message("namespaces") if found["namespaces"] else Message("no namespaces"),
    ]
    return joined(parts, ", ")


def namespaces_work() -> bool:
    """Try in a forked child whether an unprivileged process may have its own user, network and IPC namespaces."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if _libc.unshare(_NEW_USER | _NEW_NET | _NEW_IPC) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _die_with_parent() -> None:
    parent = os.getppid()
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "parent-death signal")
    if os.getppid() != parent or parent == 1:
        os._exit(1)


def _lower_priority(*, idle_io: bool) -> None:
    """Serving comes first, and the out-of-memory killer shall take the child, not the service."""
    with suppress(OSError):
        os.nice(10)
    number = _IOPRIO_SET.get(os.uname().machine)
    if number is not None:
        _libc.syscall(number, 1, 0, _IOPRIO_IDLE if idle_io else _IOPRIO_LOWEST)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")


def _set_limits(bounds: Confinement, *, in_own_namespace: bool) -> None:
    processes = bounds.processes + (0 if in_own_namespace else _tasks_of_this_user())
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, _mapped() + bounds.memory),
        (resource.RLIMIT_CPU, bounds.cpu),
        (resource.RLIMIT_FSIZE, bounds.file_size),
        (resource.RLIMIT_NOFILE, bounds.open_files),
        (resource.RLIMIT_NPROC, processes),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        grace = 5 if kind == resource.RLIMIT_CPU else 0  # the first signal says why, the second cannot be ignored
        resource.setrlimit(kind, (value, value + grace if hard == resource.RLIM_INFINITY else min(value + grace, hard)))


def _drop_capabilities() -> None:
    """Empty sets, so that even a service run as root has powerless children."""
    _libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _libc.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def _mapped() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tasks_of_this_user() -> int:
    """Threads that this user runs at the moment: RLIMIT_NPROC counts them all."""
    total, user = 0, os.getuid()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                if entry.stat().st_uid == user:
                    total += sum(1 for _ in os.scandir(f"/proc/{entry.name}/task"))
    return total


def _check(result: int, step: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{step}: {os.strerror(number)}")


def python_command(module: str, *arguments: str) -> list[str]:
    """Command line for a Python process of this package that ignores the environment and the user's packages."""
    return [sys.executable, "-I", "-B", "-m", module, *arguments]
