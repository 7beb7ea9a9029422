"""dclab's integrity check in its relevant parts, and the sanity check that blocks activation."""

from __future__ import annotations

import warnings
from typing import Any

import h5py
import numpy as np
from dclab.rtdc_dataset.check import IGNORED_LOG_NAMES, LOG_MAX_LINE_LENGTH, ICue, IntegrityChecker

from . import features
from .errors import RtdcError, library_base_errors, one_line, without_paths
from .opening import SafeRTDC

#: Checks of dclab that we run as they are. Left out: those that the pre-flight walk has done (external links), that open
#: the path again and read logs line by line (replaced by `_log_lines`), or that run machine-learning models.
CHECKS = (
    "check_basin_features_internal",
    "check_empty",
    "check_feat_index",
    "check_feature_size",
    "check_features_unknown_hdf5",
    "check_flow_rate",
    "check_fmt_hdf5_swmr_mode",
    "check_info",
    "check_metadata_bad",
    "check_metadata_bad_greater_zero",
    "check_metadata_choices",
    "check_metadata_hdf5_type",
    "check_metadata_missing",
    "check_metadata_online_filter_polygon_points_shape",
    "check_shapein_issue3_bad_medium",
    "check_temperature_zero_zmd",
)
FLUORESCENCE_CHECKS = (
    "check_fl_metadata_channel_names",
    "check_fl_num_channels",
    "check_fl_num_lasers",
    "check_fl_samples_per_event",
)
#: Up to this many objects the compression is counted (stored contours are one object an event).
COUNTED_OBJECTS = 5_000
MAX_CUES = 500

_ORDER = {"violation": 0, "alert": 1, "info": 2}


