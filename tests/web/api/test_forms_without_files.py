"""Forms for actions that take no file: no file is begun for them, and they have no more time than other bodies."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.store.depot import Depot
from appliance.web import transfer
from appliance.web.api.registry import ACTIONS
from appliance.web.http import Headers, Request
from appliance.web.transfer.multipart_form import FILE_ACTIONS
from tests.support.server import Appliance

_FORM = "multipart/form-data; boundary=x"


def form(path: str) -> Request:
    """A request with such a form."""
    return Request(
        method="POST", target=path, path=path, query="", headers=Headers([("Content-Type", _FORM)]), client="127.0.0.1"
    )


def test_only_actions_with_files_get_the_time_of_files() -> None:
    assert ACTIONS.keys() > FILE_ACTIONS
    for prefix in ("/api/action/", "/api/3/action/"):
        for name in ACTIONS:
            assert transfer.carries_file(form(prefix + name)) == (name in FILE_ACTIONS), name
            assert transfer.carries_file(form(f"{prefix}{name}/")) == (name in FILE_ACTIONS), name
        assert not transfer.carries_file(form(f"{prefix}no_such_action"))


@pytest.mark.parametrize("name", sorted(ACTIONS.keys() - FILE_ACTIONS))
def test_no_file_is_begun_for_an_action_that_takes_none(
    shared: Appliance, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    begun: list[Any] = []
    new_part = Depot.new_part
    monkeypatch.setattr(Depot, "new_part", lambda depot, *ids: begun.append(ids) or new_part(depot, *ids))
    answer = shared.admin.upload(name, {"id": "no-such-thing"}, "upload", "file.txt", b"x" * 200_000)
    assert 400 <= answer.status < 500, (name, answer.body)
    assert begun == []
