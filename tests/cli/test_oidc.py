"""`dcor oidc`: what an administrator is told, with a provider that answers as a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.openid_stub import CLIENT, SECRET, Stub
from tests.support.ports import unused_port

from .conftest import Dcor


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    made = Stub(tmp_path_factory.mktemp("provider") / "stub")
    yield made
    made.stop()


@pytest.fixture
def clinic(people: Dcor, stub: Stub) -> Dcor:
    """`dcor` with a provider set up."""
    stub.honest()
    for key, value in {
        "issuer": stub.url, "client_id": CLIENT, "authority": str(stub.authority), "circles": "editors -> lab:editor",
        "timeout": "1",
    }.items():  # fmt: skip
        assert people("config", "set", f"oidc.{key}", value).code == 0
    assert people("oidc", "secret", "--password-stdin", stdin=f"{SECRET}\n").code == 0
    return people


def test_check_says_what_was_found_and_what_to_register(clinic: Dcor, stub: Stub) -> None:
    said = clinic("oidc", "check")
    assert said.code == 0, said.out
    for text in (
        f"{stub.url} answers, with this issuer.",
        "It publishes 1 keys for signatures.",
        f"A secret is stored for '{CLIENT}'.",
        f"It accepts '{CLIENT}' with this secret.",
        "redirect URI https://",
        "/user/login/oidc/callback",
        "/user/logout/backchannel",
    ):
        assert text in said.out


def test_check_tries_the_secret(clinic: Dcor, stub: Stub) -> None:
    assert clinic("oidc", "secret", "--password-stdin", stdin="another one\n").code == 0
    said = clinic("oidc", "check")
    assert (said.code, "invalid_client" in said.out, "sudo dcor oidc secret" in said.out) == (1, True, True), said
    assert "another one" not in said.out + said.err
    assert clinic("oidc", "secret", "--password-stdin", stdin=f"{SECRET}\n").code == 0
    answers = {
        (400, "unauthorized_client"): "unauthorized_client",
        (400, "unsupported_grant_type"): "unsupported_grant_type",
        (500, "server_error"): "gives no tokens: 500 server_error",
    }
    for (status, error), text in answers.items():
        stub.replies_with("/token", status, {"error": error})
        said = clinic("oidc", "check")
        assert (said.code, text in said.out, "It accepts" in said.out) == (1, True, False), said


def test_a_provider_that_takes_any_code_proves_nobody(clinic: Dcor, stub: Stub) -> None:
    stub.replies_with("/token", 200, {"access_token": "for anybody", "token_type": "Bearer"})
    said = clinic("oidc", "check")
    assert (said.code, "It accepts" in said.out) == (1, False), said


def test_check_names_each_thing_that_is_wrong(clinic: Dcor, stub: Stub) -> None:
    with unused_port() as port:
        wrong = {
            ("issuer", f"https://localhost:{port}"): "refused",
            ("issuer", f"{stub.url}/other"): "oidc.issuer must be exactly what the provider states",
            ("authority", ""): "ertificate",
            ("client_id", "somebody-else"): "No secret is stored for 'somebody-else'",
            ("client_id", ""): "dcor config set oidc.client_id",
            ("circles", "editors -> elsewhere:editor"): "dcor circle create elsewhere",
            ("circles", "editors = lab"): "write GROUP -> CIRCLE:ROLE",
            ("circles", ""): "Nobody may sign in",
        }
        for (key, value), text in wrong.items():
            before = clinic("config", "show", f"oidc.{key}", "--json").json[f"oidc.{key}"]
            clinic("config", "set", f"oidc.{key}", value)
            said = clinic("oidc", "check")
            assert (said.code, text in said.out + said.err) == (1, True), (key, value, said)
            assert "Traceback" not in said.err
            clinic("config", "set", f"oidc.{key}", before)


def test_an_account_is_linked_and_unlinked(clinic: Dcor) -> None:
    assert "now signs in through the provider" in clinic("oidc", "link", "ada", "--subject", "subject of ada").err
    refused = clinic("user", "passwd", "ada", "--password-stdin", stdin="correct horse battery\n")
    assert refused.code == 1
    assert "your institution" in refused.err
    assert "directory" not in refused.err
    assert clinic("oidc", "link", "ada", "--subject", "of somebody else").code == 1
    assert clinic("oidc", "sync").code == 0
    assert "now a local account" in clinic("oidc", "unlink", "ada").err
    assert clinic("user", "passwd", "ada", "--password-stdin", stdin="correct horse battery\n").code == 0
    assert clinic("oidc", "unlink", "ada").code == 1
    assert clinic("oidc", "link", "not-there", "--subject", "x").code == 1


def test_the_secret_is_kept_for_the_service_alone(clinic: Dcor, root: Path) -> None:
    kept = root / "secrets" / "oidc.secret"
    assert kept.stat().st_mode & 0o077 == 0
    assert SECRET not in (root / "dcor.toml").read_text()
    assert SECRET not in clinic("config", "show", "--json").out


def test_without_a_provider_the_commands_say_how_to_set_one_up(people: Dcor) -> None:
    for command in (("check",), ("sync",)):
        said = people("oidc", *command)
        assert (said.code, "dcor config set oidc.issuer" in said.out + said.err) == (1, True)
    assert people("oidc", "secret", "--password-stdin", stdin="x\n").code == 1
    assert people("oidc", "link", "ada", "--subject", "x").code == 1
