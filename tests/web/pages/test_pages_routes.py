"""Every route says who may use it, and what it says holds."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import NotFound

from appliance.security import policy
from appliance.web.app import create_app
from appliance.web.pages.frame import allow
from tests.support.furnished import House
from tests.support.page_permissions import EVERYBODY, GOLDEN, filled
from tests.support.page_visits import PAGES


@pytest.fixture(scope="module")
def app(house: House) -> Any:
    """The Flask application, for looking at its routes."""
    return create_app(house.appliance.context)


def test_every_route_declares_a_rule_of_the_policy(app: Any) -> None:
    rules = {
        rule.endpoint: getattr(app.view_functions[rule.endpoint], "rule", None) for rule in app.url_map.iter_rules()
    }
    assert {name for name, rule in rules.items() if rule not in policy.rules()} == set()


def test_site_rules_are_rules_of_the_policy() -> None:
    assert set(policy.rules()) >= policy.SITE_RULES


def test_a_view_that_forgets_to_ask_its_rule_fails(house: House) -> None:
    app = create_app(house.appliance.context)

    @app.get("/forgetful")
    @allow.allow("dataset:update")
    def forgetful() -> str:
        return "shown to everybody"

    client = app.test_client()
    client.set_cookie("__Host-dcor", str(house.visitor("ada").http.cookies["__Host-dcor"]), secure=True)
    answer = client.get("/forgetful", base_url="https://localhost")
    assert answer.status_code == 500
    assert b"shown to everybody" not in answer.data


@pytest.mark.parametrize("path", GOLDEN)
def test_who_gets_which_page(house: House, path: str) -> None:
    found = tuple(house.visitor(name).get(filled(path, house)).status_code for name in EVERYBODY)
    assert found == GOLDEN[path]


@pytest.mark.parametrize("path", [path for path, statuses in GOLDEN.items() if statuses[0] == 303])
def test_strangers_are_sent_to_the_login_and_back(house: House, path: str) -> None:
    target = filled(path, house)
    assert house.visitor().get(target).headers["Location"] == f"/user/login?next={target}"


def test_hidden_and_missing_look_alike(house: House) -> None:
    hidden = house.visitor("eve").get(f"/dataset/{house.private['id']}")
    missing = house.visitor("eve").get("/dataset/0b5b4b9c-7a43-4f4e-a4c0-0c1f2d3e4f50")
    scrubbed = [
        answer.text.replace(house.private["id"], "").replace("0b5b4b9c-7a43-4f4e-a4c0-0c1f2d3e4f50", "")
        for answer in (hidden, missing)
    ]
    assert (hidden.status_code, scrubbed[0]) == (missing.status_code, scrubbed[1])


def test_changes_asked_for_by_other_sites_are_refused(house: House) -> None:
    visitor = house.visitor("ada")
    answer = visitor.http.post(
        f"{house.appliance.url}/organization/lab/edit",
        data={"title": "Taken over"},
        headers={"Sec-Fetch-Site": "cross-site"},
        allow_redirects=False,
    )
    assert answer.status_code == 403
    assert "Taken over" not in visitor.page("/organization/lab")


#: Answers that are no pages: files, data for scripts, and addresses that only lead on.
NO_PAGES = {
    "assets.static_file", "assets.favicon", "assets.robots", "connect.server_certificate", "connect.setup_files", "dataset.bibtex",
    "dataset.ris", "dataset.citation_link", "admin_audit.export", "profile.everything", "members.complete", "resource.jobs_fragment",
    "supplement_sheet.download", "compare.table", "measurements.table", "elasticity.conditions", "compare_session.session", "provider.begin", "provider.callback",
}  # fmt: skip


def test_every_page_is_looked_at(app: Any) -> None:
    """By axe, in both themes, for its width, and on the pictures: `pages_seen` names them all, forms that come back included."""
    rules = app.url_map.bind("localhost")
    seen = set()
    for entry in (entry for entries in PAGES.values() for entry in entries):
        path, method = urlsplit(entry.removeprefix("POST ")).path, "POST" if entry.startswith("POST ") else "GET"
        path = "/dataset/x/resource/y" if entry == "FILE" else path
        with contextlib.suppress(NotFound):
            seen.add((rules.match(path, method)[0], method))
    missing = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods & {"GET", "POST"}
        if rule.endpoint not in NO_PAGES and not rule.endpoint.startswith("aliases.") and _is_page(app, rule, method)
    }
    assert missing - seen == set()


def _is_page(app: Any, rule: Any, method: str) -> bool:
    """GET shows something; a POST that says it only ever leads on (`Response`) does not."""
    return method == "GET" or app.view_functions[rule.endpoint].__annotations__["return"] != "Response"
