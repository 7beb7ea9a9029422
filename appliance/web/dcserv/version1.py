"""Version 1, for Shape-Out 2 and dclab before 2023: features and traces themselves, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from appliance.model.problem import Problem, invalid
from appliance.web import cpu_slot
from appliance.web.api.registry import Raw
from appliance.web.dcserv.measurement import Measurement
from appliance.web.fair_slots import without_slot

_PICTURES = frozenset({"image", "image_bg", "mask", "contour", "trace"})


def answer(subject: Measurement, query: str, data: Mapping[str, Any], shared: Any) -> Any:
    """The response to `query`. :param shared: the result of version 2, which most queries share. Raises Problem."""
    if query == "feature_list":
        return features(subject)
    if query == "feature":
        return _feature(subject, data)
    if query == "trace":
        return _trace(subject, data)
    if query == "basins":
        return []
    if shared is None:
        raise invalid(message=f"Invalid query parameter '{query}'!")
    return shared


def features(subject: Measurement) -> list[str]:
    """Names of all features: those in the file and those in its condensed file."""
    return sorted({*json.loads(subject.kernel["features"]), *json.loads(subject.kernel["condensed_features"])})


def _feature(subject: Measurement, data: Mapping[str, Any]) -> Any:
    feature = _given(data, "feature")
    if feature == "trace":
        return _trace(subject, data)
    if feature not in features(subject):
        raise invalid(message=f"Feature '{feature}' unavailable!")
    if _is_scalar(subject, feature):
        return _read(subject, {"what": "feature", "feature": feature})
    if data.get("event") is None:
        raise invalid(message=f"Please specify 'event' for non-scalar feature {feature}!")
    return _read(subject, {"what": "feature", "feature": feature, "event": _event(subject, data)})


def _is_scalar(subject: Measurement, feature: str) -> bool:
    """Whether a feature has one number per event. The condensed file lists image features of the original among its own."""
    if feature in json.loads(subject.kernel["scalar_features"]):
        return True
    return feature not in json.loads(subject.kernel["features"]) and feature not in _PICTURES


def _trace(subject: Measurement, data: Mapping[str, Any]) -> Any:
    trace = _given(data, "trace")
    if trace not in json.loads(subject.kernel["traces"]):
        raise invalid(message=f"Trace '{trace}' unavailable!")
    _given(data, "event")
    return _read(subject, {"what": "trace", "trace": trace, "event": _event(subject, data)})


def _given(data: Mapping[str, Any], name: str) -> Any:
    if data.get(name) in (None, ""):
        raise invalid(message=f"Please specify '{name}' parameter!")
    return data[name]


def _event(subject: Measurement, data: Mapping[str, Any]) -> int:
    event, count = int(data["event"]), subject.resource["event_count"]
    if count is not None and event >= count:
        raise invalid(message=f"There is no event {event}; the last one is {count - 1}.")
    return event


def _read(subject: Measurement, request: Mapping[str, Any]) -> Any:
    if subject.context.readers is None:
        raise Problem(503, "Service Unavailable", message="This server has no readers for version 1; use version 2.")
    cpu_slot.release()  # a child reads now, others may work
    read = without_slot(subject.context.readers.read)
    found = read(subject.id, request, caller=subject.viewer.user_id or subject.client)
    return Raw(json.dumps(found["values"]))  # NaN stays NaN, as those clients expect it
