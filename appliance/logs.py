"""The service's log: one JSON object a line for machines, plain lines on a terminal.

Messages are events, not sentences: ``upload.done bytes=12 ms=3``. Names of people, tokens, samples and files are never values.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

_PAIR = re.compile(r"(?<![a-z_])([a-z_]+)=(\S+)")
_CHATTY = ("huey", "waitress", "waitress.queue")


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "logger", "event", …the pairs of the message…, "trace"}``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        event, _, rest = record.getMessage().partition(" ")
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event,
        }
        pairs = _PAIR.findall(rest)
        if pairs:
            entry |= {key: value for key, value in pairs if key not in entry}
        elif rest:
            entry["message"] = rest
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up(level: int = logging.INFO) -> None:
    """Send the log of this process to stderr."""
    handler = logging.StreamHandler()
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    else:
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
