"""A plugin of pytest with which CKAN's own tests ask a live service instead of CKAN's process.

`call_action` calls the action as the user of the test (CKAN skips the rights there: where only these are missing, the administrator
calls it instead); `call_auth` makes the call and sees whether it is refused. What reaches into CKAN's process is skipped.
"""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NoReturn

import ckan.logic as logic
import ckan.model as model
import ckan.tests.helpers as helpers
import pytest
import unittest.mock
from ckan.common import config
from server import CIRCLE, SITE_USER, Server
from werkzeug.datastructures import FileStorage

server = Server()
_numbers = itertools.count(1)
#: Settings of CKAN's that DCOR has, too: a test that sets them so is run.
SAME = {
    "ckan.auth.allow_dataset_collaborators": True,
    "ckan.auth.allow_admin_collaborators": False,
    "ckan.auth.create_unowned_dataset": False,
    "ckan.auth.create_user_via_api": False,
    "ckan.auth.create_user_via_web": False,
    "ckan.auth.anon_create_dataset": False,
    "ckan.auth.create_default_api_keys": False,
    "ckan.auth.public_user_details": "false",
}


def _site_user(name: Any) -> bool:
    return name in (None, "", "127.0.0.1", "default", SITE_USER) or not server.is_user(name)


def call_action(action_name: str, context: Any = None, **data: Any) -> Any:
    """CKAN's helper of this name."""
    context = {} if context is None else context
    ignore = context.setdefault("ignore_auth", True)
    user = _user_of(context)
    return _shown(action_name, _asked(action_name, user, data, ignore=ignore))


def get_action(action_name: str) -> Callable[..., Any]:
    """CKAN's `logic.get_action`: rights are asked unless the context says otherwise."""

    def called(context: Any = None, data: Any = None) -> Any:
        context = {} if context is None else context
        ignore = bool(context.get("ignore_auth"))
        return _shown(action_name, _asked(action_name, _user_of(context), dict(data or {}), ignore=ignore))

    if action_name not in KNOWN:
        raise KeyError(f"Action '{action_name}' not found")
    return called


KNOWN: set[str] = set()


def _user_of(context: Any) -> str:
    user = context.get("user")
    if not user and (known := context.get("auth_user_obj")) is not None:
        user = known.name
    if context.get("schema") or context.get("return_id_only") or context.get("keep_email") or context.get("keep_apikey"):
        pytest.skip("contexts of CKAN's process: schema, return_id_only, keep_email")
    return user or ""


def _asked(action: str, user: str, data: dict[str, Any], *, ignore: bool) -> Any:
    if action == "get_site_user":
        return {"name": SITE_USER, "id": SITE_USER}
    data = {key: value for key, value in data.items() if key != "context"}
    if ignore and _site_user(user):
        user = SITE_USER
    elif not server.is_user(user):
        user = ""
    make = MAKES.get(action, server.ask)
    if not ignore or user == SITE_USER:
        return make(user, action, data)
    try:
        return make(user, action, data)
    except logic.NotAuthorized:
        return make(SITE_USER, action, data)


# --- what DCOR demands --------------------------------------------------------------------------------------------------


def _circle() -> str:
    with suppress(logic.ValidationError):
        server.ask(SITE_USER, "organization_create", {"name": CIRCLE, "title": "Suite"})
    return CIRCLE


def _make_dataset(user: str, action: str, data: dict[str, Any]) -> Any:
    """Datasets have title, authors, licence and circle; files of theirs are sent one by one, and a user's draft is activated."""
    full = {"title": data.get("name") or "Untitled", "authors": "A. Author", "license_id": "CC0-1.0"} | data
    full.pop("user", None)
    if not full.get("license_id"):
        full["license_id"] = "CC0-1.0"
    links = full.get("resources") or []
    if links and all(isinstance(one, dict) and "url" in one for one in links):
        full.pop("resources")
    else:
        links = []
    guest = not full.get("owner_org")
    if guest:
        full["owner_org"] = _circle()
        if user not in (SITE_USER, ""):
            server.ask(SITE_USER, "organization_member_create", {"id": CIRCLE, "username": user, "role": "editor"})
    try:
        made = server.ask(user, action, full)
    finally:
        if guest and user not in (SITE_USER, ""):
            server.ask(SITE_USER, "organization_member_delete", {"id": CIRCLE, "username": user})
    for link in links:
        _make_resource(SITE_USER, "resource_create", {"package_id": made["id"]} | link)
    if made["state"] == "draft" and data.get("state", "active") == "active":
        server.ask(SITE_USER, "package_patch", {"id": made["id"], "state": "active"})
    return server.ask(SITE_USER, "package_show", {"id": made["id"]}) if links or made["state"] == "draft" else made


def _make_resource(user: str, action: str, data: dict[str, Any]) -> Any:
    """A resource is a file: a link is sent as a small one."""
    sent = {key: value for key, value in data.items() if value is not None and key != "user"}
    if "upload" not in sent and "url" in sent:
        sent.pop("url")
        name = sent.pop("name", None) or f"linked-{next(_numbers)}.txt"
        sent["upload"] = FileStorage(io.BytesIO(b"A file instead of a link.\n"), name)
        made = server.ask(user, action, sent)
        return made
    return server.ask(user, action, sent)


def _make_user(user: str, action: str, data: dict[str, Any]) -> Any:
    sent = {key: value for key, value in data.items() if not (key == "reset_key" and value is None) and key != "user"}
    try:
        return server.ask(user, action, sent)
    except logic.ValidationError as refused:
        if "an attacker" not in str(refused.error_dict.get("password")):
            raise
        return server.ask(user, action, sent | {"password": sent["password"] + "-zq7Wx"})  # CKAN's tests use common ones


