"""Modules stay small, and everything that other modules may call says what it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import appliance

ROOT = Path(appliance.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
SCRIPTS = sorted((ROOT / "web/static/js").rglob("*.js"))
LONGEST = 400
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in [*MODULES, *SCRIPTS]}
    assert len(MODULES) > 300
    assert len(SCRIPTS) > 20
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_every_public_module_class_and_function_has_a_docstring() -> None:
    missing, seen = [], 0
    for path in MODULES:
        for name, node in public_definitions(ast.parse(path.read_text("utf-8"))):
            seen += 1
            if not ast.get_docstring(node):
                missing.append(f"{path.relative_to(ROOT)}: {name or 'the module'}")
    assert seen > 2000
    assert missing == []


def public_definitions(module: ast.Module) -> Iterator[tuple[str, Documented]]:
    """The module, and every class, method and function (also one inside another) whose name does not start with an underscore."""
    yield "", module
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield f"{node.lineno} {node.name}", node
