"""What reaches into CKAN's process: touching it ends a test."""

from __future__ import annotations

import functools
import unittest.mock
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import ckan.logic as logic
import ckan.model as model
import ckan.tests.helpers as helpers
import pytest

from tests.contract.ckan_suite.server import SITE_USER, server


class Inside:
    """Anything of CKAN's process: touching it ends the test."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"reaches into CKAN's process: {self._what}.{name}")

    def __call__(self, *arguments: Any, **named: Any) -> NoReturn:
        pytest.skip(f"reaches into CKAN's process: {self._what}")


class _Row(SimpleNamespace):
    """A row of CKAN's model, as far as an action tells it."""

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__(**found)

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"reaches into CKAN's process: a row's {name}")


class _Session:
    def commit(self) -> None:
        """Everything is committed."""

    remove = close = expunge_all = flush = rollback = commit

    def __call__(self) -> _Session:
        return self

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"reaches into CKAN's process: model.Session.{name}")


def _row(action: str) -> Callable[..., Any]:
    def get(reference: Any, *_: Any, **__: Any) -> Any:
        try:
            found = server.ask(SITE_USER, action, {"id": reference})
        except logic.NotFound:
            if action != "package_show":
                pytest.skip("reaches into CKAN's process: rows of what was deleted")
            return None
        return _Row(found)

    return get


def replace(patch: pytest.MonkeyPatch) -> None:
    """Put them in the place of CKAN's models, settings and of what its tests replace."""
    session = _Session()
    patch.setattr(model, "Session", session)
    patch.setattr(model, "repo", Inside("model.repo"))
    for kind, action in (
        ("User", "user_show"),
        ("Package", "package_show"),
        ("Resource", "resource_show"),
        ("Group", "group_show"),
    ):
        for name in ("get", "by_name"):
            patch.setattr(getattr(model, kind), name, staticmethod(_row(action)))
    patch.setattr(helpers, "changed_config", Inside("config"))
    patch.setattr(unittest.mock, "patch", _Mock())


class _Skipping:
    """A replacement of something of CKAN's process, as decorator or context: the test ends."""

    def __call__(self, function: Any) -> Any:
        @functools.wraps(function)
        def skipped(*arguments: Any, **named: Any) -> None:
            pytest.skip("reaches into CKAN's process: mock")

        del skipped.__wrapped__
        return skipped

    def __enter__(self) -> NoReturn:
        pytest.skip("reaches into CKAN's process: mock")

    def __exit__(self, *_: Any) -> None:
        """Never reached."""


class _Mock:
    """`unittest.mock.patch`."""

    def __call__(self, *arguments: Any, **named: Any) -> _Skipping:
        return _Skipping()

    object = dict = __call__