def _update_dataset(user: str, action: str, data: dict[str, Any]) -> Any:
    """What DCOR demands and the test leaves out is what it was."""
    known = server.ask(SITE_USER, "package_show", {"id": data.get("id") or data.get("name")})
    for key in ("title", "authors", "license_id", "owner_org"):
        data.setdefault(key, known[key])
    return server.ask(user, action, data)


def _make(user: str, action: str, data: dict[str, Any]) -> Any:
    return server.ask(user, action, {key: value for key, value in data.items() if key != "user"})


MAKES: dict[str, Callable[[str, str, dict[str, Any]], Any]] = {
    "package_create": _make_dataset,
    "resource_create": _make_resource,
    "user_create": _make_user,
    "package_update": _update_dataset,
    "group_create": _make,
    "organization_create": _make,
}


def _shown(action: str, result: Any) -> Any:
    if action == "organization_list" and isinstance(result, list):
        return [one for one in result if (one if isinstance(one, str) else one["name"]) != CIRCLE]
    if action == "user_list" and isinstance(result, list):
        return [one for one in result if (one if isinstance(one, str) else one["name"]) != SITE_USER]
    if action == "member_list":
        return [tuple(one) for one in result]
    return result


# --- rights -------------------------------------------------------------------------------------------------------------


def call_auth(auth_name: str, context: Any, **data: Any) -> bool:
    """Make the call; what is refused with 403 was not allowed."""
    user = context.get("user") or ""
    if auth_name not in KNOWN:
        pytest.skip(f"{auth_name} is a rule of CKAN's, no action")
    if not server.is_user(user):
        user = ""
    try:
        server.ask(user, auth_name, data)
    except (logic.NotAuthorized, logic.NotFound):
        raise
    except logic.ActionError:
        return True
    return True


def check_access(auth_name: str, context: Any, data_dict: Any = None) -> bool:
    """CKAN's `logic.check_access`."""
    return call_auth(auth_name, context, **dict(data_dict or {}))


# --- what reaches into CKAN's process -----------------------------------------------------------------------------------


class _Inside:
    """Anything of CKAN's process: touching it ends the test."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"reaches into CKAN's process: {self._what}.{name}")

    def __call__(self, *arguments: Any, **named: Any) -> NoReturn:
        pytest.skip(f"reaches into CKAN's process: {self._what}")


class _Session:
    def commit(self) -> None:
        """Everything is committed."""

    remove = close = expunge_all = flush = rollback = commit

    def __call__(self) -> _Session:
        return self

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"reaches into CKAN's process: model.Session.{name}")


def _row(action: str, **extra: Any) -> Callable[..., Any]:
    def get(reference: Any, *_: Any, **__: Any) -> Any:
        try:
            found = server.ask(SITE_USER, action, {"id": reference})
        except logic.NotFound:
            return None
        return SimpleNamespace(**found, **extra)

    return get


def _fake_models(patch: pytest.MonkeyPatch) -> None:
    session = _Session()
    patch.setattr(model, "Session", session)
    patch.setattr(model, "repo", _Inside("model.repo"))
    for kind, action in (("User", "user_show"), ("Package", "package_show"), ("Resource", "resource_show"), ("Group", "group_show")):
        for name in ("get", "by_name"):
            patch.setattr(getattr(model, kind), name, staticmethod(_row(action)))


# --- fixtures of CKAN's plugin --------------------------------------------------------------------------------------------


@pytest.fixture
def clean_db() -> None:
    server.forget()


@pytest.fixture
def non_clean_db() -> None:
    pass


@pytest.fixture
def clean_index() -> None:
    pass


@pytest.fixture
def with_request_context() -> None:
    pass


@pytest.fixture
def with_plugins() -> None:
    pass


@pytest.fixture
def ckan_config() -> Any:
    return _Inside("config")


@pytest.fixture
def with_test_worker() -> None:
    pytest.skip("reaches into CKAN's process: queues")


@pytest.fixture
def app() -> None:
    pytest.skip("reaches into CKAN's process: app")


test_request_context = app


@pytest.fixture
def create_with_upload(clean_db: None) -> Callable[..., Any]:
    def create(data: Any, filename: str, context: Any = None, **fields: Any) -> Any:
        action = fields.pop("action", "resource_create")
        field = fields.pop("upload_field_name", "upload")
        content = data.encode() if isinstance(data, str) else data
        fields[field] = FileStorage(io.BytesIO(content), filename)
        return call_action(action, context or {}, **fields)

    return create


def _allowed(mark: pytest.Mark) -> bool:
    key, value = mark.args
    return key in SAME and SAME[key] == value


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ckan_config: settings")
    from server_actions import names

    KNOWN.update(names())
    patch = pytest.MonkeyPatch()
    patch.setattr(helpers, "call_action", call_action)
    patch.setattr(helpers, "call_auth", call_auth)
    patch.setattr(logic, "get_action", get_action)
    patch.setattr(logic, "check_access", check_access)
    _fake_models(patch)
    patch.setattr(helpers, "changed_config", _Inside("config"))
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marks = list(item.iter_markers("ckan_config"))
        other = [mark.args for mark in marks if not _allowed(mark)]
        if other:
            item.add_marker(pytest.mark.skip(reason=f"settings: {other}"))


@pytest.fixture(autouse=True)
def _plain_config() -> Iterator[None]:
    yield
