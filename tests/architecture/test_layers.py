"""Imports go one way, SQL stands in one place, Flask in another, and HDF5 never comes into the serving process."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "appliance"
FILES = sorted(ROOT.rglob("*.py"))

#: Layer → what it may import of the others. Single modules at the top (settings, logs…) are `_BASE`, open to all.
ALLOWED = {
    "model": set(),
    "store": {"security", "model"},
    "security": {"model"},
    "tls": {"security", "model"},
    "backup": {"security", "model"},
    "archive": {"store", "security", "model"},
    "actions": {"archive", "backup", "tls", "store", "security", "model"},
    "peer": {"actions", "archive", "store", "security", "model"},
    "jobs": {"actions", "archive", "store", "security", "model"},
    "health": {"jobs", "actions", "archive", "backup", "tls", "store", "security", "model"},
    "demo": {"actions", "store", "security", "model"},
    "web": {"actions", "archive", "health", "tls", "store", "security", "model"},
    "service": {"web", "jobs", "actions", "archive", "tls", "store", "security", "model"},
    "tray": {"health", "web", "service", "store", "security", "model"},
    "cli": {
        "tray",
        "service",
        "web",
        "jobs",
        "health",
        "demo",
        "peer",
        "actions",
        "archive",
        "backup",
        "tls",
        "store",
        "security",
        "model",
    },
}
_BASE = {
    "__version__",
    "archive_settings",
    "durable",
    "external_settings",
    "file_locks",
    "garbage",
    "settings",
    "logs",
    "notify",
    "publish_settings",
    "root_marker",
    "signon_settings",
    "threads",
}
_READS_HDF5 = ("jobs/rtdc/", "demo/")

#: Where SQL stands outside of the store, and why.
_SQL = {
    "web/monitoring_routes.py": "asks whether the database can be read at all",
}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_go_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).with_suffix("").parts[0]
    allowed = ALLOWED.get(layer, set(ALLOWED)) | _BASE | {layer}
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "appliance" and len(parts) > 1:
            assert parts[1] in allowed, f"{layer} may not import {name}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    for name in _imports(path):
        library = name.partition(".")[0]
        if library in {"flask", "werkzeug"}:
            assert layer == "web", name
            assert not _name(path).startswith(("web/api/", "web/gateway/", "web/transfer/", "web/dcserv/")), name
        if library in {"h5py", "dclab", "hdf5plugin"}:
            assert _name(path).startswith(_READS_HDF5), name


@pytest.mark.parametrize("path", [path for path in FILES if not _name(path).startswith("store/")], ids=_name)
def test_sql_stands_in_the_store(path: Path) -> None:
    if _name(path) in _SQL:
        return
    text = path.read_text(encoding="utf-8")
    found = re.search(
        r"\.execute(?:many|script)?\(|sqlite3\.connect\(|\b(?:SELECT|DELETE|INSERT INTO|UPDATE) [\w.*]+ (?:FROM|SET|VALUES)\b",
        text,
    )
    assert found is None, found


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_failure_is_swallowed_whole(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            named = ast.unparse(node.type) if node.type else ""
            assert named not in {"", "BaseException"}, f"line {node.lineno}"


def test_json_from_outside_is_read_by_one_function() -> None:
    """`json.loads` by itself ends in RecursionError for deep nesting, and lets half characters pass."""
    foreign = re.compile(r"json\.loads\([^)]*\b(request|asked|form|args|body)\b")
    found = {
        str(path.relative_to(ROOT)) for path in (ROOT / "web").rglob("*.py") if foreign.search(path.read_text("utf-8"))
    }
    assert found == set()
