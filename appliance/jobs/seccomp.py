"""A seccomp filter: the list of system calls that reading and writing HDF5 needs; every other one fails with EPERM.

No sockets, no exec, no ptrace, no mounts, no changing of modes, owners or times (Landlock does not cover those), no signals to
others. Written as plain BPF so that no compiled helper is needed; x86_64 and aarch64.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
from pathlib import Path

ARCH = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32_BIT = 0x40000000
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_CLONE_THREAD = 0x00010000
_CLONE_REFUSED = 0x7E020080 | 0x00008000  # new namespaces; becoming the sibling of its parent
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15
_PRCTL_HARMLESS = (1, 15, 0x53564D41)  # parent-death signal, own name, names of anonymous memory

# name: (x86_64, aarch64); None where the architecture has no such call
CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "futex": (202, 98),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "brk": (12, 214),
    "close": (3, 57),
    "lseek": (8, 62),
    "openat": (257, 56),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "readv": (19, 65),
    "writev": (20, 66),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "open": (2, None),
    "openat2": (437, 437),
    "close_range": (436, 436),
    "stat": (4, None),
    "lstat": (6, None),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "getdents": (78, None),
    "getdents64": (217, 61),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "fadvise64": (221, 223),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "sync_file_range": (277, 84),
    "copy_file_range": (326, 285),
    "sendfile": (40, 71),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "flock": (73, 32),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_wait": (232, None),
    "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441),
    "eventfd2": (290, 19),
    "umask": (95, 166),
    "msync": (26, 227),
    "mincore": (27, 232),
    "membarrier": (324, 283),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "futex_waitv": (449, 449),
    "set_robust_list": (273, 99),
    "get_robust_list": (274, 100),
    "rseq": (334, 293),
    "set_tid_address": (218, 96),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getpgrp": (111, None),
    "getpgid": (121, 155),
    "getsid": (124, 156),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getresuid": (118, 148),
    "getresgid": (120, 150),
    "getgroups": (115, 158),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getitimer": (36, 102),
    "setitimer": (38, 103),
    "alarm": (37, None),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "getpriority": (140, 141),
    "getcpu": (309, 168),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "arch_prctl": (158, None),
    "capget": (125, 90),
}
SPECIAL = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "kill": (62, 129),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "tgkill": (234, 131),
}

_Instruction = tuple[int, int, int, int]


@functools.cache
def supported() -> bool:
    """Does a filter exist for this machine, and does the kernel take filters? (Asked before the process is confined.)"""
    return os.uname().machine in ARCH and "seccomp" in _status_fields()


def install(*, fork: bool, kill: bool = False) -> None:
    """Apply the filter to the calling thread and its descendants; `no_new_privs` must be set. Raises OSError.

    :param fork: may it make child processes (threads are always allowed)?
    :param kill: may it send signals to other processes (something else must confine them)?
    """
    program = build(os.uname().machine, fork=fork, kill=kill, pid=os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))

    class Program(ctypes.Structure):
        """``struct sock_fprog`` of linux/filter.h."""

        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    descriptor = Program(len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(descriptor), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def build(machine: str, *, fork: bool, pid: int, kill: bool = False) -> list[_Instruction]:
    """The filter's BPF instructions for `machine`; signals only to process `pid` itself. Raises KeyError for an unknown machine."""
    column, arch = ARCH[machine]
    steps: list[_Instruction] = [(_LD, 0, 0, 4), (_JEQ, 1, 0, arch), (_RET, 0, 0, _KILL), (_LD, 0, 0, 0)]
    if column == 0:
        steps += [(_JGE, 0, 1, _X32_BIT), _refuse(errno.EPERM)]
    for name, rules in _special_rules(fork=fork, kill=kill, pid=pid).items():
        steps += [(_JEQ, 0, len(rules), SPECIAL[name][column]), *rules]
    for numbers in CALLS.values():
        number = numbers[column]
        if number is not None:
            steps += [(_JEQ, 0, 1, number), (_RET, 0, 0, _ALLOW)]
    steps.append(_refuse(errno.EPERM))
    return steps


def _special_rules(*, fork: bool, kill: bool, pid: int) -> dict[str, list[_Instruction]]:
    """Calls that are allowed or not by their arguments; each list ends with a decision."""
    allow: _Instruction = (_RET, 0, 0, _ALLOW)
    deny = _refuse(errno.EPERM)
    if fork:
        clone = [_argument(0), (_JSET, 0, 1, _CLONE_REFUSED), deny, allow]
    else:
        clone = [_argument(0), (_JSET, 2, 0, _CLONE_REFUSED), (_JSET, 0, 1, _CLONE_THREAD), allow, deny]
    fcntl = [_argument(1)]
    for command in (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX):
        fcntl += [(_JEQ, 0, 1, command), deny]
    prctl = [_argument(0)]
    for option in _PRCTL_HARMLESS:
        prctl += [(_JEQ, 0, 1, option), allow]
    return {
        "clone": clone,
        "clone3": [_refuse(errno.ENOSYS)],  # its flags are behind a pointer; the C library falls back to clone
        "fcntl": [*fcntl, allow],
        "kill": [allow if kill else deny],
        "ioctl": [_refuse(errno.ENOTTY)],
        "prctl": [*prctl, deny],
        "prlimit64": [_argument(2), (_JEQ, 0, 2, 0), _argument(2, high=True), (_JEQ, 1, 0, 0), deny, allow],
        "tgkill": [_argument(0), (_JEQ, 1, 0, pid), deny, allow],
    }


def _argument(index: int, *, high: bool = False) -> _Instruction:
    return (_LD, 0, 0, 16 + 8 * index + (4 if high else 0))


def _refuse(number: int) -> _Instruction:
    return (_RET, 0, 0, _ERRNO | number)


def _status_fields() -> set[str]:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return {line.split(":")[0].lower() for line in lines}
