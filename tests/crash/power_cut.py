"""What a disk may hold after a power cut, from a record of the system calls of a program (`strace`).

Durable is what was synced: the bytes of a file by fsync or fdatasync of the file, a name by fsync of its folder. Of everything else any
part may be lost. Links of the record to the model: `replay` takes line after line, `Disk.rebuilt` writes one state that is possible.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: What a program is run with; the path of the record and the program follow.
STRACE = ["strace", "-f", "-y", "-xx", "--seccomp-bpf", "-s", "4000000", "-e", "signal=none", "-e",
          "trace=open,openat,creat,write,pwrite64,writev,pwritev,lseek,truncate,ftruncate,fallocate,fsync,fdatasync,sync,"
          "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,sendfile,copy_file_range,"
          "splice,clone,clone3,fork,vfork", "-o"]  # fmt: skip
_LINE = re.compile(r"(\d+) +(.*)")
_FD = re.compile(r"(\d+|AT_FDCWD)<((?:\\x..)*)>")
_TEXT = re.compile(r'"((?:\\x..)*)"')
_OFFSET = re.compile(r", (\d+)\) += \d+$")
_RESULT = re.compile(r"\) += (-?\d+)(.*)$")

Pending = tuple[str, int, bytes]


def _plain(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


@dataclass(eq=False)
class File:
    """The bytes of a file as programs see them, those that are durable, and what was done in between."""

    seen: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[Pending] = field(default_factory=list)

    def do(self, step: Pending) -> None:
        """Write (offset, data) or cut ("size")."""
        self.pending.append(step)
        apply(self.seen, step)

    def sync(self) -> None:
        """Make it durable."""
        self.durable, self.pending = bytes(self.seen), []


def apply(data: bytearray, step: Pending) -> None:
    """One step on the bytes of a file."""
    kind, offset, new = step
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    if kind == "size":
        del data[offset:]
    else:
        data[offset : offset + len(new)] = new


@dataclass(eq=False)
class Folder:
    """The names in a folder, those that are durable, and the changes in between."""

    seen: dict[str, Node] = field(default_factory=dict)
    durable: dict[str, Node] = field(default_factory=dict)
    pending: list[tuple[str, Node | None]] = field(default_factory=list)

    def set(self, name: str, node: Node | None) -> None:
        """Give or take a name."""
        self.pending.append((name, node))
        if node is None:
            self.seen.pop(name, None)
        else:
            self.seen[name] = node

    def sync(self) -> None:
        """Make it durable."""
        self.durable, self.pending = dict(self.seen), []


@dataclass(eq=False)
class Link:
    """A symbolic link."""

    target: str


Node = File | Folder | Link


class Disk:
    """Everything below `root`.

    :ivar steps: how many changes and syncs there have been.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.top, self.steps = root, Folder(), 0

    def place(self, path: str) -> tuple[Folder, str] | None:
        """Folder and name of a path, None outside of the root or in a folder that is not there."""
        if not path.startswith(f"{self.root}/"):
            return None
        *parents, name = path[len(str(self.root)) + 1 :].rstrip("/").split("/")
        folder: Node | None = self.top
        for one in parents:
            folder = folder.seen.get(one) if isinstance(folder, Folder) else None
        return (folder, name) if isinstance(folder, Folder) else None

    def find(self, path: str) -> Node | None:
        """What has this path."""
        if path == str(self.root):
            return self.top
        found = self.place(path)
        return None if found is None else found[0].seen.get(found[1])

    def rebuilt(self, target: Path, kind: str, chance: random.Random) -> None:
        """Write a state that is possible after a cut now: the "least", with all "names" or all "data", "all", or "any"."""
        self._folder(self.top, target, kind, chance, {})

    def _folder(self, folder: Folder, target: Path, kind: str, chance: random.Random, made: dict[File, Path]) -> None:
        target.mkdir(exist_ok=True)
        names = dict(folder.seen) if kind in {"names", "all"} else dict(folder.durable)
        if kind == "any":
            for name, node in folder.pending[: chance.randint(0, len(folder.pending))]:
                if node is None:
                    names.pop(name, None)
                else:
                    names[name] = node
        for name, node in names.items():
            path = target / name
            if isinstance(node, Folder):
                self._folder(node, path, kind, chance, made)
            elif isinstance(node, Link):
                path.symlink_to(node.target)
            elif node in made:
                path.hardlink_to(made[node])
            else:
                path.write_bytes(self._bytes(node, kind, chance))
                made[node] = path

    @staticmethod
    def _bytes(file: File, kind: str, chance: random.Random) -> bytes:
        if kind in {"data", "all"}:
            return bytes(file.seen)
        data = bytearray(file.durable)
        if kind == "any":
            for step in file.pending:
                if chance.random() < 0.5:
                    apply(data, step)
        return bytes(data)


def replay(record: Path, disk: Disk) -> Iterator[str]:
    """Do on `disk` what the record says; yields "" after each step there, and each line with an object of a "kind" (JSON) that was printed."""
    processes: dict[str, str] = {}  # thread → process
    positions: dict[tuple[str, str], int] = {}
    for thread, call in _calls(record):
        name, _, rest = call.partition("(")
        result = _RESULT.search(call)
        if result is None or int(result[1]) < 0:
            continue
        process = processes.setdefault(thread, thread)
        if name in {"clone", "clone3", "fork", "vfork"}:
            child = result[1]
            processes[child] = process if "CLONE_FILES" in rest else child
            if processes[child] == child:
                positions |= {(child, fd): place for (one, fd), place in positions.items() if one == process}
            continue
        fds = [(fd, _plain(path).decode()) for fd, path in _FD.findall(call)]
        if name == "write" and fds and fds[0][0] == "1":
            said = _plain(_TEXT.findall(rest)[0]).decode("utf-8", "replace")
            yield from said.splitlines() if said.startswith('{"kind"') else ()
        elif _step(disk, name, rest, fds, int(result[1]), process, positions):
            disk.steps += 1
            yield ""


