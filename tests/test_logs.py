"""The service's log, as a log collector reads it."""

from __future__ import annotations

import json
import logging
import sys

from appliance.logs import JsonFormatter


def _line(message: str, *arguments: object, error: bool = False) -> dict[str, object]:
    record = logging.LogRecord(
        "appliance.web", logging.INFO, __file__, 1, message, arguments, sys.exc_info() if error else None
    )
    return json.loads(JsonFormatter().format(record))  # type: ignore[no-any-return]


def test_an_event_and_its_pairs_become_fields() -> None:
    entry = _line("upload.done bytes=%d ms=%.1f", 12, 3.25)
    assert (entry["event"], entry["bytes"], entry["ms"], entry["level"]) == ("upload.done", "12", "3.2", "info")


def test_a_pair_can_not_overwrite_the_frame() -> None:
    assert _line("job.failed level=none")["level"] == "info"


def test_a_trace_stays_in_its_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        assert "ValueError" in str(_line("incident", error=True)["trace"])
