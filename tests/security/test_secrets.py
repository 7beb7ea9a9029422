"""Secret files: one value for everybody, private modes, damage noticed."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.model.problem import Problem
from appliance.security import secrets


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = secrets.signing_key(folder)
    assert secrets.signing_key(folder) == first
    assert len(first) == 32
    assert secrets.signing_key(tmp_path / "other") != first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [(path.name, stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()] == [("signing.key", 0o600)]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: secrets.signing_key(tmp_path / "secrets"), range(32)))
    assert len(set(found)) == 1
    assert len(list((tmp_path / "secrets").iterdir())) == 1


@pytest.mark.parametrize("content", ["", "xyz", "ab" * 31, "ü" * 64])
def test_damage_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing.key"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Problem, match=r"signing\.key is damaged"):
        secrets.load_or_create(path)


def test_files_are_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    secrets.write_private(path, b"new")
    assert path.read_bytes() == b"new"
    secrets.private_folder(tmp_path)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, tmp_path)] == [0o600, 0o700]
    assert [entry.name for entry in tmp_path.iterdir()] == ["server.key"]
