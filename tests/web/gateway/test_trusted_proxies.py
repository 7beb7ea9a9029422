"""`X-Forwarded-For` counts from named addresses only; below a path of a proxy nothing is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import settings as settings_module
from appliance.model.problem import Problem
from appliance.service import Service
from appliance.web.gateway.proxies import Proxies, parse
from appliance.web.http import Headers
from tests.support.server import Appliance


def headers(*values: str) -> Headers:
    return Headers([("X-Forwarded-For", value) for value in values])


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "client"),
    [
        ("", "10.0.0.5", ["192.0.2.7"], "10.0.0.5"),
        ("10.0.0.5", "10.0.0.6", ["192.0.2.7"], "10.0.0.6"),
        ("10.0.0.5", "10.0.0.5", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.5", "10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", ["203.0.113.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.5", "10.0.0.5", ["127.0.0.1", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.0/28", "10.0.0.5", ["192.0.2.7, 10.0.0.9"], "192.0.2.7"),
        ("10.0.0.5, fd00::/8", "fd00::5", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("10.0.0.5", "10.0.0.5", ["192.0.2.7:51234"], "192.0.2.7"),
        ("10.0.0.5", "10.0.0.5", ["unknown"], "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", ["127.0.0.1, unknown"], "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("10.0.0.5", "10.0.0.5", [", ,"], "10.0.0.5"),
    ],
)
def test_whose_request_it_is(trusted: str, peer: str, said: list[str], client: str) -> None:
    assert parse(trusted).client(peer, headers(*said)) == client


@pytest.mark.parametrize("text", ["proxy.hospital.example", "10.0.0.300", "10.0.0.0/33", "1.2.3.4,x"])
def test_a_setting_that_is_no_address_stops_the_start(text: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"server\.trusted_proxies: .* is no address"):
        parse(text)


def test_nobody_is_trusted_by_default() -> None:
    assert Proxies() == parse(" ")
    assert settings_module.Settings().server.trusted_proxies == ""
    assert Service is not None


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Appliance]:
    running = Appliance(tmp_path / "data", **{"server.trusted_proxies": "127.0.0.1"})
    yield running
    running.stop()


def test_the_audit_log_names_the_client_and_not_the_proxy(proxied: Appliance) -> None:
    proxied.person("ada", password="correct horse 1 battery")
    forwarded = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    proxied.nobody.http.post(
        f"{proxied.url}/user/login", data={"login": "ada", "password": "wrong"},
        headers=forwarded | {"Sec-Fetch-Site": "same-origin"}, timeout=60,
    )  # fmt: skip
    with proxied.context.db.read() as conn:
        found = conn.execute("SELECT address FROM audit WHERE action = 'session.refused'").fetchall()
    assert [row[0] for row in found] == ["192.0.2.7"]


def test_metrics_are_not_open_through_a_proxy_on_this_machine(proxied: Appliance, shared: Appliance) -> None:
    for appliance in (proxied, shared):
        assert appliance.nobody.fetch("/metrics").status_code == 200
        for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto"):
            said = appliance.nobody.fetch("/metrics", headers={name: "192.0.2.7"})
            assert said.status_code in (403, 404), name
            assert "dcor_" not in said.text


def test_below_a_path_nothing_is_served_and_the_reason_is_told(proxied: Appliance) -> None:
    said = proxied.nobody.fetch("/healthz", headers={"X-Forwarded-Prefix": "/dcor"})
    assert said.status_code == 400
    assert "host name of its own" in said.text
    assert proxied.nobody.fetch("/healthz", headers={"X-Forwarded-Prefix": "/"}).status_code == 200


def test_the_clients_of_a_proxy_are_not_one_place(tmp_path: Path) -> None:
    options = {"server.trusted_proxies": "127.0.0.1", "server.max_connections_per_address": 2}
    running = Appliance(tmp_path / "data", **options)
    try:
        import requests

        sessions = [requests.Session() for _ in range(5)]
        for session in sessions:
            session.trust_env = False
            session.verify = str(running.certificate)
            assert session.get(f"{running.url}/healthz", timeout=60).status_code == 200
        for session in sessions:
            session.close()
    finally:
        running.stop()
