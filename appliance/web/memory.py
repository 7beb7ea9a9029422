"""Answers of the API that are asked for again and again, kept as they were sent until anybody commits to the database.

Kept is what follows from the database, the settings and the caller alone: the action says so (`Call.kept`), by default nothing is.
The key is the credential and not the person, so that a token sees no more than it may; an answer lives no longer than the
credential it was given for. Callers with a cookie are not served from here.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from appliance.model import times
from appliance.web.http import Response

#: Name of the action, query string, hash of the token (b"" for nobody).
Question = tuple[str, str, bytes]

_LARGEST = 256 << 10  # bytes of an answer that is kept
_OVERHEAD = 1000  # bytes of an answer's headers and of its question, about
_LONGEST = 2000  # characters of a query string whose answer is kept


class Memory:
    """Answers by question.

    :param generation: `Database.generation`.
    :param budget: bytes of all kept answers together; those not asked for longest give way.
    """

    def __init__(self, generation: Callable[[], int], budget: int = 32 << 20) -> None:
        self._generation = generation
        self._budget = budget
        self._lock = threading.Lock()
        self._current = -1
        self._bytes = 0
        self._kept: OrderedDict[Question, tuple[Response, str | None]] = OrderedDict()

    def look_up(self, question: Question) -> tuple[int, Response | None]:
        """The present generation and the answer if it is known. Call it before anything is read for a new answer."""
        generation = self._generation()
        with self._lock:
            if generation != self._current:
                self._kept.clear()
                self._bytes = 0
                self._current = generation
            found = self._kept.get(question)
            if found is None:
                return generation, None
            self._kept.move_to_end(question)
        answer, expires = found
        return generation, answer if expires is None or expires > times.now() else None

    def keep(self, generation: int, question: Question, answer: Response, expires: str | None) -> None:
        """Keep an answer of which nothing was read before `generation`, until its credential `expires` (None: never)."""
        size = len(answer.body) if isinstance(answer.body, bytes) else _LARGEST + 1
        if size > _LARGEST or len(question[1]) > _LONGEST:
            return
        with self._lock:
            if generation != self._current or question in self._kept:
                return
            self._kept[question] = (answer, expires)
            self._bytes += size + _OVERHEAD
            while self._bytes > self._budget:
                _, (old, _) = self._kept.popitem(last=False)
                self._bytes -= len(old.body) + _OVERHEAD  # type: ignore[arg-type]  # bytes, or it would not have been kept
