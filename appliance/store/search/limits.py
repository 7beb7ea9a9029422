"""How long a search may take."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.model.messages import Message
from appliance.store.connections import Reader
from appliance.store.search.errors import search_error

TIME_LIMIT = 5.0  # s for all statements of a search
STEPS = 10_000  # virtual machine steps between two looks at the clock
_TOO_COMPLICATED = ("fts5", "too large", "too deep", "too many", "overflow")


@contextmanager
def time_limit(conn: sqlite3.Connection, seconds: float = TIME_LIMIT) -> Iterator[None]:
    """Interrupt statements on `conn` that run past the limit: Problem 409 Search Error."""
    end = time.monotonic() + seconds
    conn.set_progress_handler(lambda: time.monotonic() > end, STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "interrupted" in text:
            raise search_error(
                Message(
                    "The search took longer than %(seconds)s s and was stopped; ask for something narrower.",
                    seconds=f"{seconds:g}",
                )
            ) from error
        if any(sign in text for sign in _TOO_COMPLICATED):
            raise search_error(Message("The query is too complicated.")) from error
        raise
    finally:
        if isinstance(conn, Reader):
            conn.watch_time()
        else:
            conn.set_progress_handler(None, 0)
