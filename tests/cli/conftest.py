"""The command line in this process, on a data root of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.backup import gpg
from appliance.cli.common import CliState
from appliance.cli.init import prepare
from appliance.cli.root import run
from tests.support.ports import unused_port


@dataclass
class Said:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The machine output."""
        return json.loads(self.out)


Dcor = Callable[..., Said]


@pytest.fixture
def gpg_home() -> Iterator[Path]:
    """A keyring's folder. Its path is short, as sockets in it need, whatever the folder of the tests is called."""
    with tempfile.TemporaryDirectory(prefix="dcor-test-", dir=gpg.short_folder()) as folder:
        yield Path(folder)
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], capture_output=True, check=False)


@pytest.fixture
def port() -> Iterator[int]:
    """The port of the data root's settings; nobody answers there."""
    with unused_port() as number:
        yield number


@pytest.fixture
def root(tmp_path: Path, port: int) -> Path:
    """A fresh data root that needs no free gigabytes."""
    folder = tmp_path / "data"
    prepare(
        folder,
        {"server.hostname": "localhost", "server.port": port, "server.http_port": 0, "depot.reserve": 0},
        [],
        try_out=True,
    )
    return folder


@pytest.fixture
def dcor(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dcor:
    """Run `dcor --data ROOT …`; `stdin` is what it may read."""

    def call(*arguments: str, stdin: str = "") -> Said:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = run(["--data", str(root), *arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def people(dcor: Dcor) -> Dcor:
    """`dcor` with an admin `boss`, a user `ada` and a circle `lab` of hers."""
    assert (
        dcor(
            "user",
            "add",
            "boss",
            "--email",
            "boss@lab.example",
            "--sysadmin",
            "--password-stdin",
            stdin="correct horse battery\n",
        ).code
        == 0
    )
    assert dcor("user", "add", "ada", "--email", "ada@lab.example", "--fullname", "Ada L.").code == 0
    assert dcor("circle", "create", "lab", "--title", "The lab", "--admin", "ada").code == 0
    return dcor


@pytest.fixture
def state(root: Path) -> CliState:
    """What commands work with."""
    return CliState(root)
