"""A few addresses with thousands of connections do not keep a person at another address from any page."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.server import ApartAppliance, Appliance
from tests.support.siege import KINDS, siege

HOSTILE = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]
PERSON = "127.0.0.6"
PAGES = ["/", "/user/login", "/dataset", "/group", "/organization", "/about", "/api/3/action/status_show", "/healthz"]
PASSWORD = "an unusual phrase of words"


class _From(HTTPAdapter):
    """Connects from a given address."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """With the source address."""
        super().init_poolmanager(*arguments, source_address=(PERSON, 0), **options)


def visit(appliance: Appliance, path: str, form: dict[str, str] | None = None) -> float:
    """A person without a connection opens one and asks for a page. → seconds until it is there."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _From())
        session.verify = str(appliance.certificate)
        began = time.perf_counter()
        if form is None:
            answer = session.get(appliance.url + path, timeout=10)
        else:
            answer = session.post(appliance.url + path, data=form, timeout=10, headers={"Origin": appliance.url})
        assert answer.status_code == 200, (path, answer.status_code)
        return time.perf_counter() - began


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """An appliance for few connections, so that few are a flood."""
    options = {
        "server.max_connections": 64,
        "server.max_connections_per_address": 32,
        "policy.anonymous_access": True,
    }
    running = ApartAppliance(tmp_path_factory.mktemp("small") / "data", **options)
    yield running
    running.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_locks_nobody_out(small: Appliance, kind: str) -> None:
    with siege(small.settings.server.port, kind, 80, HOSTILE):
        for path in PAGES:
            visit(small, path)


def test_a_flood_keeps_nobody_from_signing_in(small: Appliance) -> None:
    small.person("grace", password=PASSWORD)
    with siege(small.settings.server.port, "chunks", 80, HOSTILE):
        visit(small, "/user/login", {"login": "grace", "password": PASSWORD})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """An appliance with the usual limits."""
    running = ApartAppliance(tmp_path_factory.mktemp("whole") / "data", **{"policy.anonymous_access": True})
    yield running
    running.stop()


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_two_thousand_connections_lock_nobody_out(
    whole: Appliance, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    quiet = sorted(visit(whole, path) for path in PAGES)
    with siege(whole.settings.server.port, kind, 2000, HOSTILE):
        began = time.monotonic()
        times = []
        while time.monotonic() - began < 15:
            times += [visit(whole, path) for path in PAGES]
    times.sort()
    with capsys.disabled():
        print(
            f"\n{kind}: {len(times)} pages, median {times[len(times) // 2] * 1e3:.0f} ms, slowest {times[-1] * 1e3:.0f} ms"
            f" (without attack {quiet[len(quiet) // 2] * 1e3:.0f} and {quiet[-1] * 1e3:.0f} ms)"
        )
    assert times[-1] <= 1.0
