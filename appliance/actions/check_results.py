"""Results of the latest health checks, stored in a file for metrics."""

from __future__ import annotations

import json
import time
from typing import Any

from appliance import durable
from appliance.settings import Settings

RESULTS = "checks.json"


def keep(settings: Settings, findings: list[dict[str, Any]], now: float | None = None) -> dict[str, dict[str, int]]:
    """Store how many findings of each level each check has; → the same by check."""
    levels: dict[str, dict[str, int]] = {}
    for one in findings:
        counts = levels.setdefault(one["check"], {})
        counts[one["level"]] = counts.get(one["level"], 0) + 1
    text = json.dumps({"at": time.time() if now is None else now, "checks": levels})
    durable.write(settings.data / "log" / RESULTS, text.encode(), 0o640)
    return levels


def kept(settings: Settings) -> tuple[float, dict[str, dict[str, int]]] | None:
    """When the checks last ran [seconds since 1970], and the findings of each check by level; None before the first run."""
    try:
        found = json.loads((settings.data / "log" / RESULTS).read_text(encoding="utf-8"))
        return float(found["at"]), found["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
