"""Odd dates and numbers in the headers of conditional requests, to every route and page: no failure, no incident, nothing left open."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from appliance.web import route_table
from appliance.web.http import Headers
from appliance.web.routes import Route
from appliance.web.transfer.ranges import select
from tests.security.attacks.test_every_way_in import Targets
from tests.support.descriptors import held
from tests.support.server import Appliance

_BIG = "9" * 20
ODD = (
    f"Mon, 01 Jan {_BIG} 00:00:00 GMT",
    f"Mon, {_BIG} Jan 2024 00:00:00 GMT",
    f"Mon, 01 Jan 2024 {_BIG}:00:00 GMT",
    f"Mon, 01 Jan 2024 00:00:00 +{_BIG}",
    f"Mon, 01 Jan 2024 00:00:00 -{'9' * 9}",
    "Mon, 01 Jan 0000 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 -0000",
    "Fri, 31 Dec 9999 23:59:59 -0000",
    "Mon, 01 Jan ²024 00:00:00 GMT",
    "Mon, 31 Feb 2024 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:60 GMT",
    f"Mon, 01 Jan {'9' * 5000} 00:00:00 GMT",
    "(" * 3000,
    "Mon, " * 2000,
    "", ",", "-", "+", "0", _BIG, "GMT", "\xa0", ";", '"',
)  # fmt: skip
CONDITIONS = ("If-Modified-Since", "If-Unmodified-Since", "If-Range", "If-None-Match", "If-Match", "Range")
GETS = [route for route in route_table.routes() if "GET" in route.methods and route.rule != "open"]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    running = Appliance(tmp_path_factory.mktemp("dates") / "data", **{"depot.direct_upload": True})
    yield Targets(running)
    running.stop()


def conditions(value: str) -> Iterator[dict[str, str]]:
    """Each condition alone with the value, a range with it, and all at once."""
    for name in CONDITIONS:
        yield {name: value} | ({"Range": "bytes=0-4"} if name == "If-Range" else {})
    yield dict.fromkeys(CONDITIONS, value)


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_date_that_is_none_is_no_condition(value: str) -> None:
    for headers in conditions(value):
        for method in ("GET", "HEAD"):
            assert select(method, Headers(headers.items()), 100, '"abcdef"', 1_700_000_000).status < 500


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.pattern.pattern)
def test_no_route_fails_for_an_odd_date(targets: Targets, route: Route, caplog: pytest.LogCaptureFixture) -> None:
    ada, root = targets.house.people["ada"], targets.appliance.root
    address = targets.address(route)
    before = held(root / "depot")
    with caplog.at_level(logging.ERROR):
        for value in ODD:
            if not value.isprintable() or value != value.strip():
                continue  # the client library would refuse it
            for headers in conditions(value):
                answer = ada.fetch(address, headers={k: v.encode("latin-1") for k, v in headers.items()})
                if answer.status_code == 503:
                    return  # no readers run in this house: the route got as far as that
                assert answer.status_code < 500, (headers, answer.text)
    assert not [record for record in caplog.records if record.name.startswith("appliance")]
    assert held(root / "depot") <= before


def test_no_page_fails_for_an_odd_date(targets: Targets, caplog: pytest.LogCaptureFixture) -> None:
    ada = targets.house.visitor("ada")
    with caplog.at_level(logging.ERROR):
        for rule in targets.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()):
                continue
            for value in ODD[:2]:
                headers = {**dict.fromkeys(CONDITIONS, value), "Sec-Fetch-Site": "same-origin"}
                status = ada.http.get(
                    targets.appliance.url + targets.page(rule), headers=headers, allow_redirects=False
                )
                assert status.status_code < 500, rule
    assert not [record for record in caplog.records if record.name.startswith("appliance")]
