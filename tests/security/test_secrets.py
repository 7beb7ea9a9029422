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
    first = secrets.ensure(folder)
    assert secrets.ensure(folder) == first
    assert len({first.signing, first.session}) == 2
    assert {len(first.signing), len(first.session)} == {32}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == ["session.key", "signing.key"]
    assert "signing" not in repr(first)


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: secrets.ensure(tmp_path / "secrets"), range(32)))
    assert len({(one.signing, one.session) for one in found}) == 1
    assert len(list((tmp_path / "secrets").iterdir())) == 2


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
    assert secrets.exposed(tmp_path)
    secrets.write_private(path, b"new")
    assert path.read_bytes() == b"new"
    secrets.private_folder(tmp_path)
    assert secrets.exposed(tmp_path) == []
    assert [entry.name for entry in tmp_path.iterdir()] == ["server.key"]
