"""A ZIP archive of stored files that exists only while it is sent: known length, any range of it, no temporary file.

Every byte of the archive follows from the list of its members, so a broken download can be resumed. The members' CRCs are
known from their uploads. Of those that are not (yet), they are computed while the files pass and remembered, and for a range
that begins behind such a file, the file is read once.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 18
_VERSION = 45
#: bit 3: the CRC follows the data; bit 11: names are UTF-8
_FLAGS = 0x0808
_MADE_BY_UNIX = 3 << 8 | _VERSION
_MODE = 0o100644 << 16
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    :ivar key: identity of the content, under which its CRC is remembered.
    :ivar when: (year, month, day, hour, minute, second), not before 1980; :ivar crc32: None when it is not known.
    :ivar away: gives bytes (start, length) of a file that is not at its path; its CRC is known.
    """

    name: str
    path: Path
    size: int
    key: str
    when: tuple[int, int, int, int, int, int]
    crc32: int | None = None
    away: Callable[[int, int], Iterable[bytes]] | None = None


class Checksums:
    """CRCs of immutable files by key."""

    def __init__(self, size: int = 65536) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[str, int] = OrderedDict()

    def put(self, key: str, crc: int) -> None:
        """Remember a CRC."""
        with self._lock:
            self._known[key] = crc
            if len(self._known) > self._size:
                self._known.popitem(last=False)

    def of(self, member: Member) -> int:
        """The CRC of a member's file, which is read when it is not known. Raises OSError."""
        if member.crc32 is not None:
            return member.crc32
        with self._lock:
            known = self._known.get(member.key)
        if known is not None:
            return known
        crc = 0
        with member.path.open("rb") as file:
            while block := file.read(_BLOCK):
                crc = zlib.crc32(block, crc)
        self.put(member.key, crc)
        return crc


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of bytes of the archive: of a file, or made when they are needed."""

    length: int
    member: Member | None = None
    make: Callable[[], bytes] = bytes


class Archive:
    """The archive of `members`, in their order. Cheap to make: no file is touched before its bytes are wanted."""

    def __init__(self, members: Sequence[Member], checksums: Checksums) -> None:
        self._checksums = checksums
        self._pieces: list[_Piece] = []
        self._directory: list[Callable[[], bytes]] = []
        offset = 0
        directory_size = 0
        for member in members:
            name = member.name.encode()
            self._add(len(name) + 50, make=_Header(member, name).local)
            self._add(member.size, member=member)
            self._add(24, make=_Descriptor(member, checksums).bytes)
            entry = _Entry(member, name, offset, checksums)
            self._directory.append(entry.bytes)
            offset += len(name) + 50 + member.size + 24
            directory_size += len(name) + 74
        self._add(directory_size, make=lambda: b"".join(make() for make in self._directory))
        end = _end(len(members), directory_size, offset)
        self._add(len(end), make=lambda: end)
        self.size = sum(piece.length for piece in self._pieces)

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """The bytes from `start` on, `length` of them, in blocks. Raises OSError, EOFError when a file has changed."""
        position = 0
        for piece in self._pieces:
            if length <= 0:
                return
            skipped = max(0, start - position)
            position += piece.length
            if skipped >= piece.length:
                continue
            wanted = min(piece.length - skipped, length)
            length -= wanted
            if piece.member is not None:
                yield from self._file(piece.member, skipped, wanted)
            else:
                yield piece.make()[skipped : skipped + wanted]

    def _add(self, length: int, *, member: Member | None = None, make: Callable[[], bytes] = bytes) -> None:
        if length:
            self._pieces.append(_Piece(length, member, make))

    def _file(self, member: Member, start: int, length: int) -> Iterator[bytes]:
        """A piece of a file; reading it from its beginning to its end gives its CRC by the way."""
        try:
            file = member.path.open("rb", buffering=0)
        except FileNotFoundError:
            if member.away is None:
                raise
            yield from member.away(start, length)
            return
        crc, whole = 0, member.crc32 is None and start == 0 and length == member.size
        with file:
            file.seek(start)
            while length > 0:
                block = file.read(min(_BLOCK, length))
                if not block:
                    raise EOFError("a file is shorter than its row says")
                length -= len(block)
                if whole:
                    crc = zlib.crc32(block, crc)
                    if not length:
                        self._checksums.put(member.key, crc)
                yield block


@dataclass(frozen=True, slots=True)
class _Header:
    member: Member
    name: bytes

    def local(self) -> bytes:
        """Local file header with a ZIP64 field: 50 bytes and the name."""
        date, time = _dos(self.member.when)
        head = struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", _VERSION, _FLAGS, 0, time, date, 0, _FULL32, _FULL32, len(self.name), 20
        )
        return head + self.name + struct.pack("<2H2Q", 1, 16, self.member.size, self.member.size)


@dataclass(frozen=True, slots=True)
class _Descriptor:
    member: Member
    checksums: Checksums

    def bytes(self) -> bytes:
        """Data descriptor: 24 bytes."""
        size = self.member.size
        return struct.pack("<4sL2Q", b"PK\x07\x08", self.checksums.of(self.member), size, size)


@dataclass(frozen=True, slots=True)
class _Entry:
    member: Member
    name: bytes
    offset: int
    checksums: Checksums

    def bytes(self) -> bytes:
        """Entry of the central directory: 74 bytes and the name."""
        date, time = _dos(self.member.when)
        head = struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02", _MADE_BY_UNIX, _VERSION, _FLAGS, 0, time, date, self.checksums.of(self.member),
            _FULL32, _FULL32, len(self.name), 28, 0, 0, 0, _MODE, _FULL32,
        )  # fmt: skip
        size = self.member.size
        return head + self.name + struct.pack("<2H3Q", 1, 24, size, size, self.offset)


def _end(count: int, size: int, offset: int) -> bytes:
    """The ZIP64 end record, its locator, and the classic end record that points to them."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, _MADE_BY_UNIX, _VERSION, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + size, 1)
    few = min(count, _FULL16)
    return record + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, few, few, min(size, _FULL32), _FULL32, 0)


def _dos(when: tuple[int, int, int, int, int, int]) -> tuple[int, int]:
    year, month, day, hour, minute, second = when
    return max(0, year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | second // 2
