"""When Python looks for garbage: while nobody waits for an answer.

Nearly everything is freed by counting references; what is left are circles of objects. A look through all objects takes 40 to 70 ms
with a filled cache, and whoever is being answered meanwhile waits for it. So full collections are made here, in a moment without
a request, and the small ones of the interpreter look at fewer objects than they would find worth a stop.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

#: New objects after which the youngest are looked through, and how often that happens before their elders are, too.
_YOUNG, _MIDDLE = 2000, 10
#: Full collections are made by `turn`; the interpreter's own would come after so many rounds of `_MIDDLE`.
_INTERPRETER = 1000
#: Rounds of `_MIDDLE` after which it is worth a full collection when nobody waits, and after which it is made in any case.
_WORTH, _MOST = 5, 100
#: Whatever has been made: a full collection so often [s], if nobody waits.
_SECONDS = 300.0


class Collector:
    """Collects in idle moments.

    :param busy: is somebody being answered?
    :ivar collections: full ones so far.
    """

    def __init__(self, busy: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self.collections = 0
        self._busy = busy
        self._clock = clock
        self._last = clock()

    def start(self) -> None:
        """What is there now stays as long as the process: no collection looks through it again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _INTERPRETER)

    def turn(self) -> bool:
        """Collect if it is time to; to be called about once a second. → whether it did."""
        rounds = gc.get_count()[2]
        due = rounds >= _WORTH or self._clock() - self._last > _SECONDS
        if rounds < _MOST and (not due or self._busy()):
            return False
        gc.collect()
        self.collections += 1
        self._last = self._clock()
        return True