def _calls(record: Path) -> Iterator[tuple[str, str]]:
    """(thread, call with its result) in the order in which they ended."""
    begun: dict[str, str] = {}
    with record.open() as lines:
        for line in lines:
            matched = _LINE.match(line)
            if matched is None:
                continue
            thread, text = matched[1], matched[2]
            if text.endswith("<unfinished ...>"):
                begun[thread] = text[: -len("<unfinished ...>")].rstrip()
            elif text.startswith("<... "):
                yield thread, begun.pop(thread, "") + text.partition("resumed>")[2]
            elif "(" in text:
                yield thread, text


def _step(
    disk: Disk, name: str, rest: str, fds: list[tuple[str, str]], result: int, process: str,
    positions: dict[tuple[str, str], int],
) -> bool:  # fmt: skip
    paths = _paths(name, rest, fds)
    first = fds[0] if fds else ("", "")
    node = disk.find(first[1])
    key = (process, first[0])
    if name in {"open", "openat", "creat"}:
        opened = disk.place(paths[0]) if paths else None
        positions[process, str(result)] = 0
        if opened is None:
            return False
        folder, last = opened
        changed = False
        if last not in folder.seen and ("O_CREAT" in rest or name == "creat"):
            folder.set(last, File())
            changed = True
        file = folder.seen.get(last)
        if isinstance(file, File) and "O_TRUNC" in rest and file.seen:
            file.do(("size", 0, b""))
            changed = True
        if isinstance(file, File) and "O_APPEND" in rest:
            positions[process, str(result)] = len(file.seen)
        return changed
    if name == "lseek":
        positions[key] = result
        return False
    if name in {"write", "pwrite64", "writev", "pwritev"}:
        if not isinstance(node, File):
            return False
        data = b"".join(map(_plain, _TEXT.findall(rest)))[:result]
        assert len(data) == result, "the record holds the bytes in part only"
        offset = positions.get(key, 0)
        if name.startswith("p"):
            offset = int(_OFFSET.search(rest)[1])  # type: ignore[index]
        else:
            positions[key] = offset + result
        node.do(("write", offset, data))
        return True
    if name in {"sendfile", "copy_file_range", "splice"}:
        return _copied(disk, name, rest, fds, result, process, positions)
    if name in {"ftruncate", "fallocate"} and isinstance(node, File):
        numbers = [int(one) for one in re.findall(r", (\d+)(?=[,)])", rest)]
        if name == "ftruncate":
            node.do(("size", numbers[-1], b""))
        elif "KEEP_SIZE" not in rest and sum(numbers[-2:]) > len(node.seen):
            node.do(("size", sum(numbers[-2:]), b""))
        return True
    if name in {"fsync", "fdatasync"} and isinstance(node, File | Folder):
        node.sync()
        return True
    return _names_changed(disk, name, rest, paths)


def _copied(
    disk: Disk, name: str, rest: str, fds: list[tuple[str, str]], result: int, process: str,
    positions: dict[tuple[str, str], int],
) -> bool:  # fmt: skip
    source, target = (fds[1], fds[0]) if name == "sendfile" else (fds[0], fds[1])
    node, origin = disk.find(target[1]), disk.find(source[1])
    given = re.search(r"\[(\d+)\]", rest)  # the offset in the source, where there is one
    begin = int(given[1]) if given else positions.get((process, source[0]), 0)
    if not given:
        positions[process, source[0]] = begin + result
    if not isinstance(node, File):
        return False
    whole = bytes(origin.seen) if isinstance(origin, File) else Path(source[1]).read_bytes()
    offset = positions.get((process, target[0]), 0)
    positions[process, target[0]] = offset + result
    node.do(("write", offset, whole[begin : begin + result]))
    return True


def _paths(name: str, rest: str, fds: list[tuple[str, str]]) -> list[str]:
    """The paths among the arguments of a call, absolute."""
    folders = [path for _fd, path in fds] if "at" in name.replace("creat", "").replace("truncate", "") else []
    found = []
    for number, text in enumerate(_TEXT.findall(rest)):
        path = _plain(text).decode("utf-8", "surrogateescape")
        if not path.startswith("/") and folders and name not in {"symlinkat"}:
            path = f"{folders[min(number, len(folders) - 1)]}/{path}"
        found.append(str(Path(path)) if path.startswith("/") else path)
    return found


def _names_changed(disk: Disk, name: str, rest: str, paths: list[str]) -> bool:
    places = [disk.place(path) for path in paths]
    if name.startswith(("mkdir", "unlink", "rmdir")):
        if places[0] is None:
            return False
        folder, last = places[0]
        folder.set(last, Folder() if name.startswith("mkdir") else None)
        return True
    if name.startswith("symlink"):
        if places[1] is None:
            return False
        places[1][0].set(places[1][1], Link(paths[0]))
        return True
    if name.startswith(("rename", "link")):
        if places[0] is None and places[1] is None:
            return False
        assert places[0] is not None, rest
        assert places[1] is not None, rest
        node = places[0][0].seen[places[0][1]]
        places[1][0].set(places[1][1], node)
        if name.startswith("rename"):
            places[0][0].set(places[0][1], None)
        return True
    return False
