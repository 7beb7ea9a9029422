"""Version 2: database reads only; features are read by the client itself, through basins."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from appliance.store import artefacts, documents
from appliance.web.api.registry import Raw
from appliance.web.dcserv.measurement import Measurement
from appliance.web.transfer import presigned_links


def answer(subject: Measurement, query: str) -> Any:
    """The answer to `query`, None when version 2 does not know it. Raises Problem."""
    handler = _QUERIES.get(query)
    return None if handler is None else handler(subject)


def cacheable(subject: Measurement, query: str) -> bool:
    """Does the answer depend on the database alone, not on files or the time (signed addresses end)?"""
    return query in _CACHEABLE or (query == "basins" and subject.public)


def basins(subject: Measurement) -> list[dict[str, Any]]:
    """Where features can be read: the condensed file first, as dclab takes the first that has a feature.

    Addresses are signed for the viewer and hold for an hour (or until the viewer's token or access ends); those of public
    data need no signature.
    """
    features = json.loads(subject.kernel["features"])
    condensed = json.loads(subject.kernel["condensed_features"])
    found = [("resource", features)]
    if artefacts.get(subject.conn, subject.id, "condensed") is not None:
        found.insert(0, ("condensed", condensed))
    return [_basin(subject, artefact, sorted(names)) for artefact, names in found]


def _basin(subject: Measurement, artefact: str, features: list[str]) -> dict[str, Any]:
    basin = {
        "name": f"{artefact}-{subject.id[:5]}",
        "format": "http",
        "type": "remote",
        "mapping": "same",
        "features": features,
    }
    if subject.public:
        return basin | {
            "perishable": False,
            "key": f"dcor-{artefact}-{subject.id}",
            "urls": [presigned_links.open_link(subject.context, subject.id, artefact)],
        }
    now = time.time()
    signed, expires = presigned_links.object_link(subject.context, subject.viewer, subject.id, artefact)
    return basin | {
        "perishable": True,
        "time_request": now,
        "time_expiration": expires,
        "key": f"dcor-presigned-{artefact}-{subject.id}",
        "urls": [signed],
    }


def _size(subject: Measurement) -> int | None:
    count: int | None = subject.resource["event_count"]
    return int(json.loads(subject.kernel["config"])["experiment"]["event count"]) if count is None else count


def _metadata(subject: Measurement) -> Raw:
    return Raw(subject.kernel["config"])


def _logs(subject: Measurement) -> Raw:
    return Raw(subject.kernel["logs"])


def _tables(subject: Measurement) -> Raw:
    return Raw(subject.kernel["tables"])


def _trace_list(subject: Measurement) -> Raw:
    return Raw(documents.dump(sorted(json.loads(subject.kernel["traces"]))))


_QUERIES: dict[str, Callable[[Measurement], Any]] = {
    "valid": lambda subject: subject.context.depot.path(subject.id).is_file(),
    "metadata": _metadata,
    "size": _size,
    "feature_list": lambda subject: [],
    "logs": _logs,
    "tables": _tables,
    "basins": basins,
    "trace_list": _trace_list,
}
_CACHEABLE = frozenset({"metadata", "size", "feature_list", "logs", "tables", "trace_list"})
