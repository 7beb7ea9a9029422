"""What the installer looks at before it changes anything: each obstacle is found, named, and told with what to do."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parents[2]
SCRIPT = TOP / "installer" / "preflight.py"


@pytest.fixture(scope="module")
def preflight() -> ModuleType:
    """The installer's program as a module."""
    spec = importlib.util.spec_from_file_location("preflight", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for a data root."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def look(preflight: ModuleType, data: Path, tmp_path: Path, fstab: str = "") -> list[tuple[str, str]]:
    (tmp_path / "fstab").write_text(fstab)
    return list(preflight.data_root(data, tmp_path / "record.json", tmp_path / "fstab"))


def test_an_empty_folder_and_a_new_volume_are_good(preflight: ModuleType, data: Path, tmp_path: Path) -> None:
    (data / "lost+found").mkdir()
    ((level, text),) = look(preflight, data, tmp_path)
    assert level == "ok"
    assert f"UID {os.getuid()}" in text


def test_a_place_that_is_not_there_yet_is_good(preflight: ModuleType, tmp_path: Path) -> None:
    ((level, text),) = look(preflight, tmp_path / "a" / "b", tmp_path)
    assert (level, "will be made" in text) == ("ok", True)


def test_a_whole_data_root_is_taken_up(preflight: ModuleType, data: Path, tmp_path: Path) -> None:
    for name in ("dcor.toml", "dcor.sqlite"):
        (data / name).touch()
    ((level, text),) = look(preflight, data, tmp_path)
    assert (level, "taken up as it is" in text) == ("ok", True)


@pytest.mark.parametrize("names", [["dcor.toml"], ["dcor.sqlite"], [".dcor-root"], [".restoring", "dcor.toml"]])
def test_a_damaged_one_is_a_problem(preflight: ModuleType, data: Path, tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (data / name).touch()
    ((level, text),) = look(preflight, data, tmp_path)
    assert (level, "damaged or half-restored" in text) == ("PROBLEM", True)


def test_an_interrupted_installation_goes_on(preflight: ModuleType, data: Path, tmp_path: Path) -> None:
    (data / ".dcor-root").write_text(json.dumps({"state": "making"}))
    assert [level for level, _text in look(preflight, data, tmp_path)] == ["ok"]


def test_somebody_elses_files_are_a_problem(preflight: ModuleType, data: Path, tmp_path: Path) -> None:
    (data / "precious").touch()
    ((level, text),) = look(preflight, data, tmp_path)
    assert (level, "holds something else (precious)" in text) == ("PROBLEM", True)


def test_a_volume_that_is_not_mounted_is_a_problem(preflight: ModuleType, data: Path, tmp_path: Path) -> None:
    ((level, text),) = look(preflight, data, tmp_path, f"# a comment\nUUID=1 {data} ext4 defaults 0 2\n")
    assert (level, f"sudo mount {data}" in text) == ("PROBLEM", True)
    record = {"path": str(data), "hostname": "dcor.lab.example", "id": "x"}
    (tmp_path / "record.json").write_text(json.dumps(record))
    ((level, text),) = look(preflight, data, tmp_path)
    assert (level, "of dcor.lab.example belongs" in text) == ("PROBLEM", True)
    (tmp_path / "record.json").write_text(json.dumps(record | {"path": "/elsewhere"}))
    assert [level for level, _text in look(preflight, data, tmp_path)] == ["ok"]


def test_a_file_is_no_place(preflight: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert [level for level, _text in look(preflight, tmp_path / "data", tmp_path)] == ["PROBLEM"]


def test_space(preflight: ModuleType, tmp_path: Path) -> None:
    assert next(preflight.space(tmp_path / "x", 1, "the data")).level == "ok"
    assert next(preflight.space(tmp_path / "x", 1 << 60, "the data")).level == "PROBLEM"


def test_a_taken_port_is_a_problem(preflight: ModuleType) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        number = taken.getsockname()[1]
        (line,) = preflight.port(number)
        assert (line.level, f"Port {number} is taken" in line.text) == ("PROBLEM", True)
    (line,) = preflight.port(number)
    assert line.level == "ok"


def test_the_ports_are_those_of_a_data_root_that_is_there(preflight: ModuleType, data: Path) -> None:
    assert preflight.ports_of(data, (443, 80)) == (443, 80)
    (data / "dcor.toml").write_text("[server]\n# port = 1\nport = 9443\nhttp_port = 0\n")
    assert preflight.ports_of(data, (443, 80)) == (9443, 0)


def test_a_clock_of_the_past_is_a_problem(preflight: ModuleType) -> None:
    assert next(preflight.clock(0.0)).level == "PROBLEM"
    assert next(preflight.clock()).level in ("ok", "note")


def test_a_name_that_the_dns_does_not_know_is_noted(preflight: ModuleType) -> None:
    assert next(preflight.name("localhost")).level == "ok"
    assert next(preflight.name("nobody.invalid")).level == "note"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and name spaces")
def test_a_real_empty_volume_and_a_read_only_one(tmp_path: Path) -> None:
    """A tmpfs at the data root, in a mount name space of its own."""
    (tmp_path / "data").mkdir()
    command = (
        f"'{sys.executable}' -I -B '{SCRIPT}' --data '{tmp_path / 'data'}' --prefix '{tmp_path}' --port 0 --http-port 0"
    )
    script = f"mount -t tmpfs -o size=2g,mode=755 tmpfs '{tmp_path / 'data'}' && {command} && mount -o remount,ro '{tmp_path / 'data'}' && {command}"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "mount:" in done.stderr:
        pytest.skip("no name spaces here")
    assert "is a mount point, empty, of UID 0 with mode 755; it will be dcor's." in done.stdout
    assert (done.returncode, "is mounted read-only" in done.stderr) == (1, True)
