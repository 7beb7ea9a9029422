"""What the provider leaves out, and what it is asked to ask people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.model.messages import Message
from appliance.security import oidc
from appliance.signon_settings import Oidc
from appliance.web.pages.frame import i18n
from tests.support.openid_stub import CLIENT, Stub
from tests.web.pages.test_provider_sign_in import Clinic


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    yield made
    made.stop()


def test_no_claim_of_groups_is_an_alarm_until_it_comes(clinic: Clinic) -> None:
    clinic.hire("guests")
    del clinic.stub.person["groups"]
    assert clinic.sign_in()[0] == 403
    told = [one for one in clinic.told() if "no claim 'groups'" in one]
    assert len(told) == 1
    assert "oidc.groups_claim" in told[0]
    assert isinstance(told[0], Message)
    assert "keinen Claim" in i18n.said("de", told[0].template)
    clinic.hire("guests")
    assert clinic.sign_in()[0] == 303
    assert [one for one in clinic.told() if "no claim" in one] == []
    clinic.hire()  # an empty list is an answer
    assert clinic.sign_in()[0] == 403
    assert [one for one in clinic.told() if "no claim" in one] == []


@pytest.mark.parametrize(
    ("scopes", "prompt", "sent"),
    [
        ("openid profile email", "auto", None),
        ("openid offline_access", "auto", "consent"),
        ("openid offline_access", "nothing", None),
        ("openid", "select_account", "select_account"),
        ("openid", "login", "login"),
    ],
)
def test_what_the_provider_is_to_ask(tmp_path: Path, scopes: str, prompt: str, sent: str | None) -> None:
    stub = Stub(tmp_path / "provider")
    try:
        settings = Oidc(issuer=stub.url, client_id=CLIENT, authority=str(stub.authority), scopes=scopes, prompt=prompt)
        address = oidc.Provider(settings).address(oidc.new_flow(), "https://dcor.hospital.example/back")
    finally:
        stub.stop()
    assert ("prompt=" in address) == (sent is not None)
    if sent is not None:
        assert f"prompt={sent}" in address
