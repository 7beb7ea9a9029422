"""What a taken-over child can do: nothing but spoil its own job."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.jobs import landlock
from appliance.jobs.confinement import Confinement
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import SandboxError
from tests.support.waiting import wait_for

pytestmark = pytest.mark.root  # who is root has more to give up

SECRET = b"patients: Erika Mustermann"


@pytest.fixture
def input_file(tmp_path: Path) -> Path:
    path = tmp_path / "depot" / "input"
    path.parent.mkdir()
    path.write_bytes(b"measurement")
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "depot" / "secret"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A TCP and a UDP port that note who called."""
    calls: list[object] = []
    tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp.bind(("127.0.0.1", 0))
    tcp.listen()
    udp.bind(("127.0.0.1", tcp.getsockname()[1]))
    tcp.settimeout(0.2)
    udp.settimeout(0.2)
    yield tcp.getsockname()[1], calls
    for waiting in (tcp.accept, lambda: udp.recv(10)):
        try:
            calls.append(waiting())
        except TimeoutError:
            continue
    tcp.close()
    udp.close()
    assert calls == []


def attempt(sandbox: Sandbox, input_file: Path, what: str, **request: object) -> dict[str, object]:
    answer: dict[str, object] = sandbox.run("attempt", input_file, {"what": what, **request}, timeout=20).answer
    return answer


