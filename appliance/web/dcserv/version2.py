"""Version 2: database reads (long logs and tables: a file that a job wrote); features are read by the client itself, through basins."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from appliance.model.problem import invalid
from appliance.store import archived_files, artefacts, documents
from appliance.web.api.registry import Raw, Stored
from appliance.web.dcserv.measurement import Measurement
from appliance.web.transfer import presigned_links


def answer(subject: Measurement, query: str) -> Any:
    """The answer to `query`, None when version 2 does not know it. Raises Problem."""
    handler = _QUERIES.get(query)
    return None if handler is None else handler(subject)


def cacheable(subject: Measurement, query: str) -> bool:
    """Does the answer depend on the database alone, not on files or the time (signed addresses end)?"""
    if query in ("logs", "tables"):
        return bool(_contents(subject, query).get("whole", True))
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


def _logs(subject: Measurement) -> Raw | Stored:
    """Those of the file, and those of its condensed file that it has not itself."""
    ours = json.loads(subject.kernel["condensed_logs"])
    known = _contents(subject, "logs").get("lengths", {})
    if not ours:
        return _whole(subject, "logs", {})
    return _whole(subject, "logs", {name: lines for name, lines in ours.items() if name not in known})


def _tables(subject: Measurement) -> Raw | Stored:
    return _whole(subject, "tables", {})


def _whole(subject: Measurement, kind: str, more: dict[str, Any]) -> Raw | Stored:
    """All logs or tables: out of the catalogue where it holds all, else out of the file that the metadata job wrote.

    :raises Problem: 409 when they are larger than what is sent.
    """
    facts = _contents(subject, kind)
    if facts.get("over"):
        raise invalid(
            message=f"The {kind} of resource {subject.id} take more than {facts['over'] // 1_000_000} MB as JSON, "
            "which is the most that is sent. Download the file to read them."
        )
    if facts.get("whole", True):
        text = subject.kernel[kind]
        return Raw(documents.dump(more | json.loads(text)) if more else text)
    path = subject.context.depot.path(subject.id, kind)
    if artefacts.get(subject.conn, subject.id, kind) is None or not path.is_file():
        raise invalid(
            message=f"The {kind} of resource {subject.id} are missing on the server. "
            "An administrator can have them made again with: dcor jobs run-missing --force"
        )
    return Stored(path, documents.dump(more))


def _contents(subject: Measurement, kind: str) -> dict[str, Any]:
    """What the metadata job said of the logs or tables: lengths, whole?, over; {} when it ran in an older release."""
    found: dict[str, Any] = json.loads(subject.kernel["contents"]).get(kind, {})
    return found


def _trace_list(subject: Measurement) -> Raw:
    return Raw(documents.dump(sorted(json.loads(subject.kernel["traces"]))))


_QUERIES: dict[str, Callable[[Measurement], Any]] = {
    "valid": lambda subject: (
        subject.context.depot.path(subject.id).is_file() or archived_files.stored(subject.conn, subject.id) is not None
    ),
    "metadata": _metadata,
    "size": _size,
    "feature_list": lambda subject: [],
    "logs": _logs,
    "tables": _tables,
    "basins": basins,
    "trace_list": _trace_list,
}
_CACHEABLE = frozenset({"metadata", "size", "feature_list", "trace_list"})
