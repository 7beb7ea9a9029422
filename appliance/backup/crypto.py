"""Sealing of backups with age (X25519): whoever holds the public key writes, only the private key's holder reads."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyrage

from appliance import durable
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid

#: Mode of every finished backup file: read by its owner, changed by nobody.
FILE_MODE = 0o400

_PRIVATE_PREFIX = "AGE-SECRET-KEY-1"
_GZIP = 31


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, b"" at the end."""


class Writable(Protocol):
    """Anything that takes bytes."""

    def write(self, data: bytes, /) -> Any:
        """Take `data`."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair as text: `identity` (AGE-SECRET-KEY-1…) opens what was sealed to `recipient` (age1…)."""

    identity: str = field(repr=False)
    recipient: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Size [bytes] and SHA-256 (hexadecimal) of a file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Outcome of sealing: what lies on disk, and what went in."""

    stored: Digest
    content: Digest


class Meter:
    """Passes bytes through, and counts and hashes them; remembers an error that the library below would swallow."""

    def __init__(self, inner: Any, progress: Callable[[int], None] | None = None) -> None:
        self._inner = inner
        self._progress = progress
        self._hash = hashlib.sha256()
        self.size = 0
        self.error: OSError | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes of what lies below."""
        data: bytes = self._guard(self._inner.read, size)
        return self._count(data)

    def write(self, data: bytes, /) -> int:
        """Write `data` to what lies below."""
        self._guard(self._inner.write, data)
        return len(self._count(data))

    def flush(self) -> None:
        """Nothing is held back here."""

    @property
    def digest(self) -> Digest:
        """Size and hash of everything that has passed."""
        return Digest(self.size, self._hash.hexdigest())

    def _count(self, data: bytes) -> bytes:
        self._hash.update(data)
        self.size += len(data)
        if self._progress is not None:
            self._progress(len(data))
        return data

    def _guard(self, call: Callable[[Any], Any], argument: Any) -> Any:
        try:
            return call(argument)
        except OSError as error:
            self.error = error
            raise