def check(dataset: SafeRTDC, event_count: int) -> dict[str, Any]:
    """→ {cues: [{level, category, message, section, key}], sane, sanity_errors}; a check that stumbles is itself a cue."""
    cues = [_cue("alert", "warning", text) for text in dataset.opening_warnings]
    reasons = sanity(dataset, event_count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checker = IntegrityChecker(dataset)
        names = CHECKS + (FLUORESCENCE_CHECKS if checker.has_fluorescence else ())
        for name in names:
            cues.extend(_run(checker, name))
        cues.extend(_compression(checker, dataset.h5file))
    cues.extend(_image_attributes(dataset.h5file))
    cues.extend(_log_lines(dataset.h5file))
    cues.extend(_positive_maxima(dataset))
    unique = {(cue["level"], cue["category"], cue["message"]): cue for cue in cues}
    ordered = sorted(unique.values(), key=lambda cue: (_ORDER.get(cue["level"], 3), cue["category"], cue["message"]))
    return {"cues": ordered[:MAX_CUES], "sane": not reasons, "sanity_errors": reasons}


def sanity(dataset: SafeRTDC, event_count: int) -> list[str]:
    """→ why the dataset may not be activated ([] when sound), in dclab's words ("Sanity check failed: …").

    Feature lengths against the event count, image sizes against the region of interest, and that the first and last
    event of every feature can really be read.
    """
    stated = dataset.config["experiment"].get("event count")
    reasons = []
    if stated is not None and stated != event_count:
        reasons.append(f"Metadata: the event count is {stated}, but the features hold {event_count} events")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checker = IntegrityChecker(dataset)
        if stated is None or stated == event_count:
            reasons.extend(cue["message"] for cue in _run(checker, "check_feature_size") if cue["level"] == "violation")
        reasons.extend(cue["message"] for cue in _run(checker, "check_metadata_bad") if cue["level"] == "violation")
    reasons.extend(_unreadable(dataset, event_count))
    return [one_line(f"Sanity check failed: {reason}") for reason in dict.fromkeys(reasons)][:50]


def _unreadable(dataset: SafeRTDC, event_count: int) -> list[str]:
    """Touch the first and last event of every stored feature: truncated data show up here."""
    events = dataset.h5file["events"]
    reasons = []
    for name in features.stored(dataset):
        found = events.get(name)
        datasets = (
            [found[key] for key in sorted(found)] if name == "trace" and isinstance(found, h5py.Group) else [found]
        )
        for data in datasets:
            if not isinstance(data, h5py.Dataset) or not len(data):
                continue
            try:
                data[0], data[len(data) - 1]
            except (OSError, RuntimeError, ValueError, MemoryError):
                reasons.append(f"Features: the data of '{name}' cannot be read (damaged or truncated)")
                break
    if event_count == 0:
        reasons.append("The dataset does not contain any events")
    return reasons


def _run(checker: IntegrityChecker, name: str) -> list[dict[str, Any]]:
    try:
        found = getattr(checker, name)(expand_section=False)
    except Exception as exc:
        return [_stumbled(name, exc)]
    except library_base_errors() as exc:
        return [_stumbled(name, exc)]
    return [_from_dclab(cue) for cue in found]


def _stumbled(name: str, exc: BaseException) -> dict[str, Any]:
    reason = exc.message if isinstance(exc, RtdcError) else without_paths(str(exc)) or type(exc).__name__
    what = name.removeprefix("check_").replace("_", " ")
    return _cue("violation", "unreadable", f"The check '{what}' could not be done: {reason}")


def _from_dclab(cue: ICue) -> dict[str, Any]:
    return _cue(cue.level, cue.category, cue.msg, cue.cfg_section, cue.cfg_key)


def _cue(level: str, category: str, message: str, section: str | None = None, key: str | None = None) -> dict[str, Any]:
    return {
        "level": level,
        "category": category,
        "message": one_line(without_paths(message) if level == "alert" and category == "warning" else message),
        "section": section,
        "key": key,
    }


def _compression(checker: IntegrityChecker, h5: h5py.File) -> list[dict[str, Any]]:
    contours = h5["events"].get("contour")
    if isinstance(contours, h5py.Group) and len(contours) > COUNTED_OBJECTS:
        return []
    return _run(checker, "check_compression")


def _image_attributes(h5: h5py.File) -> list[dict[str, Any]]:
    wanted = {"CLASS": b"IMAGE", "IMAGE_VERSION": b"1.2", "IMAGE_SUBCLASS": b"IMAGE_GRAYSCALE"}
    cues = []
    for name in ("image", "image_bg", "mask"):
        data = h5["events"].get(name)
        if not isinstance(data, h5py.Dataset):
            continue
        for key, value in wanted.items():
            if key not in data.attrs:
                cues.append(_cue("alert", "format HDF5", f"HDF5: '/{name}': missing attribute '{key}'"))
            elif data.attrs.get_id(key).dtype.char != "S":
                message = f"HDF5: '/{name}': attribute '{key}' should be fixed-length ASCII string"
                cues.append(_cue("alert", "format HDF5", message))
            elif data.attrs[key] != value:
                message = f"HDF5: '/{name}': attribute '{key}' should have value '{value!r}'"
                cues.append(_cue("alert", "format HDF5", message))
    return cues


def _log_lines(h5: h5py.File) -> list[dict[str, Any]]:
    """One cue a log with lines that are too long (dclab gives one a line)."""
    group = h5.get("logs")
    cues = []
    for name in group if isinstance(group, h5py.Group) else []:
        data = group[name]
        if any(name.endswith(ending) for ending in IGNORED_LOG_NAMES) or not isinstance(data, h5py.Dataset):
            continue
        if data.dtype.kind == "S" and data.dtype.itemsize > LOG_MAX_LINE_LENGTH and data.ndim == 1:
            step = max(1, 1_000_000 // data.dtype.itemsize)
            longest = max((int(np.char.str_len(data[s]).max()) for s in features.pieces(len(data), step)), default=0)
            if longest > LOG_MAX_LINE_LENGTH:
                shown = "".join(char if char.isprintable() else "?" for char in name)[:80]
                message = f"Logs: {shown} exceeds maximum line length {LOG_MAX_LINE_LENGTH} ({longest})"
                cues.append(_cue("alert", "format HDF5", message))
    return cues


def _positive_maxima(dataset: SafeRTDC) -> list[dict[str, Any]]:
    """dclab's check of fl?_max > 0.1, with numpy's minimum instead of Python's."""
    low = []
    for name in ("fl1_max", "fl2_max", "fl3_max", "fl1_max_ctc", "fl2_max_ctc", "fl3_max_ctc"):
        if name in dataset._events:
            values = features.scalar(dataset, name)
            if values.size and np.nanmin(values) <= 0.1:
                low.append(name)
    return [_cue("alert", "feature data", f"Negative value for feature(s): {', '.join(low)}")] if low else []
