"""The description of the API: it is valid, it is complete, and whatever fits it is answered without an internal error."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from appliance.web.api import openapi
from appliance.web.api.registry import ACTIONS
from tests.web.api.permission_fixture import World

DESCRIBED = openapi.document("https://localhost")
OPERATIONS = [(path, method) for path, methods in DESCRIBED["paths"].items() for method in methods]
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)


def test_the_description_is_valid_and_complete(world: World) -> None:
    served = world.people["A"].http.get(f"{world.appliance.url}/api/openapi.json")
    assert served.headers["Content-Type"].startswith("application/json")
    OpenAPIV31SpecValidator(served.json()).validate()
    assert served.json()["servers"] == [{"url": world.appliance.url}]
    assert {path.rpartition("/")[2] for path in served.json()["paths"]} == ACTIONS.keys()
    for path, methods in served.json()["paths"].items():
        assert ("get" in methods) == ACTIONS[path.rpartition("/")[2]].get
        assert all(operation["summary"] for operation in methods.values())


def _fuzz(world: World, path: str, method: str, count: int, who: tuple[str, ...]) -> None:
    @given(case=SCHEMA[path][method].as_strategy())
    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    def ask(case: Any) -> None:
        for one in who:
            answer = case.call(
                base_url=world.appliance.url,
                session=world.people[one].http,
                verify=str(world.appliance.certificate),
                timeout=30,
            )
            assert answer.status_code < 500 or answer.status_code == 507, (one, case.body, case.query, answer.text)

    ask()


@pytest.mark.parametrize(
    ("path", "method"), OPERATIONS, ids=[f"{path.rpartition('/')[2]} {method}" for path, method in OPERATIONS]
)
def test_nothing_that_fits_the_description_fails(world: World, path: str, method: str) -> None:
    _fuzz(world, path, method, 5, ("Ca",))


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize(
    ("path", "method"), OPERATIONS, ids=[f"{path.rpartition('/')[2]} {method}" for path, method in OPERATIONS]
)
def test_nothing_that_fits_the_description_fails_however_often(world: World, path: str, method: str) -> None:
    _fuzz(world, path, method, 100, ("A", "Ca", "S"))
