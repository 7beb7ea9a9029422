"""Waiting for what others do: look again and again, never longer than a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_until(condition: Callable[[], Any], seconds: float = 10.0, step: float = 0.02) -> bool:
    """Look at a condition until it holds. → did it within `seconds`?"""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Ask until `condition` gives something, and return that. Fails after `seconds`."""
    found: list[Any] = []
    assert wait_until(lambda: found.append(condition()) or found[-1], seconds), f"not within {seconds} s: {condition}"
    return found[-1]
