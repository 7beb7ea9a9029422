"""The filter's verdicts, computed from its BPF code for both architectures."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest

from appliance.jobs import seccomp

MACHINES = ("x86_64", "aarch64")
ALLOW, KILL = 0x7FFF0000, 0x80000000
#: numbers of calls that no child may make
FORBIDDEN = {
    "x86_64": {"socket": 41, "connect": 42, "execve": 59, "execveat": 322, "ptrace": 101, "mount": 165, "unshare": 272, "setns": 308, "chmod": 90, "bpf": 321,
               "io_uring_setup": 425, "process_vm_readv": 310, "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266, "setsid": 112, "keyctl": 250, "memfd_create": 319, "sendmsg": 46},
    "aarch64": {"socket": 198, "connect": 203, "execve": 221, "execveat": 281, "ptrace": 117, "mount": 40, "unshare": 97, "setns": 268, "fchmodat": 53, "bpf": 280,
                "io_uring_setup": 425, "process_vm_readv": 270, "linkat": 37, "symlinkat": 36, "setsid": 157, "keyctl": 219, "memfd_create": 279, "sendmsg": 211},
}  # fmt: skip


def verdict(
    machine: str, number: int, arguments: Sequence[int] = (), *, arch: int | None = None, **options: bool
) -> int:
    """What the filter says to a call: interpret its program as the kernel does."""
    data = _data(number, seccomp.ARCH[machine][1] if arch is None else arch, arguments)
    program = seccomp.build(machine, pid=4711, **{"fork": False, **options})
    position = accumulator = 0
    while True:
        code, yes, no, k = program[position]
        position += 1
        if code == 0x20:
            accumulator = data[k // 4]
        elif code == 0x06:
            return k
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
            position += yes if holds else no


def _data(number: int, arch: int, arguments: Sequence[int]) -> list[int]:
    words = [number, arch, 0, 0]
    for argument in [*arguments, *[0] * 6][:6]:
        words += [argument & 0xFFFFFFFF, argument >> 32]
    return words


@pytest.mark.parametrize("machine", MACHINES)
def test_forbidden_calls_fail(machine: str) -> None:
    for name, number in FORBIDDEN[machine].items():
        assert verdict(machine, number) & 0xFFFF == errno.EPERM, name
        assert verdict(machine, number, fork=True) >> 16 == 5, name


@pytest.mark.parametrize("machine", MACHINES)
def test_listed_calls_pass(machine: str) -> None:
    column = MACHINES.index(machine)
    for name, numbers in seccomp.CALLS.items():
        if numbers[column] is not None:
            assert verdict(machine, numbers[column]) == ALLOW, name  # type: ignore[arg-type]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_other_number_fails(machine: str) -> None:
    column = MACHINES.index(machine)
    known = {numbers[column] for numbers in (*seccomp.CALLS.values(), *seccomp.SPECIAL.values())}
    for number in set(range(600)) - known:
        assert verdict(machine, number) == 0x00050000 | errno.EPERM


def test_foreign_architectures_are_killed() -> None:
    assert verdict("x86_64", 0, arch=0x40000003) == KILL  # 32-bit calls have other numbers
    assert verdict("x86_64", 0x40000000) & 0xFFFF == errno.EPERM  # so have x32's


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_always_processes_only_where_allowed(machine: str) -> None:
    clone = seccomp.SPECIAL["clone"][MACHINES.index(machine)]
    thread, process, namespace, sibling = 0x3D0F00, 0x1200011, 0x10000000 | 0x10000, 0x8000 | 17
    assert verdict(machine, clone, [thread]) == ALLOW
    assert verdict(machine, clone, [process]) != ALLOW
    assert verdict(machine, clone, [process], fork=True) == ALLOW
    for flags in (namespace, sibling):
        assert verdict(machine, clone, [flags]) != ALLOW
        assert verdict(machine, clone, [flags], fork=True) != ALLOW
    assert verdict(machine, 435) & 0xFFFF == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_signals_reach_only_the_sender(machine: str) -> None:
    column = MACHINES.index(machine)
    kill, tgkill = seccomp.SPECIAL["kill"][column], seccomp.SPECIAL["tgkill"][column]
    assert verdict(machine, kill, [1, 9]) != ALLOW
    assert verdict(machine, kill, [1, 9], kill=True) == ALLOW
    assert verdict(machine, tgkill, [4711, 4711, 6]) == ALLOW
    assert verdict(machine, tgkill, [1, 1, 9]) != ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_limits_can_be_read_but_not_set(machine: str) -> None:
    prlimit = seccomp.SPECIAL["prlimit64"][MACHINES.index(machine)]
    assert verdict(machine, prlimit, [0, 7, 0, 0x7FFF00000000]) == ALLOW
    assert verdict(machine, prlimit, [0, 7, 0x7FFF00000000, 0]) != ALLOW
    assert verdict(machine, prlimit, [0, 7, 0x1000, 0]) != ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_some_options_of_fcntl_prctl_and_ioctl(machine: str) -> None:
    column = MACHINES.index(machine)
    fcntl, prctl, ioctl = (seccomp.SPECIAL[name][column] for name in ("fcntl", "prctl", "ioctl"))
    assert verdict(machine, fcntl, [3, 1]) == ALLOW
    assert all(verdict(machine, fcntl, [3, command]) != ALLOW for command in (8, 10, 15))
    assert verdict(machine, prctl, [15]) == ALLOW
    assert all(verdict(machine, prctl, [option]) != ALLOW for option in (4, 22, 24, 38))
    assert verdict(machine, ioctl, [0, 0x5412]) & 0xFFFF == errno.ENOTTY
