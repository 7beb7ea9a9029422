"""Settings: where a value comes from, what is refused, and that what is written is read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import settings
from appliance.model.problem import Problem


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    settings.write(
        tmp_path / "dcor.toml", {"server.title": "file", "server.description": "file", "web.contact": "file"}
    )
    environment = {"DCOR_SERVER_TITLE": "environment", "DCOR_SERVER_DESCRIPTION": "environment"}
    found = settings.load(tmp_path, environment, {"server.title": "flag", "server.bind": None})
    assert (found.server.title, found.server.description, found.web.contact) == ("flag", "environment", "file")
    assert found.server.bind == "0.0.0.0"
    assert found.origins == {
        "server.title": "flag",
        "server.description": "DCOR_SERVER_DESCRIPTION",
        "web.contact": "dcor.toml",
    }


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("server.hostnam", "x", "Did you mean 'server.hostname'"),
        ("server.port", "many", "needs a whole number"),
        ("server.port", 65536, "at most 65535"),
        ("server.http_port", -1, "at least 0"),
        ("jobs.scrub_days", 0, "at least 1"),
        ("policy.public_datasets", "perhaps", "needs true or false"),
        ("policy.licences", "medcial", "one of standard, medical"),
    ],
)
def test_what_cannot_be_meant_is_refused(key: str, value: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=said):
        settings.load(tmp_path, {}, {key: value})


SERVERS = ("mail.server", "syslog.server", "clamav.socket")


@pytest.mark.parametrize("key", SERVERS)
@pytest.mark.parametrize("value", ["..", "a..example:25", "tls://:514", "x" * 64 + ":25", "two words", "[::1"])
def test_a_server_that_no_one_can_look_up_is_refused(key: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="name or address of a server"):
        settings.load(tmp_path, {}, {key: value})


@pytest.mark.parametrize("key", SERVERS)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "localhost",
        "10.0.0.1:25",
        "tls://log.hospital.example:6514",
        "[fd00::1]:25",
        "/srv/clamd.ctl",
        "müller.example",
    ],
)
def test_servers_are_named_in_the_usual_ways(key: str, value: str, tmp_path: Path) -> None:
    settings.load(tmp_path, {}, {key: value})


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "dcor.toml").write_text("[server\n")
    with pytest.raises(Problem, match=r"dcor\.toml is not valid TOML"):
        settings.load(tmp_path, {})
    (tmp_path / "dcor.toml").write_text("port = 1\n")
    with pytest.raises(Problem, match="outside a table"):
        settings.load(tmp_path, {})


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_any_text_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("root")
    settings.write(folder / "dcor.toml", {"server.description": text, "server.port": 8443})
    assert (folder / "dcor.toml").stat().st_mode & 0o777 == 0o600
    found = settings.load(folder, {})
    assert (found.server.description, found.server.port) == (text, 8443)
