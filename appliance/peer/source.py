"""What a mirror needs of the DCOR that it takes from: a server (`client.Client`), or what is left of one (`dump_source.DumpSource`)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from appliance.model.server_address import Address


class Body(Protocol):
    """The bytes of a file from `start` on."""

    @property
    def start(self) -> int:
        """Offset of the first byte."""

    @property
    def total(self) -> int | None:
        """Size of the whole file [bytes], None when not told."""

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as bytes are there; 0 at the end. Raises Passing."""


class Source(Protocol):
    """A DCOR to take from. Threads may share it."""

    @property
    def address(self) -> Address:
        """Names it in the database and in reports."""

    @property
    def notes(self) -> Sequence[str]:
        """What there is and cannot be taken from it."""

    @property
    def waits(self) -> Sequence[float]:
        """Pauses before repetitions [s]."""

    def call(self, action: str, **parameters: Any) -> Any:
        """The result of an action of the API. Raises Refusal, TooLarge, Problem 502."""

    def file(self, path: str, offset: int = 0) -> AbstractContextManager[Body]:
        """The bytes of the file that a server has at `path`. Raises Refusal, Passing, Problem 502."""

    def close(self) -> None:
        """Close what this thread has open."""
