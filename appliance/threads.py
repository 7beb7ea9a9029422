"""Long-lived threads: a loop that logs failures, continues after them, and reports whether it is alive."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

#: Pause after a failure [s].
PAUSE = 1.0


class Loop:
    """A thread that calls `turn` again and again until `stop`.

    A turn that fails is logged as ``thread.failed`` with the thread's name, and the next one follows after a pause: no failure
    ends the thread.

    :param turn: one round; it does its own waiting, with `stopping` or something that `wake` ends.
    :param wake: ends the wait of a round, so that `stop` need not wait for it.
    :ivar stopping: set when the thread is to end.
    :ivar turned: when the last round began [s, monotonic].
    """

    def __init__(self, name: str, turn: Callable[[], None], wake: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.stopping = threading.Event()
        self.turned = time.monotonic()
        self._turn = turn
        self._wake = wake
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Is the thread alive?"""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self.turned = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to stop after this round."""
        self.stopping.set()
        self._wake()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the thread to end; no-op if it was never started."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def stalled(self, seconds: float) -> bool:
        """Whether it should run, but has ended or has been in one round for more than `seconds`."""
        if self._thread.ident is None or self.stopping.is_set():
            return False
        return not self.alive or time.monotonic() - self.turned > seconds

    def _run(self) -> None:
        while not self.stopping.is_set():
            self.turned = time.monotonic()
            try:
                self._turn()
            except Exception:
                log.exception("thread.failed name=%s", self.name)
                self.stopping.wait(PAUSE)


def report_deaths() -> None:
    """Log uncaught exceptions that end a thread of this process."""

    def died(found: threading.ExceptHookArgs) -> None:
        """`threading.excepthook`: log instead of printing to stderr."""
        if found.exc_type is SystemExit:
            return
        name = found.thread.name if found.thread is not None else "-"
        log.critical(
            "thread.died name=%s",
            name,
            exc_info=(found.exc_type, found.exc_value or found.exc_type(), found.exc_traceback),
        )

    threading.excepthook = died