def test_task_reads_its_input_and_writes_its_scratch(hostile: Sandbox, input_file: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "mine"
    scratch.mkdir()
    told: list[tuple[float, str]] = []
    outcome = hostile.run(
        "echo",
        input_file,
        {"a": [1, "ü"]},
        timeout=20,
        scratch=scratch,
        outputs=("out",),
        progress=lambda *line: told.append(line),
    )
    assert outcome.answer["got"] == {"a": [1, "ü"]}
    assert told == [(0.5, "half")]
    assert (scratch / "out").read_bytes() == b"measurement"
    assert outcome.peak > 1 << 20


def test_environment_is_scrubbed(hostile: Sandbox, input_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCOR_SECRET", "x")
    env = hostile.run("echo", input_file, {}, timeout=20, outputs=("out",)).answer["env"]
    assert "DCOR_SECRET" not in env
    assert env["HDF5_USE_FILE_LOCKING"] == "FALSE"
    assert env["HDF5_PLUGIN_PATH"] == ""
    assert env["HOME"] == "/nonexistent"


def test_scratch_is_gone_afterwards(tmp_path: Path, hostile: Sandbox, input_file: Path) -> None:
    folder = hostile.run("echo", input_file, {}, timeout=20, outputs=("out",)).answer["cwd"]
    assert not Path(folder).exists()


@pytest.mark.parametrize("what", ["read", "write", "append", "unlink", "chmod", "utime", "truncate", "link", "symlink"])
def test_other_files_are_out_of_reach(hostile: Sandbox, input_file: Path, secret: Path, what: str) -> None:
    if landlock.abi() == 0 and what in {"read", "write", "append", "unlink"}:
        pytest.skip("this kernel has no Landlock")
    before = secret.stat()
    answer = attempt(hostile, input_file, what, path=str(secret))
    assert answer["refused"] == "PermissionError"
    after = secret.stat()
    assert secret.read_bytes() == SECRET
    assert (before.st_mode, before.st_mtime_ns, before.st_nlink) == (after.st_mode, after.st_mtime_ns, after.st_nlink)


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/shadow", "/proc/self/environ", "/proc/1/cmdline"])
@pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
def test_system_files_are_out_of_reach(hostile: Sandbox, input_file: Path, path: str) -> None:
    assert attempt(hostile, input_file, "read", path=path)["refused"] in {"PermissionError", "FileNotFoundError"}


@pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize("what", ["write", "append", "unlink", "chmod", "truncate"])
def test_the_input_itself_cannot_be_changed(hostile: Sandbox, input_file: Path, what: str) -> None:
    assert attempt(hostile, input_file, what, path=str(input_file))["refused"] == "PermissionError"
    assert input_file.read_bytes() == b"measurement"


@pytest.mark.parametrize("what", ["tcp", "udp"])
def test_no_packet_leaves(hostile: Sandbox, input_file: Path, listener: tuple[int, list[object]], what: str) -> None:
    assert attempt(hostile, input_file, what, port=listener[0])["refused"] == "PermissionError"


def test_no_unix_socket(hostile: Sandbox, input_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    assert attempt(hostile, input_file, "unix", path=str(path))["refused"] == "PermissionError"
    server.close()


@pytest.mark.parametrize(
    "what",
    [
        "exec",
        "subprocess",
        "fork",
        "setsid",
        "namespace",
        "mount",
        "shared_memory",
        "io_uring",
        "keyctl",
        "raise_limit",
    ],
)
def test_system_calls_are_refused(hostile: Sandbox, input_file: Path, what: str) -> None:
    assert attempt(hostile, input_file, what)["refused"] == "PermissionError"


@pytest.mark.parametrize("what", ["kill", "ptrace", "environ"])
def test_the_service_is_out_of_reach(hostile: Sandbox, input_file: Path, what: str) -> None:
    assert attempt(hostile, input_file, what, pid=os.getpid())["refused"] == "PermissionError"


def test_threads_and_memory_maps_work(hostile: Sandbox, input_file: Path) -> None:
    assert "done" in attempt(hostile, input_file, "mmap")


@pytest.mark.parametrize(
    ("task", "bounds", "kind", "permanent"),
    [
        ("refuse", {}, "forbidden", True),
        ("break_", {}, "internal", False),
        ("crash", {}, "crash", False),
        ("sleep", {"timeout": 0.5}, "timeout", True),
        ("spin", {"cpu": 1}, "cpu", True),
        ("fill", {"file_size": 1 << 20, "outputs": ("big",)}, "file-size", True),
        ("litter", {"file_size": 5 << 20, "outputs": tuple("abcd")}, "file-size", True),
        ("talk", {}, "answer", True),
        ("long_answer", {}, "answer", True),
        ("many_lists", {}, "answer", True),
        ("nested", {}, "answer", True),
        ("flood", {}, "answer", True),
        ("empty_packets", {}, "answer", True),
        ("no_such_task", {}, "internal", False),
    ],
)
def test_bad_endings_have_a_reason(
    hostile: Sandbox, input_file: Path, task: str, bounds: dict[str, object], kind: str, permanent: bool
) -> None:
    options = {"timeout": 20, **bounds}
    with pytest.raises(SandboxError) as caught:
        hostile.run(task, input_file, {}, **options)  # type: ignore[arg-type]
    assert (caught.value.kind, caught.value.permanent) == (kind, permanent)
    assert caught.value.message
    assert hostile.run("nothing", input_file, {}, timeout=20).answer == {}


def test_reasons_do_not_name_paths_but_the_log_does(hostile: Sandbox, input_file: Path) -> None:
    with pytest.raises(SandboxError) as caught:
        hostile.run("break_", input_file, {}, timeout=20)
    assert "/secret" not in caught.value.message
    assert "RuntimeError" in caught.value.log


def test_what_a_child_says_cannot_command_a_terminal_or_a_page(hostile: Sandbox, input_file: Path) -> None:
    stages: list[str] = []
    with pytest.raises(SandboxError) as caught:
        hostile.run("escapes", input_file, {}, timeout=20, progress=lambda _share, stage: stages.append(stage))
    error = caught.value
    assert "text" in error.log
    for text in (error.kind, error.message, *stages, *error.log.splitlines()):
        assert text.isprintable(), text


def test_a_child_makes_no_names(hostile: Sandbox, input_file: Path) -> None:
    """So nothing but plain files lies where the service looks for its results, and their number bounds the room they take."""
    found = hostile.run("breed", input_file, {}, timeout=20, outputs=("out",)).answer
    wanted = ["file", "folder", "fifo", "symlink", "hard link", "rename", "remove", "temporary"]
    assert found == {"refused": wanted, "left": ["child.log", "out"]}


def test_the_disk_is_bounded_before_anybody_looks(hostile: Sandbox, input_file: Path) -> None:
    try:
        taken = hostile.run("allocate_disk", input_file, {}, timeout=20, file_size=4 << 20, outputs=("a", "b")).answer
    except SandboxError as error:
        if error.kind != "file-size":  # somebody looked in time: both files together are more than one may be
            raise
    else:
        assert max(taken["taken"]) <= 4 << 20


def test_memory_is_bounded(hostile: Sandbox, input_file: Path) -> None:
    with pytest.raises(SandboxError) as caught:
        hostile.run("allocate", input_file, {"size": 1 << 30}, timeout=20, memory=256 << 20)
    assert caught.value.kind == "memory"
    assert (
        hostile.run("allocate", input_file, {"size": 64 << 20}, timeout=20, memory=256 << 20).answer["size"] == 64 << 20
    )


def test_fork_bomb_is_swept(hostile: Sandbox, input_file: Path) -> None:
    before = _processes()
    with pytest.raises(SandboxError) as caught:
        hostile.run("forks", input_file, {"hang": True}, timeout=2, fork=True, processes=8)
    assert caught.value.kind == "timeout"
    wait_for(lambda: _processes() <= before)


def test_workers_may_be_forked_where_allowed(hostile: Sandbox, input_file: Path) -> None:
    assert hostile.run("worker", input_file, {}, timeout=20, fork=True).answer == {"part": "part"}


def test_helpers_left_behind_end_with_their_child(hostile: Sandbox, input_file: Path) -> None:
    before = _processes()
    left = hostile.run("forks", input_file, {}, timeout=20, fork=True, processes=8).answer
    assert left["error"] == (None if os.geteuid() == 0 else errno.EAGAIN)  # no such limit counts for root
    wait_for(lambda: _processes() <= before)


def test_cancelling_kills_the_child(hostile: Sandbox, input_file: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    with pytest.raises(SandboxError) as caught:
        hostile.run("sleep", input_file, {}, timeout=60, cancelled=stop.is_set)
    assert caught.value.kind == "cancelled"
    assert time.monotonic() - started < 10


def test_answers_of_any_size_arrive(hostile: Sandbox, input_file: Path) -> None:
    assert len(hostile.run("binary", input_file, {"size": 3_000_001}, timeout=20).answer) == 3_000_001


def test_a_dead_zygote_is_replaced(hostile: Sandbox, input_file: Path) -> None:
    process = hostile._process
    assert process is not None
    process.kill()
    process.wait()
    assert hostile.run("nothing", input_file, {}, timeout=60).answer == {}


def test_children_die_with_the_zygote(tmp_path: Path, input_file: Path) -> None:
    sandbox = Sandbox(tmp_path / "scratch", tasks="hostile_tasks", tasks_folder=Path(__file__).parent)
    before = _processes()
    child = sandbox.open(Confinement(read=(str(input_file),)), serve=True)
    wait_for(lambda: _processes() > before + 1)
    process = sandbox._process
    assert process is not None
    process.kill()
    wait_for(lambda: _processes() <= before)
    with pytest.raises(SandboxError) as caught:
        child.receive(time.monotonic() + 5, None, lambda: False)
    assert caught.value.kind == "lost"
    child.close()
    sandbox.close()


def test_capabilities_are_told(hostile: Sandbox) -> None:
    found = hostile.capabilities()
    assert found["landlock"] == landlock.abi()
    assert found["seccomp"] is True
    assert isinstance(found["warnings"], list)


def _processes() -> int:
    """Processes below this one, however deep."""
    children: dict[int, list[int]] = {}
    for entry in (path.name for path in Path("/proc").iterdir()):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(entry))
    pending, count = [os.getpid()], 0
    while pending:
        found = children.get(pending.pop(), [])
        count += len(found)
        pending += found
    return count
