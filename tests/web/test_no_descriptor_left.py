"""Whatever fails between opening a file and handing it over, the file is closed: each call in between is made to fail, one after the other."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from appliance.jobs.scratch import open_plain
from appliance.store.depot import Depot
from appliance.store.wal_index import WalIndex
from appliance.web.gateway import response_writer
from appliance.web.gateway.channel import PlainChannel
from appliance.web.http import FileBody, Headers, Request, Response
from appliance.web.transfer.file_response import file_response
from tests.support.descriptors import held

#: Calls that close: without them nothing could.
_CLOSING = {"close", "__exit__", "closing"}
_MOST = 2000


class Broken(Exception):
    """A step that was made to fail."""


class _Fault:
    """Lets the call number `number` after the first `os.open` fail."""

    def __init__(self, number: int) -> None:
        self.number, self.opened, self.happened = number, False, False

    def __call__(self, frame: FrameType, event: str, what: Any) -> None:
        name = what.__name__ if event == "c_call" else frame.f_code.co_name
        if event == "c_return" and what is os.open:
            self.opened = True
        elif self.opened and event in {"call", "c_call"} and name not in _CLOSING and what is not sys.setprofile:
            self.number -= 1
            if self.number < 0:
                self.happened = True
                raise Broken(name)


def each_step_fails(work: Callable[[], object], below: Path) -> int:
    """Do `work` once for each call after its first `os.open`, letting that call fail. → how many there were."""
    for number in range(_MOST):
        fault = _Fault(number)
        before = held(below)
        result = None
        sys.setprofile(fault)
        try:
            result = work()
        except Broken:
            pass
        finally:
            sys.setprofile(None)
        if not fault.happened:
            closer = getattr(result, "close", None)
            if closer is not None:
                closer()
            assert held(below) == before
            return number
        if result is None:
            assert held(below) == before, f"the descriptor is left when step {number} fails"
        else:  # the step was one whose failure the code expects
            getattr(result, "close", lambda: None)()
    raise AssertionError("no end")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a generator that ends by the fault
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": "bytes=0-4"},
        {"Range": "bytes=99-"},
        {"If-None-Match": '"abcdef"'},
        {"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"If-Unmodified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"},
        {"Range": "bytes=0-4", "If-Range": "Mon, 01 Jan 2024 00:00:00 GMT"},
    ],
    ids=lambda headers: " ".join(headers) or "whole",
)
def test_the_answer_with_a_file(tmp_path: Path, headers: dict[str, str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2 << 20))
    request = Request("GET", "/", "/", headers=Headers(headers.items()))

    def answer() -> Response:
        return file_response(request, path, etag="abcdef", content_type="text/plain", name="näme.txt")

    assert each_step_fails(answer, tmp_path) > 3


def test_a_new_part(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    (tmp_path / "tmp" / "parts").mkdir(parents=True)
    id_ = "7e5b5a06-7d5b-4c8e-9a58-0d0d1e0e1f01"

    def new() -> object:
        depot.discard_part(id_)
        return depot.new_part(id_)

    assert each_step_fails(new, tmp_path) > 3


def test_what_a_child_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    assert each_step_fails(lambda: open_plain(path), tmp_path) > 1


def test_an_index_that_cannot_be_mapped(tmp_path: Path) -> None:
    (tmp_path / "a.db-shm").write_bytes(b"")
    before = held(tmp_path)
    with pytest.raises(ValueError, match="mmap"):
        WalIndex(tmp_path / "a.db")
    assert held(tmp_path) == before


@pytest.mark.parametrize("value", ["a\r\nb", "\u20ac"])
def test_an_answer_whose_head_cannot_be_written(tmp_path: Path, value: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    here, there = socket.socketpair()
    with here, there:
        body = FileBody(os.open(path, os.O_RDONLY), 0, 1)
        response = Response(200, [("X-Name", value)], body)
        with pytest.raises(ValueError):
            response_writer.send(PlainChannel(here, 1.0), response, head_only=False, version="1.1", keep_alive=True)
    assert held(tmp_path) == 0
