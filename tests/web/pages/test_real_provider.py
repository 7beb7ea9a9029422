"""People sign in and out at a real, certified OpenID provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import requests

from appliance.actions import communities, provider_links, provider_sync
from appliance.model.viewer import OPERATOR
from appliance.store import identities, users
from tests.support.furnished import Visitor
from tests.support.openid_provider import OpenIdProvider
from tests.support.openid_stub import CLIENT, SECRET
from tests.support.server import Appliance
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


class Clinic:
    """An appliance and the provider."""

    def __init__(self, folder: Path) -> None:
        self.provider = OpenIdProvider(folder / "provider")
        self.appliance = Appliance(
            folder / "data",
            **{
                "oidc.issuer": self.provider.url, "oidc.client_id": CLIENT, "oidc.authority": str(self.provider.authority),
                "oidc.circles": "editors -> lab:editor", "oidc.refresh": 86400, "oidc.timeout": 20,
            },
        )  # fmt: skip
        self.context = self.appliance.context
        provider_links.set_secret(self.context, SECRET)
        communities.create(self.context, OPERATOR, "circle", {"name": "lab", "title": "Lab"})
        self.provider.start(self.appliance.url, self.appliance.certificate)

    def hire(self, login: str, *groups: str) -> None:
        """Somebody new there."""
        self.provider.accounts[login] = {
            "name": login.title(),
            "email": f"{login}@hospital.example",
            "groups": list(groups),
        }
        self.provider.write()

    def sign_in(self, login: str) -> tuple[int, Visitor, requests.Session]:
        """Through all pages. → (status of the way back, the browser here, the browser there)."""
        visitor, there = Visitor(self.appliance), self.provider.browser()
        answer = visitor.get("/user/login/oidc?next=/dataset")
        assert answer.status_code == 303, answer.text
        back = self.provider.through(there, answer.headers["Location"], login, until=self.appliance.url)
        return visitor.get(back.removeprefix(self.appliance.url)).status_code, visitor, there


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    yield made
    made.appliance.stop()
    made.provider.stop()


def inside(visitor: Visitor) -> bool:
    """Is somebody signed in?"""
    return visitor.get("/dataset").status_code == 200


def test_signing_in_makes_the_account_with_its_roles(clinic: Clinic) -> None:
    clinic.hire("anna", "editors")
    status, visitor, _ = clinic.sign_in("anna")
    assert (status, inside(visitor)) == (303, True)
    with clinic.context.db.read() as conn:
        row = users.find(conn, "anna")
        assert row is not None
        assert (row["fullname"], row["email"]) == ("Anna", "anna@hospital.example")
        assert list(identities.memberships(conn, row["id"]).values()) == [("editor", clinic.provider.url)]
    assert all(one.good for one in provider_links.check(clinic.context))


def test_who_is_disabled_there_is_signed_out_here(clinic: Clinic) -> None:
    clinic.hire("berta", "editors")
    visitor = clinic.sign_in("berta")[1]
    for _ in range(3):  # refresh tokens rotate
        assert provider_sync.compare(clinic.context.db, clinic.context.settings).away == ""
        assert inside(visitor)
    clinic.provider.accounts["berta"]["disabled"] = True
    clinic.provider.write()
    assert provider_sync.compare(clinic.context.db, clinic.context.settings).ended == 1
    assert not inside(visitor)


def test_signing_out_there_ends_the_session_here(clinic: Clinic) -> None:
    """The provider's own back-channel request, over TLS to the appliance."""
    clinic.hire("carla", "editors")
    _, visitor, there = clinic.sign_in("carla")
    page = there.get(f"{clinic.provider.url}/session/end", params={"client_id": CLIENT}, timeout=60)
    xsrf = re.search(r'name="xsrf" value="([^"]+)"', page.text)
    assert xsrf is not None, page.text
    there.post(f"{clinic.provider.url}/session/end/confirm", data={"xsrf": xsrf[1], "logout": "yes"}, timeout=60)
    assert wait_until(lambda: not inside(visitor), 30.0)


def test_signing_out_here_leads_to_the_providers_own_page(clinic: Clinic) -> None:
    clinic.hire("dora", "editors")
    _, visitor, there = clinic.sign_in("dora")
    answer = visitor.post("/user/logout")
    found = re.search(r'content="0; url=([^"]+)"', answer.text)
    assert found is not None, answer.text
    page = there.get(unescape(found[1]), timeout=60)
    assert (page.status_code, "xsrf" in page.text) == (200, True), page.text
