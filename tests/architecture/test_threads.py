"""Threads that live as long as the service have one shape; others are listed here with what ends them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2] / "appliance"

#: Where threads are made by hand, and why none of them is a `Loop`.
BY_HAND = {
    "threads.py": "Loop itself",
    "service.py": "warm-up: once",
    "jobs/runner.py": "warm-up: once",
    "web/gateway/workers.py": "workers: guarded, made anew on demand",
    "web/transfer/file_receiver.py": "one upload; every failure is raised to who waits for it",
    "cli/tryout.py": "once",
    "tray.py": "the tray icon's own loop",
}


def test_threads_made_by_hand_are_explained() -> None:
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"threading.Thread", "Thread"}:
                found.add(path.relative_to(ROOT).as_posix())
    assert found == set(BY_HAND)
