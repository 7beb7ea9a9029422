"""The frame of the command line: help, options, exit codes, errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from appliance import __version__
from appliance.cli.root import COMMANDS, cli, hoist_data, run
from tests.cli.conftest import Dcor


def test_help_names_every_command_without_loading_any() -> None:
    code = "import sys; from appliance.cli.root import run; run(['--help']); print([m for m in sys.modules if m.startswith('appliance.cli.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert loaded == "['appliance.cli.common', 'appliance.cli.inputs', 'appliance.cli.root']"
    for name in COMMANDS:
        assert f"  {name} " in done.stdout or f"  {name}\n" in done.stdout


def test_help_loads_no_library_that_takes_long() -> None:
    code = "import sys; from appliance.cli.root import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & {"flask", "numpy", "h5py", "dclab", "cryptography", "huey", "sqlite_utils", "waitress"}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_loads_and_says_what_the_table_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.get_short_help_str(300).rstrip(".") == COMMANDS[name][2].rstrip(".")


def test_a_damaged_database_is_said_in_a_line(dcor: Dcor, root: Path) -> None:
    for end in ("", "-wal", "-shm"):
        (root / f"dcor.sqlite{end}").unlink(missing_ok=True)
    (root / "dcor.sqlite").write_bytes(b"\x55" * (100 * 4096))
    (root / "dcor.sqlite").chmod(0o600)
    said = dcor("user", "list")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "dcor inspect" in said.err
    assert dcor("inspect", "--json").code == 1
    findings = dcor("inspect", "--json").json["findings"]
    assert [one["fix"] for one in findings if (one["check"], one["level"]) == ("database", "problem")] == [
        "Restore the latest backup: `sudo systemctl stop dcor`, `sudo dcor backup restore --replace --key key-sheet.txt`, "
        "`sudo systemctl start dcor`."
    ]


def test_every_command_and_option_is_explained() -> None:
    bare = []

    def look(path: str, command: click.Command) -> None:
        if not command.help:
            bare.append(path)
        bare.extend(
            f"{path} {one.opts[0]}"
            for one in command.params
            if isinstance(one, click.Option) and not one.help and not one.hidden
        )
        if isinstance(command, click.Group) and path != "dcor":
            for name, child in command.commands.items():
                look(f"{path} {name}", child)

    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        look(f"dcor {name}", command)
    assert bare == []


def test_data_is_accepted_in_any_position() -> None:
    assert hoist_data(["user", "list", "--data", "/x", "--json"]) == ["--data", "/x", "user", "list", "--json"]
    assert hoist_data(["--data=/x", "a", "--", "--data", "y"]) == ["--data=/x", "a", "--", "--data", "y"]
    assert hoist_data(["user", "--data"]) == ["--data", "user"]


def test_version(dcor: Dcor) -> None:
    said = dcor("--version")
    assert (said.code, said.out.split()[-1]) == (0, __version__)


def test_wrong_usage_is_2_and_refusals_are_1(dcor: Dcor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dcor("nonsense").code == 2
    assert dcor("user", "add").code == 2
    said = dcor("user", "show", "nobody")
    assert said.code == 1
    assert said.err.startswith("dcor: ")
    assert run(["--data", str(tmp_path / "nothing"), "user", "list"]) == 1
    assert "no DCOR data root" in capsys.readouterr().err


def test_an_error_is_one_line_without_a_trace(dcor: Dcor, root: Path) -> None:
    (root / "dcor.toml").write_text("[server]\nhostnam = 'x'\n")
    said = dcor("config", "show")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "Did you mean 'server.hostname'" in said.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(dcor: Dcor, shell: str) -> None:
    said = dcor("completion", shell)
    assert said.code == 0
    assert "_DCOR_COMPLETE" in said.out


def test_completion_completes(root: Path) -> None:
    env = os.environ | {"_DCOR_COMPLETE": "bash_complete", "COMP_WORDS": "dcor us", "COMP_CWORD": "1"}
    code = "from appliance.cli.root import cli; cli(prog_name='dcor')"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert "plain,user" in done.stdout


def test_a_closed_pipe_is_no_error(root: Path) -> None:
    command = f"{sys.executable} -m appliance --data {root} docs settings | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def nobody_can_run_python() -> bool:
    """Is this root, and is its Python readable by other accounts?"""
    drop = "import os; os.setegid(65534); os.seteuid(65534); import click, flask, json.tool, appliance.cli.user"
    return (
        os.geteuid() == 0
        and subprocess.run([sys.executable, "-c", drop], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.root
@pytest.mark.skipif(
    not nobody_can_run_python(),
    reason="only root can become somebody else, and only with a Python that others may read",
)
def test_root_works_as_the_owner_of_the_data_root(root: Path, tmp_path: Path) -> None:
    nobody = 65534
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    for path in [root, *root.rglob("*")]:
        os.chown(path, nobody, nobody)
    command = [sys.executable, "-m", "appliance", "--data", str(root)]
    subprocess.run([*command, "user", "add", "eve", "--email", "eve@lab.example"], check=True, capture_output=True)
    assert {path.stat().st_uid for path in root.rglob("*")} == {nobody}
    out = tmp_path / "eve.json"
    subprocess.run([*command, "user", "export", "eve", "--out", str(out)], check=True)
    assert (out.stat().st_uid, out.stat().st_mode & 0o777) == (0, 0o600)
