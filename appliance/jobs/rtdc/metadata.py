"""Everything the catalogue and dcserv want to know about a file, read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import basins, config, features, integrity, personal, statistics
from .errors import explained
from .opening import open_dataset
from .texts import ANSWER_BYTES, Budget, read_logs, read_tables


def extract(path: Path) -> dict[str, Any]:
    """→ the answer of `tasks.metadata` for the file. Memory: a few arrays as long as the dataset."""
    with open_dataset(path) as dataset, explained("reading the file"):
        count = len(dataset)
        settings = config.as_json(dataset, count)
        stored = features.stored(dataset)
        scalars = [name for name in stored if features.is_scalar(name)]
        budget = Budget(ANSWER_BYTES)
        logs = read_logs(dataset.h5file, budget)
        tables = read_tables(dataset.h5file, budget)
        numbers, unreadable = _statistics(dataset, scalars)
        checked = integrity.check(dataset, count)
        checked["sanity_errors"].extend(unreadable)
        checked["sane"] = not checked["sanity_errors"]
        return {
            "config": settings,
            "dc": config.catalogue_keys(settings),
            "format": "RT-FDC" if any(f"fl{n}_max" in stored for n in (1, 2, 3)) else "RT-DC",
            "event_count": count,
            "features": stored,
            "scalar_features": scalars,
            "logs": logs,
            "tables": tables,
            "truncated": budget.cut,
            "notes": ["Logs and tables are longer than 5 MB; the rest is in the file only."] if budget.cut else [],
            "traces": features.trace_names(dataset),
            "basins_internal": [_internal(basin) for basin in basins.internal(dataset.h5file)],
            "file_basins": basins.file_basins(dataset.h5file),
            "stripped_basins": basins.stripped(dataset.h5file),
            "statistics": numbers,
            "identifier": dataset.get_measurement_identifier(),
            "integrity": checked,
            "personal": personal.report(settings, logs, tables),
        }


def _internal(basin: dict[str, Any]) -> dict[str, Any]:
    return {key: basin.get(key) for key in ("key", "name", "format", "mapping", "features")}


def _statistics(dataset: Any, scalars: list[str]) -> tuple[dict[str, Any], list[str]]:
    """→ statistics of each scalar feature, and a sanity error for each that cannot be read."""
    from .errors import RtdcError

    numbers: dict[str, Any] = {}
    errors: list[str] = []
    for name in scalars:
        try:
            numbers[name] = statistics.describe(features.scalar(dataset, name))
        except RtdcError as exc:
            errors.append(f"Sanity check failed: {exc.message}")
    return numbers, errors
