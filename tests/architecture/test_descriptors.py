"""No open descriptor is left by a step that fails: whatever opens one either hands it over in the same expression or is followed by `try`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = Path(__file__).parents[2] / "appliance"

#: What gives a plain descriptor, or a socket, that only its holder closes.
_OPENERS = {
    "os.open", "os.dup", "os.pipe", "os.pipe2", "os.eventfd", "os.memfd_create", "os.openpty", "select.epoll",
    "socket.socket", "socket.socketpair", "tempfile.mkstemp", "mkstemp", "socketpair",
}  # fmt: skip
#: Where the process that opened it does nothing else and ends when a step fails: `module:function`.
_ENDS_WITH_ITS_PROCESS = {
    "jobs.child:_redirect",
    "cli.root:run",
    "jobs.rtdc.workers:__init__",
    "jobs.zygote:main",
}
#: Where the object that holds it is made once for the life of the service: a failure ends the start.
_ONCE = {"web.gateway.selector:__init__"}


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _openings() -> Iterator[tuple[str, ast.Call, list[ast.AST]]]:
    """(module:function, call, the nodes around it from the outside) of each call that opens a descriptor."""
    for path in sorted(CODE.rglob("*.py")):
        module = ".".join(path.relative_to(CODE).with_suffix("").parts)
        stack: list[tuple[ast.AST, list[ast.AST]]] = [(ast.parse(path.read_text()), [])]
        while stack:
            node, around = stack.pop()
            if isinstance(node, ast.Call) and _name(node) in _OPENERS:
                functions = [one.name for one in around if isinstance(one, ast.FunctionDef)]
                yield f"{module}:{functions[-1] if functions else ''}", node, around
            stack += [(child, [*around, node]) for child in ast.iter_child_nodes(node)]


def _held(call: ast.Call, around: list[ast.AST]) -> bool:
    """Is what `call` opens closed, or in hands that close it, before anything else can fail?"""
    parent = around[-1]
    if isinstance(parent, ast.withitem):
        return True
    if isinstance(parent, ast.Call) and _name(parent) in {"os.close", "os.fdopen", "closing", "FileBody"}:
        return _name(parent) in {"os.close", "FileBody"} or isinstance(around[-2], ast.withitem)
    if isinstance(parent, ast.Return):
        return True
    if isinstance(parent, ast.Tuple):
        around, parent = around[:-1], around[-2]
    if not isinstance(parent, ast.Assign):
        return False
    following = _next(parent, around[:-1])
    if isinstance(parent.targets[0], ast.Attribute) and isinstance(following, ast.Return | None):
        return True  # held by an object that closes it
    return isinstance(following, ast.Try | ast.With)


def _next(statement: ast.AST, around: list[ast.AST]) -> ast.AST | None:
    """The statement that runs after `statement`: behind it, or behind the `try` whose last one it is."""
    parent = around[-1]
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(parent, block, [])
        if isinstance(statements, list) and statement in statements:
            place = statements.index(statement)
            if place + 1 < len(statements):
                found = statements[place + 1]
                assert isinstance(found, ast.AST)
                return found
            if isinstance(parent, ast.Try):
                return _next(parent, around[:-1])
    return None


@pytest.mark.parametrize("place", sorted({place for place, _, _ in _openings()}))
def test_a_step_that_fails_leaves_no_descriptor(place: str) -> None:
    if place in _ENDS_WITH_ITS_PROCESS | _ONCE:
        return
    left = [
        f"{place} line {call.lineno}"
        for found, call, around in _openings()
        if found == place and not _held(call, around)
    ]
    assert not left


def test_the_list_of_exceptions_is_not_longer_than_the_tree() -> None:
    assert {place for place, _, _ in _openings()} >= _ENDS_WITH_ITS_PROCESS | _ONCE
