"""DCOR-Aid's preferences: "renew" and "revoke" of the API token, with the client's own code.

Its window needs Qt, which tests do not have. So the method is taken out of the installed package as it stands and given
settings, questions and a program to quit that need no screen; everything it says to the server is real.
"""

from __future__ import annotations

import ast
import importlib.util
import random
import socket
import string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dcoraid.api import CKANAPI

from appliance.actions import accounts
from appliance.model.viewer import OPERATOR
from tests.support.server import Appliance, Person


def method(name: str, names: dict[str, Any]) -> Any:
    """The method `name` of DCOR-Aid's preferences dialog, with `names` for its globals."""
    package = importlib.util.find_spec("dcoraid")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "gui" / "preferences" / "dlg_preferences.py"
    dialog = next(node for node in ast.parse(source.read_text()).body if isinstance(node, ast.ClassDef))
    found = next(node for node in dialog.body if isinstance(node, ast.FunctionDef) and node.name == name)
    found.decorator_list = []
    exec(compile(ast.Module([found], []), str(source), "exec"), names)
    return names[name]


class Dialog:
    """The preferences of somebody who answers every question with yes."""

    def __init__(self, appliance: Appliance, token: str) -> None:
        self.values = {"auth/api key": token}
        self.settings = SimpleNamespace(value=self.values.get, setValue=self.values.__setitem__, remove=self.values.pop)
        self.logger = SimpleNamespace(info=lambda text: None)
        self.quits = 0
        self._appliance = appliance

    def ask_change_server_or_api_key(self) -> bool:
        """Yes."""
        return True

    def run(self, name: str) -> None:
        """Press the button behind the method `name`."""

        def quit_() -> None:
            self.quits += 1

        names = {
            "get_ckan_api": lambda: self.client(),
            "QtWidgets": SimpleNamespace(QApplication=SimpleNamespace(quit=quit_)),
            "random": random,
            "socket": socket,
            "string": string,
        }
        method(name, names)(self)

    def client(self) -> CKANAPI:
        """DCOR-Aid's connection with the token in the settings, as it makes one after each start."""
        return CKANAPI(
            server=self._appliance.url,
            api_key=self.values["auth/api key"],
            ssl_verify=str(self._appliance.certificate),
        )


@pytest.fixture
def someone(shared: Appliance, request: pytest.FixtureRequest) -> Person:
    """A fresh user."""
    return shared.person(request.node.name.replace("_", "-")[:40])


def test_who_renews_the_token_stays_in(shared: Appliance, someone: Person) -> None:
    dialog = Dialog(shared, someone.token)
    for count in (1, 2, 3):
        before = dialog.values["auth/api key"]
        dialog.run("on_server_api_token_renew")
        assert dialog.quits == count
        assert dialog.values["auth/api key"] != before
        assert dialog.client().get_user_dict()["name"] == someone.name
        assert Person(shared, "", before).get("user_show").status == 403, "the old token is worthless"
    assert len(dialog.client().get("api_token_list", user_id=someone.name)) == 1


def test_a_renewed_token_still_ends_with_the_one_it_comes_from(shared: Appliance, someone: Person) -> None:
    lent = someone.post("api_token_create", name="lent").result["token"]
    dialog = Dialog(shared, lent)
    dialog.run("on_server_api_token_renew")
    dialog.run("on_server_api_token_renew")
    renewed = dialog.values["auth/api key"]
    assert Person(shared, "", renewed).get("user_show").status == 200
    accounts.revoke_token(shared.context, OPERATOR, token=someone.token)
    assert Person(shared, "", renewed).get("user_show").status == 403


def test_revoking_with_another_token_takes_what_was_made_with_it(shared: Appliance, someone: Person) -> None:
    lent = Person(shared, "", someone.post("api_token_create", name="lent").result["token"])
    copy = Person(shared, "", lent.post("api_token_create", name="copy").result["token"])
    assert someone.post("api_token_revoke", token=lent.token).status == 200
    assert {one.get("user_show").status for one in (lent, copy)} == {403}


def test_revoke_ends_the_token(shared: Appliance, someone: Person) -> None:
    dialog = Dialog(shared, someone.token)
    dialog.run("on_server_api_token_revoke")
    assert (dialog.quits, dialog.values) == (1, {})
    assert someone.get("user_show").status == 403
