"""`dcor init` and `dcor config`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from appliance.cli.root import run
from appliance.store.data_root import FOLDERS
from tests.cli.conftest import Dcor


def init(root: Path, *more: str) -> int:
    return run(["--data", str(root), "init", "--hostname", "dcor.lab.example", *more])


def test_init_makes_a_complete_data_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data"
    assert init(root, "--admin", "boss", "--email", "boss@lab.example", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["url"] == "https://dcor.lab.example"
    assert said["link"].startswith("https://dcor.lab.example/")
    for name, mode in FOLDERS.items():
        assert stat.S_IMODE((root / name).stat().st_mode) == mode, name
    for secret in (
        root / "dcor.sqlite",
        root / "dcor.toml",
        root / "certificates" / "server.key",
        *(root / "secrets").iterdir(),
    ):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600, secret


def test_init_twice_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data"
    init(root, "--admin", "boss", "--email", "boss@lab.example")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "sqlite" not in path.name}
    capsys.readouterr()
    assert init(root, "--admin", "boss", "--email", "boss@lab.example", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["done"], said.get("link")) == ([], None)
    assert before == {path: path.read_bytes() for path in before}


def test_init_refuses_to_contradict_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data"
    init(root)
    assert run(["--data", str(root), "init", "--hostname", "other.lab.example"]) == 1
    assert "dcor config set server.hostname other.lab.example" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["Dcor.lab.example", "dcor", "dcor.lab.example:8443", "https://dcor.lab.example", "dcor lab"]
)
def test_init_refuses_names_that_clients_cannot_use(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--data", str(tmp_path / "data"), "init", "--hostname", name]) == 1
    assert name in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_init_needs_an_address_for_the_admin(tmp_path: Path) -> None:
    assert init(tmp_path / "data", "--admin", "boss") == 2


def test_config_says_where_a_setting_comes_from(dcor: Dcor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCOR_WEB_CONTACT", "room 12")
    shown = dcor("config", "show", "--origin", "--json").json
    assert shown["server.hostname"]["origin"] == "dcor.toml"
    assert (shown["web.contact"]["value"], shown["web.contact"]["origin"]) == ("room 12", "DCOR_WEB_CONTACT")
    assert shown["policy.public_datasets"]["origin"] == "default"
    changed = dcor("config", "show", "--changed", "--json").json
    assert set(changed) == {"server.hostname", "server.port", "server.http_port", "depot.reserve", "web.contact"}


def test_config_set(dcor: Dcor, port: int) -> None:
    assert dcor("config", "set", "policy.public_datasets", "off").code == 0
    assert dcor("config", "show", "policy.public_datasets", "--json").json == {"policy.public_datasets": False}
    assert dcor("config", "show", "server.port", "--json").json == {"server.port": port}
    assert dcor("config", "set", "policy.public_datset", "off").code == 1
    assert dcor("config", "set", "server.port", "many").code == 1
    assert dcor("config", "show", "nonsense").code == 2
