"""Tests run beside the try-out, other services and each other: none binds or asks a fixed port, or writes a fixed path.

`tests.support.ports` and pytest's `tmp_path` give what nobody else has. Values that are only compared or parsed are listed below.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("*.py"))
SCRIPTS = sorted(path for path in TESTS.rglob("*.sh"))

_LOCAL = r"(localhost|127\.[0-9.]+|0\.0\.0\.0|\[?::1?\]?)"
_ADDRESS = re.compile(rf"^(https?://)?{_LOCAL}:[0-9]+(/|$)")
_PATH = re.compile(r"^(/tmp|/var/tmp|/var/run|/run|/dev/shm)(/|$)")
_SHELL_PATH = re.compile(r"(?<![\w.$}])/(?:var/)?tmp/\w+")

#: File → the places it may name, and why.
NAMED = {
    "browser/chromium.py": ({"/tmp"}, "a browser's socket needs a short path; it makes a folder of its own there"),
    "support/memory_folder.py": ({"/dev/shm"}, "a folder with a random name is made in it"),
    "actions/test_collection_life.py": ({"/dev/shm"}, "a folder with a random name is made in it"),
    "web/api/permission_fixture.py": ({"/dev/shm"}, "a folder with a random name is made in it"),
    "web/gateway/test_gateway_requests.py": ({"localhost:1", "[::1]:443"}, "Host headers"),
    "contract/test_dclab_by_address.py": ({"443"}, "dclab's patterns demand it; on a loopback address of its own"),
    "health/test_checks.py": ({"443", "8443"}, "settings that are looked at; nothing listens or connects"),
    "backup/test_backup.py": ({"/tmp"}, "a folder with a random name is made in it, where every account may go"),
    "installer/killed_releases.py": (
        {"/tmp/bundle/installer/install.sh", "/tmp/killed", "/tmp/resource", "/tmp/token"},
        "it runs on a machine of its own (tests/installer/booted.sh)",
    ),
    "jobs/hostile_tasks.py": ({"/tmp"}, "a mount that is refused"),
    "cli/test_certificate.py": ({"443"}, "a setting that decides about names; nothing listens or connects"),
    "security/test_access_file.py": ({"localhost:8443", "8443"}, "a name in a file"),
    "tls/test_certificate.py": ({"localhost:8443", "8443"}, "a name in a certificate"),
    "test_settings.py": ({"8443"}, "a setting that is read and written"),
    "support/rtdc_odd.py": ({"http://127.0.0.1:1/x.rtdc"}, "an address inside of a measurement, never asked"),
}

#: Scripts that run on a machine of their own, whose /tmp is nobody else's (tests/installer/machine.sh).
OWN_MACHINE = {
    "scenario_a.sh",
    "scenario_b.sh",
    "scenario_systemd.sh",
    "scenario_kills.sh",
    "scenario_ansible.sh",
    "builder.sh",
    "booted.sh",
    "machine.sh",
}


def _name(path: Path) -> str:
    return path.relative_to(TESTS).as_posix()


def _constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _is_port(value: object) -> bool:
    return str(value) != "0" and (type(value) is int or (isinstance(value, str) and value.isdigit()))


def _is_port_name(value: object) -> bool:
    return isinstance(value, str) and re.split(r"[._-]", value)[-1] == "port"


def fixed_places(tree: ast.AST) -> Iterator[str]:
    """What a test's code names that others on the machine may use: addresses, ports, paths."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if isinstance(text, str) and (_ADDRESS.search(text) or _PATH.search(text)):
                yield text
        elif isinstance(node, ast.Tuple | ast.List):
            words = [_constant(element) for element in node.elts]
            if len(words) == 2 and isinstance(words[0], str) and re.fullmatch(_LOCAL, words[0]) and _is_port(words[1]):
                yield str(words[1])
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if _is_port_name(_constant(key)) and _is_port(_constant(value)):
                    yield str(_constant(value))
        elif isinstance(node, ast.keyword):
            if _is_port_name(node.arg) and _is_port(_constant(node.value)):
                yield str(_constant(node.value))
        elif isinstance(node, ast.Call):
            words = [_constant(argument) for argument in node.args]
            for word, follows in itertools.pairwise(words):
                if _is_port_name(word) and _is_port(follows):
                    yield str(follows)


@pytest.mark.parametrize("path", [path for path in FILES if path != Path(__file__)], ids=_name)
def test_no_fixed_port_address_or_path(path: Path) -> None:
    allowed = NAMED.get(_name(path), (set(), ""))[0]
    found = set(fixed_places(ast.parse(path.read_text(encoding="utf-8"))))
    assert found == allowed, "take a port from tests.support.ports and a folder from tmp_path"


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path.name not in OWN_MACHINE], ids=_name)
def test_scripts_outside_of_a_machine_of_their_own_name_no_fixed_path(path: Path) -> None:
    assert _SHELL_PATH.findall(path.read_text(encoding="utf-8")) == []


def test_every_listed_file_is_there() -> None:
    assert {name for name in NAMED if not (TESTS / name).is_file()} == set()
    assert {path.name for path in SCRIPTS} >= OWN_MACHINE


@pytest.mark.parametrize(
    "code",
    [
        'socket.create_server(("127.0.0.1", 8080))',
        'sock.bind(("localhost", 5000))',
        'Appliance(root, **{"server.port": 8443})',
        "serve(http_port=8080)",
        'dcor("config", "set", "server.port", "8000")',
        'requests.get("http://localhost:8080/x")',
        'Path("/tmp/found")',
        'open("/dev/shm/cells", "wb")',
        "connect('127.0.0.1:25')",
    ],
)
def test_the_search_finds(code: str) -> None:
    assert list(fixed_places(ast.parse(code)))


@pytest.mark.parametrize("code", ['create_server(("127.0.0.1", 0))', "serve(http_port=0)", '"/tmpl/x"', "f(port=port)"])
def test_the_search_lets_pass(code: str) -> None:
    assert not list(fixed_places(ast.parse(code)))
