"""dclab's integrity check in its relevant parts, and the sanity check that blocks activation."""

from __future__ import annotations

import contextlib
import sys
import traceback
import warnings
from typing import Any

import h5py
import numpy as np
from dclab import definitions as dfn
from dclab.rtdc_dataset.check import IGNORED_LOG_NAMES, LOG_MAX_LINE_LENGTH, ICue, IntegrityChecker
from dclab.rtdc_dataset.copier import is_properly_compressed

from appliance.jobs.rtdc.preflight import READ
from appliance.model.messages import Message
from appliance.model.verdict import SANITY_FAILED

from . import dclab_texts, features, statistics
from .errors import RtdcError, library_base_errors, one_line, shown
from .opening import SafeRTDC

#: Checks of dclab that we run as they are. Left out: those that the pre-flight walk has done (external links), that open
#: the path again and read logs line by line (replaced by `_log_lines`), that walk over what no job reads or stop at the first
#: odd value (replaced by functions below), or that run machine-learning models.
CHECKS = (
    "check_basin_features_internal",
    "check_empty",
    "check_feat_index",
    "check_feature_size",
    "check_flow_rate",
    "check_fmt_hdf5_swmr_mode",
    "check_info",
    "check_metadata_bad",
    "check_metadata_bad_greater_zero",
    "check_metadata_choices",
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


def check(dataset: SafeRTDC, reasons: list[str]) -> dict[str, Any]:
    """→ {cues: [{level, category, message, section, key}], sane, sanity_errors}; a check that stumbles is itself a cue.

    `reasons`: of `verdict`.
    """
    cues: list[dict[str, Any]] = [
        {"level": "alert", "category": "not read", "message": note, "section": None, "key": None}
        for note in dataset.notes
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checker = IntegrityChecker(dataset)
        names = CHECKS + (FLUORESCENCE_CHECKS if checker.has_fluorescence and len(dataset) else ())
        for name in names:
            cues.extend(_run(checker, name))
    cues.extend(_compression(dataset.h5file))
    cues.extend(_unknown_features(dataset.h5file))
    cues.extend(_metadata_types(dataset))
    cues.extend(_image_attributes(dataset))
    cues.extend(_log_lines(dataset))
    cues.extend(_positive_maxima(dataset))
    unique = {(cue["level"], cue["category"], cue["message"]): cue for cue in cues}
    ordered = sorted(unique.values(), key=lambda cue: (_ORDER.get(cue["level"], 3), cue["category"], cue["message"]))
    return {"cues": ordered[:MAX_CUES], "sane": not reasons, "sanity_errors": reasons}


def verdict(dataset: SafeRTDC, event_count: int) -> tuple[dict[str, Any], list[str]]:
    """→ ({scalar feature: statistics}, why the dataset may not be activated, [] when sound). Reads every scalar feature."""
    numbers: dict[str, Any] = {}
    errors: list[str] = []
    known: dict[int | str, dict[str, Any]] = {}  # by address: thousands of names may lead to one column
    for name in features.stored(dataset):
        if features.is_scalar(name):
            address = features.address(dataset, name)
            try:
                if address not in known:
                    known[address] = statistics.describe(features.scalar(dataset, name))
                numbers[name] = known[address]
            except RtdcError as exc:
                reason = _cannot_be_read(name) if exc.kind == "damaged" else exc.message
                errors.append(Message(SANITY_FAILED, reason=reason))
    return numbers, list(dict.fromkeys([*sanity(dataset, event_count), *errors]))


def sanity(dataset: SafeRTDC, event_count: int) -> list[str]:
    """→ why the dataset may not be activated ([] when sound), in dclab's words ("Sanity check failed: …").

    Feature lengths against the event count, image sizes against the region of interest, and that the first and last
    event of every feature can really be read.
    """
    stated = dataset.config["experiment"].get("event count")
    reasons: list[str] = []
    if stated is not None and stated != event_count:
        reasons.append(
            Message(
                "Metadata: the event count is %(stated)s, but the features hold %(event_count)s events",
                stated=stated,
                event_count=event_count,
            )
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checker = IntegrityChecker(dataset)
        if stated is None or stated == event_count:
            reasons += _serious(_run(checker, "check_feature_size"))
        reasons += _serious(_run(checker, "check_metadata_bad"))
    reasons.extend(_unreadable(dataset))
    return [one_line(Message(SANITY_FAILED, reason=reason)) for reason in dict.fromkeys(reasons)][:50]


def _serious(cues: list[dict[str, Any]]) -> list[str]:
    return [cue["message"] for cue in cues if cue["level"] == "violation" or cue["category"] == "unreadable"]


def _unreadable(dataset: SafeRTDC) -> list[str]:
    """Touch the first and last event of every stored feature: truncated data show up here."""
    events = dataset.h5file["events"]
    reasons = [_cannot_be_read(name) for name in dataset.damaged]
    for name in features.stored(dataset):
        found = events.get(name)
        datasets = (
            [found[key] for key in dataset.parts.traces]
            if name == "trace" and isinstance(found, h5py.Group)
            else [found]
        )
        for data in datasets:
            if not isinstance(data, h5py.Dataset) or not len(data):
                continue
            try:
                data[0], data[len(data) - 1]
            except (OSError, RuntimeError, ValueError, MemoryError):
                reasons.append(_cannot_be_read(name))
                break
    return reasons


def _cannot_be_read(name: str) -> str:
    return Message("Features: the data of '%(name)s' cannot be read (damaged or truncated)", name=name)


def _run(checker: IntegrityChecker, name: str) -> list[dict[str, Any]]:
    try:
        found = getattr(checker, name)(expand_section=False)
    except Exception as exc:
        return [_stumbled(name, exc)]
    except library_base_errors() as exc:
        return [_stumbled(name, exc)]
    return [_from_dclab(cue) for cue in found]


def _stumbled(name: str, exc: BaseException) -> dict[str, Any]:
    traceback.print_exception(exc, limit=-4, file=sys.stderr)
    what = name.removeprefix("check_").replace("_", " ")
    return _cue(
        "alert",
        "unreadable",
        Message("The check '%(what)s' could not be run: the file contains something unexpected.", what=what),
    )


def _from_dclab(cue: ICue) -> dict[str, Any]:
    return _cue(cue.level, cue.category, dclab_texts.message(cue.msg), cue.cfg_section, cue.cfg_key)


def _cue(level: str, category: str, message: str, section: str | None = None, key: str | None = None) -> dict[str, Any]:
    return {"level": level, "category": category, "message": one_line(message), "section": section, "key": key}


def _compression(h5: h5py.File) -> list[dict[str, Any]]:
    """dclab's count of compressed datasets, over what jobs read and each object once, however many names it has."""
    packed, pending = [0, 0], [h5[name] for name in READ if name in h5]
    seen = {h5py.h5o.get_info(found.id).addr for found in pending}
    while pending:
        found = pending.pop()
        if isinstance(found, h5py.Dataset):
            packed[bool(is_properly_compressed(found))] += 1
        elif isinstance(found, h5py.Group):
            if found.name == "/events/contour" and len(found) > COUNTED_OBJECTS:
                return []
            for name in found:
                link = found.id.links.get_info(found._e(name)) if isinstance(name, str) else None
                if link is None or link.type != h5py.h5l.TYPE_HARD or link.u in seen:
                    continue
                seen.add(link.u)  # the object's address; to open it by each of its names would take minutes
                pending.append(found[name])
    loose, good = packed
    if not loose:
        text = Message("Compression: All")
    elif good:
        text = Message("Compression: Partial (%(good)s of %(all)s)", good=good, all=good + loose)
    else:
        text = Message("Compression: None")
    return [_cue("info", "general", text)]


def _unknown_features(h5: h5py.File) -> list[dict[str, Any]]:
    names = [name for name in h5["events"] if isinstance(name, str) and name != "def" and not dfn.feature_exists(name)]
    return [
        _cue("violation", "feature unknown", Message("Features: Unknown key '%(name)s'", name=shown(name)))
        for name in names
    ]


def _metadata_types(dataset: SafeRTDC) -> list[dict[str, Any]]:
    """dclab's check whether a stored value is what it is converted to, for each value that was understood."""
    cues = []
    for full_key, value in dataset.metadata.raw.items():
        section, _, key = full_key.partition(":")
        if not dfn.config_key_exists(section, key):
            continue
        wanted = dataset.config[section].get(key)
        try:
            same = (
                bool(wanted == value)
                if not isinstance(wanted, list | tuple | np.ndarray)
                else np.array_equal(wanted, value)
                if np.asarray(value).dtype.kind == "O"
                else np.allclose(wanted, value)
            )
        except (TypeError, ValueError):
            same = False
        if not same:
            message = Message(
                "Metadata: [%(section)s]: '%(key)s' should be '%(wanted)s', but is '%(value)s'!",
                section=section,
                key=key,
                wanted=wanted,
                value=value,
            )
            cues.append(_cue("alert", "metadata wrong", message, section, key))
    return cues


def _image_attributes(dataset: SafeRTDC) -> list[dict[str, Any]]:
    wanted = {"CLASS": b"IMAGE", "IMAGE_VERSION": b"1.2", "IMAGE_SUBCLASS": b"IMAGE_GRAYSCALE"}
    cues = []
    for name in ("image", "image_bg", "mask"):
        if name not in dataset.parts.features:
            continue
        data = dataset.h5file["events"][name]
        for key, value in wanted.items():
            if key not in data.attrs:
                cues.append(
                    _cue(
                        "alert",
                        "format HDF5",
                        Message("HDF5: '/%(name)s': missing attribute '%(key)s'", name=name, key=key),
                    )
                )
            elif data.attrs.get_id(key).dtype.char != "S":
                message = Message(
                    "HDF5: '/%(name)s': attribute '%(key)s' should be fixed-length ASCII string", name=name, key=key
                )
                cues.append(_cue("alert", "format HDF5", message))
            elif data.attrs[key] != value:
                message = Message(
                    "HDF5: '/%(name)s': attribute '%(key)s' should have value '%(value)s'",
                    name=name,
                    key=key,
                    value=repr(value),
                )
                cues.append(_cue("alert", "format HDF5", message))
    return cues


def _log_lines(dataset: SafeRTDC) -> list[dict[str, Any]]:
    """One cue a log with lines that are too long (dclab gives one a line)."""
    cues = []
    for name in dataset.parts.logs:
        data = dataset.h5file["logs"][name]
        if any(name.endswith(ending) for ending in IGNORED_LOG_NAMES):
            continue
        if data.dtype.kind == "S" and data.dtype.itemsize > LOG_MAX_LINE_LENGTH and data.ndim == 1:
            step = max(1, 1_000_000 // data.dtype.itemsize)
            longest = max((int(np.char.str_len(data[s]).max()) for s in features.pieces(len(data), step)), default=0)
            if longest > LOG_MAX_LINE_LENGTH:
                message = Message(
                    "Logs: %(name)s exceeds maximum line length %(most)s (%(longest)s)",
                    name=shown(name),
                    most=LOG_MAX_LINE_LENGTH,
                    longest=longest,
                )
                cues.append(_cue("alert", "format HDF5", message))
    return cues


def _positive_maxima(dataset: SafeRTDC) -> list[dict[str, Any]]:
    """dclab's check of fl?_max > 0.1, with numpy's minimum instead of Python's."""
    low = []
    for name in ("fl1_max", "fl2_max", "fl3_max", "fl1_max_ctc", "fl2_max_ctc", "fl3_max_ctc"):
        if name in dataset._events:
            with contextlib.suppress(RtdcError):  # `verdict` says that it cannot be read
                values = features.scalar(dataset, name)
                if values.size and np.nanmin(values) <= 0.1:
                    low.append(name)
    return (
        [_cue("alert", "feature data", Message("Negative value for feature(s): %(low)s", low=", ".join(low)))]
        if low
        else []
    )
