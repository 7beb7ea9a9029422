"""Everything the catalogue and dcserv want to know about a file, read once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from appliance.model.messages import Message

from . import basins, config, contents, features, integrity, personal, quality, tables, texts
from .errors import explained
from .opening import SafeRTDC, open_dataset


def extract(path: Path, scratch: Path | None = None) -> dict[str, Any]:
    """→ the answer of `tasks.metadata` for the file. Memory: a few arrays as long as the dataset.

    Logs and tables that are too long for the catalogue are written into `scratch` as a whole (`contents.FILES`).
    """
    with open_dataset(path, deep=True) as dataset, explained(Message("reading the file")):
        count = len(dataset)
        notes = dataset.notes
        settings = config.as_json(dataset, count, notes)
        stored = features.stored(dataset)
        scalars = [name for name in stored if features.is_scalar(name)]
        logs, log_facts = contents.logs(dataset, scratch)
        rows, table_facts = contents.table_rows(dataset, scratch)
        stripped = basins.stripped(dataset.h5file)
        numbers, reasons = integrity.verdict(dataset, count)
        found = personal.report(settings, _log_texts(dataset), _table_texts(dataset), notes)
        return {
            "config": settings,
            "dc": config.catalogue_keys(settings),
            "format": "RT-FDC" if any(f"fl{n}_max" in stored for n in (1, 2, 3)) else "RT-DC",
            "event_count": count,
            "features": stored,
            "scalar_features": scalars,
            "logs": logs,
            "tables": rows,
            "contents": {"logs": log_facts, "tables": table_facts, "bytes": dataset.declared_bytes},
            "traces": features.trace_names(dataset),
            "basins_internal": [_internal(basin) for basin in dataset.basins_get_dicts()],
            "file_basins": basins.file_basins(dataset.h5file),
            "stripped_basins": stripped,
            "statistics": numbers,
            "identifier": dataset.get_measurement_identifier(),
            "integrity": integrity.check(dataset, reasons),
            "personal": found,
            "quality": quality.measure(dataset, count),
        }


def _internal(basin: dict[str, Any]) -> dict[str, Any]:
    return {key: basin.get(key) for key in ("key", "name", "format", "mapping", "features")}


def _log_texts(dataset: SafeRTDC) -> dict[str, Iterator[str]]:
    """Every line of every log, read when it is asked for."""
    group = dataset.h5file.get("logs")
    return {name: chain.from_iterable(texts.lines(group[name])) for name in dataset.parts.logs}


def _table_texts(dataset: SafeRTDC) -> dict[str, tuple[list[str], Iterator[str]]]:
    """Names of the columns, and the texts, of every table."""
    group = dataset.h5file.get("tables")
    return {
        name: (list(group[name].dtype.names or ()), tables.text_cells(group[name])) for name in dataset.parts.tables
    }
