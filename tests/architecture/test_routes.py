"""Every address and every action says by which rule it is used."""

from __future__ import annotations

import pytest

from appliance.security import policy
from appliance.web import route_table
from appliance.web.api.registry import ACTIONS
from tests.support.server import Appliance

ROUTES = route_table.routes()


@pytest.mark.parametrize("route", ROUTES, ids=[one.pattern.pattern for one in ROUTES])
def test_routes_of_the_gateway_declare_a_known_rule(route: object) -> None:
    assert route.rule in policy.rules()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_actions_declare_a_known_rule_and_explain_themselves(name: str) -> None:
    declared = ACTIONS[name]
    assert declared.rule in policy.rules()
    assert declared.doc.endswith(".") or declared.doc.endswith(")") or declared.doc.endswith("?")
    assert all(parameter.doc for parameter in declared.parameters)
    assert len({parameter.name for parameter in declared.parameters}) == len(declared.parameters)


@pytest.mark.parametrize("name", sorted(name for name, declared in ACTIONS.items() if not declared.get))
def test_what_changes_something_is_closed_to_credentials_for_reading(name: str) -> None:
    if name == "user_create":
        return  # open to strangers where they may register; the verb asks for itself
    declared = ACTIONS[name]
    reader = policy.Viewer(user_id="u", name="u", sysadmin=True, scope="read", sees_public=True)
    assert not policy.may(reader, declared.rule)


def test_pages_declare_a_known_rule(appliance: Appliance) -> None:
    from appliance.web.app import create_app

    app = create_app(appliance.context)
    undeclared = [
        name for name, view in app.view_functions.items() if getattr(view, "rule", None) not in policy.rules()
    ]
    assert undeclared == []