class GzipReader:
    """The compressed form of a readable, made on the fly."""

    def __init__(self, inner: Readable) -> None:
        self._inner = inner
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._ready = b""
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` compressed bytes, b"" at the end."""
        while not self._ended and (size < 0 or len(self._ready) < size):
            data = self._inner.read(1 << 18)
            self._ready += self._deflate.compress(data) if data else self._deflate.flush()
            self._ended = not data
        cut = len(self._ready) if size < 0 else size
        data, self._ready = self._ready[:cut], self._ready[cut:]
        return data


class GunzipWriter:
    """Expands what is written to it into a writable; `close` tells whether the stream was whole."""

    def __init__(self, inner: Writable) -> None:
        self._inner = inner
        self._inflate = zlib.decompressobj(_GZIP)

    def write(self, data: bytes, /) -> int:
        """Expand `data`. Raises OSError for what is no gzip stream."""
        try:
            self._inner.write(self._inflate.decompress(data))
        except zlib.error as error:
            raise OSError(f"damaged: {error}") from error
        return len(data)

    def close(self) -> None:
        """Raise Problem 409 when the stream is cut short."""
        self._inner.write(self._inflate.flush())
        if not self._inflate.eof:
            raise invalid(message=Message("A part of the backup is cut short."))


def new_keys() -> Keys:
    """Return a new key pair."""
    identity = pyrage.x25519.Identity.generate()
    return Keys(str(identity), str(identity.to_public()))


def parse_identities(text: str) -> list[Any]:
    """Return the private keys in a key file or key sheet. Raises Problem 409 when there is none or one is mistyped."""
    words = [word for line in text.splitlines() for word in line.split() if not line.startswith("#")]
    found = []
    for word in words:
        if word.upper().startswith(_PRIVATE_PREFIX):
            try:
                found.append(pyrage.x25519.Identity.from_str(word.upper()))
            except pyrage.IdentityError as error:
                raise invalid(
                    message=Message("The private key is mistyped: its check characters do not match.")
                ) from error
    if not found:
        raise invalid(
            message=Message(
                "There is no private key (%(private_prefix)s…) in the key file.", private_prefix=_PRIVATE_PREFIX
            )
        )
    return found


def parse_recipient(text: str) -> Any:
    """Return a public key (age1…). Raises Problem 409."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise invalid(
            message=Message("'%(text)s' is not an age public key (age1…). `dcor backup keys` creates one.", text=text)
        ) from error


def require_key(identities: Sequence[Any], recipients: Sequence[str]) -> None:
    """Raise WrongKeyError, saying which key is needed, unless one of the private keys opens what `recipients` seal."""
    public = [str(identity.to_public()) for identity in identities]
    if not set(public) & set(recipients):
        needed, given = " or ".join(recipients), ", ".join(public) or "none"
        raise WrongKeyError(
            f"This is the wrong key. The backup opens with the private key of {needed}; this one is of {given}."
        )


def seal(
    source: Readable, target: Path, recipients: Sequence[str], progress: Callable[[int], None] | None = None
) -> Sealed:
    """Write `source` sealed to `recipients` (age1…) as `target` (mode 0400), whole and on disk, or not at all.

    About 350 MB/s. `progress` is told the bytes read. Raises OSError (disk full, unreadable source) and Problem 409
    for a bad recipient.
    """
    keys = [parse_recipient(text) for text in recipients]
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)  # of a run that was killed: its mode (0400) would refuse to be written over
    reader = Meter(source, progress)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            writer = Meter(file)
            try:
                pyrage.encrypt_io(reader, writer, keys)
            except pyrage.EncryptError as error:
                raise _cause(error, reader, writer) or OSError(str(error)) from error
        draft.chmod(FILE_MODE)
        durable.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return Sealed(writer.digest, reader.digest)


def seal_bytes(data: bytes, recipients: Sequence[str]) -> bytes:
    """Return `data` sealed to `recipients` (age1…). Raises Problem 409 for a bad one."""
    return bytes(pyrage.encrypt(data, [parse_recipient(text) for text in recipients]))


def unseal(
    source: Path, identities: Sequence[Any], target: Writable | None = None, stored: bytes | None = None
) -> Digest:
    """Write the content of the sealed file `source` to `target` (None: nowhere) and return its digest.

    :param stored: its bytes, where they have been read already.
    Raises Problem 409 when the keys do not fit or a byte of the file is not as it was written, OSError for what
    the disks say. What was written until then must be thrown away.
    """
    sink = Meter(target if target is not None else _Nowhere())
    with source.open("rb") if stored is None else io.BytesIO(stored) as file:
        reader = Meter(file)
        try:
            pyrage.decrypt_io(reader, sink, list(identities))
        except (pyrage.DecryptError, OSError) as error:
            raise _cause(error, reader, sink) or _refusal(error, source) from error
    return sink.digest


def sha256_of(path: Path, progress: Callable[[int], None] | None = None) -> Digest:
    """Return size and hash of a file. Raises OSError."""
    with path.open("rb") as file:
        meter = Meter(file, progress)
        while meter.read(1 << 20):
            pass
    return meter.digest


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        """Takes everything and keeps nothing."""
        return len(data)


def _cause(error: Exception, *meters: Meter) -> OSError | KeyboardInterrupt | None:
    """What really stopped the library: it turns everything into errors of its own, even Ctrl-C."""
    if "KeyboardInterrupt" in f"{error!r} {error.__cause__!r}":
        return KeyboardInterrupt()
    return next((meter.error for meter in meters if meter.error is not None and meter.error.errno is not None), None)


def _refusal(error: Exception, source: Path) -> Exception:
    if "No matching keys" in str(error):
        return WrongKeyError(f"The key does not open {source.name}: it was sealed to another key.")
    return invalid(message=Message("%(name)s is damaged: %(error)s.", name=source.name, error=error))


class WrongKeyError(Problem):
    """The private key is not the one that a backup was sealed to."""

    def __init__(self, message: str) -> None:
        super().__init__(409, "Validation Error", message=message)
