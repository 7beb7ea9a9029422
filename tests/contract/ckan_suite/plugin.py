"""A plugin of pytest with which CKAN's own tests ask a live service instead of CKAN's process.

`call_action` calls the action as the user of the test (CKAN skips the rights there: where only these are missing, the administrator
calls it instead); `call_auth` makes the call and sees whether it is refused. What reaches into CKAN's process is skipped.
"""

from __future__ import annotations

import inspect
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ckan.logic as logic
import ckan.tests.factories as factories
import ckan.tests.helpers as helpers
import pytest
from werkzeug.datastructures import FileStorage

from tests.contract.ckan_suite import inside
from tests.contract.ckan_suite.demands import MAKES
from tests.contract.ckan_suite.server import CIRCLE, SITE_USER, TOKEN, control, server

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
    return _shown(action_name, data, _asked(action_name, user, data, ignore=ignore))


def get_action(action_name: str) -> Callable[..., Any]:
    """CKAN's `logic.get_action`: rights are asked unless the context says otherwise."""

    def called(context: Any = None, data: Any = None) -> Any:
        context = {} if context is None else context
        ignore = bool(context.get("ignore_auth"))
        asked = dict(data or {})
        return _shown(action_name, asked, _asked(action_name, _user_of(context), asked, ignore=ignore))

    if action_name not in KNOWN:
        raise KeyError(f"Action '{action_name}' not found")
    return called


KNOWN: set[str] = set()
#: What a context can say that no request can.
INSIDE = {"schema", "return_id_only", "return_query", "defer_commit", "keep_email", "keep_apikey"}
#: Actions that answer what the caller is or has: without a user they are asked by nobody.
ONES_OWN = {"organization_list_for_user", "group_list_authz", "current_package_list_with_resources"}


def _user_of(context: Any) -> str:
    user = context.get("user")
    if not user and (known := context.get("auth_user_obj")) is not None:
        user = known.name
    if inside := INSIDE & {key for key, value in context.items() if value}:
        pytest.skip(f"reaches into CKAN's process: context {sorted(inside)}")
    return user or ""


def _of_anybody(action: str, data: dict[str, Any]) -> bool:
    """Without a user, CKAN lists only the public datasets of a group."""
    return action in ("group_show", "organization_show") and bool(data.get("include_datasets"))


def _asked(action: str, user: str, data: dict[str, Any], *, ignore: bool) -> Any:
    if action == "get_site_user":
        return {"name": SITE_USER, "id": SITE_USER}
    data = {key: value for key, value in data.items() if key != "context"}
    if ignore and _site_user(user):
        user = "" if action in ONES_OWN or _of_anybody(action, data) else SITE_USER
    elif not server.is_user(user):
        user = ""
    make = MAKES.get(action, server.ask)
    if not ignore or user == SITE_USER:
        return make(user, action, data)
    if action == "package_create" and user and not data.keys() & {"id", "plugin_data"}:
        made = make(SITE_USER, action, data)  # a user's own would be a draft; whose it is, no request can say
        control(f"creator {made['id']} {user}")
        return server.ask(SITE_USER, "package_show", {"id": made["id"]})
    try:
        return make(user, action, data)
    except logic.NotAuthorized:
        return make(SITE_USER, action, data)


def _shown(action: str, asked: dict[str, Any], result: Any) -> Any:
    if action == "organization_list" and isinstance(result, list):
        return [one for one in result if (one if isinstance(one, str) else one["name"]) != CIRCLE]
    if action == "api_token_list":
        return [one for one in result if one["name"] != TOKEN]
    if action == "user_list" and isinstance(result, list) and not asked.get("include_site_user"):
        return [one for one in result if (one if isinstance(one, str) else one["name"]) != SITE_USER]
    if action == "member_list":
        return [tuple(one) for one in result]
    return result


# --- rights -------------------------------------------------------------------------------------------------------------


#: Parameters that CKAN's functions of rights do without and its actions do not.
ADDED = {
    "package_collaborator_create": {"user_id": SITE_USER, "capacity": "member"},
    "package_collaborator_delete": {"user_id": SITE_USER},
}


def call_auth(auth_name: str, context: Any, **data: Any) -> bool:
    """Make the call; what is refused with 403 was not allowed."""
    user = context.get("user") or ""
    if auth_name not in KNOWN:
        pytest.skip(f"{auth_name} is a rule of CKAN's, no action")
    if user and not server.is_user(user):
        pytest.skip(f"reaches into CKAN's process: {user}, whom only the test knows")
    try:
        server.ask(user, auth_name, ADDED.get(auth_name, {}) | data)
    except logic.NotFound:
        if auth_name == "package_collaborator_delete":
            return bool(server.ask(SITE_USER, "package_show", {"id": data.get("id")}))
        raise
    except logic.NotAuthorized:
        raise
    except logic.ActionError:
        return True
    return True


def check_access(auth_name: str, context: Any, data_dict: Any = None) -> bool:
    """CKAN's `logic.check_access`."""
    return call_auth(auth_name, context, **dict(data_dict or {}))


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
    return inside.Inside("config")


@pytest.fixture
def with_test_worker() -> None:
    pytest.skip("reaches into CKAN's process: queues")


@pytest.fixture
def app() -> None:
    pytest.skip("reaches into CKAN's process: app")


test_request_context = app


@pytest.fixture
def group() -> dict[str, Any]:
    found: dict[str, Any] = factories.Group()
    return found


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
    KNOWN.update(json.loads(os.environ["DCOR_SUITE_ACTIONS"]))
    patch = pytest.MonkeyPatch()
    patch.setattr(helpers, "call_action", call_action)
    patch.setattr(helpers, "call_auth", call_auth)
    patch.setattr(logic, "get_action", get_action)
    patch.setattr(logic, "check_access", check_access)
    inside.replace(patch)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "freeze_time" in inspect.getsource(item.function):  # type: ignore[attr-defined]
            item.add_marker(pytest.mark.skip(reason="reaches into CKAN's process: its clock"))
        marks = list(item.iter_markers("ckan_config"))
        other = [mark.args for mark in marks if not _allowed(mark)]
        if other:
            item.add_marker(pytest.mark.skip(reason=f"settings: {other}"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down what became of each test: file, class and name → passed, differs or skipped."""
    found = {}
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    for outcome, word in (("passed", "passed"), ("skipped", "skipped"), ("failed", "differs"), ("error", "differs")):
        for report in reporter.stats.get(outcome, []):
            if hasattr(report, "nodeid"):
                found[report.nodeid.partition("logic/")[2] or report.nodeid] = word
    Path(os.environ["DCOR_SUITE_REPORT"]).write_text(json.dumps(found, indent=1, sort_keys=True))
