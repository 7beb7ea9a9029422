"""Reading single features, traces and events for dcserv version 1 and the explorer.

Made for a long-lived pooled child: `ReaderCache` keeps the files that were read last open, checked once.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import weakref
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dclab import definitions as dfn
from PIL import Image

from appliance.model.messages import Message
from appliance.model.youngs_modulus import Conditions

from . import elasticity, events, features, members, population, resampling
from .errors import RtdcError, explained
from .features import Array
from .opening import SafeRTDC, open_dataset

#: Most events answered by one request.
MAX_EVENTS = 100

#: Questions about all events of a file.
_OVER_ALL: dict[str, Callable[[dict[str, Any], elasticity.Scalars, int], dict[str, Any]]] = {
    "statistics": population.describe,
    "histograms": population.histograms,
    "members": members.choose,
    "medians": resampling.medians,
    "elasticity": elasticity.elasticity,
}

#: Selections of events that are kept for the next pieces, of `resampling.MOST_SELECTED` bytes each: as many tables can be made at once.
_MOST_KEPT = 8

_Key = tuple[str, int, int, int]


class ReaderCache:
    """Keeps up to `size` datasets open; the one unused for longest is closed. Not for use from several threads."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._open: OrderedDict[_Key, tuple[contextlib.ExitStack, SafeRTDC]] = OrderedDict()
        self._selected: weakref.WeakKeyDictionary[SafeRTDC, OrderedDict[str, resampling.Selected]] = (
            weakref.WeakKeyDictionary()
        )

    def get(self, path: Path) -> SafeRTDC:
        """→ the open dataset of `path`; a replaced file is opened anew. Raises RtdcError."""
        try:
            stat = path.stat()
        except OSError as exc:
            raise RtdcError("missing", Message("The file does not exist.")) from exc
        key = (str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key][1]
        with contextlib.ExitStack() as stack:
            dataset = stack.enter_context(open_dataset(path))
            kept = stack.pop_all()
        self._open[key] = (kept, dataset)
        while len(self._open) > self._size:
            _, (oldest, _) = self._open.popitem(last=False)
            oldest.close()
        return dataset

    def selected(
        self, key: str, dataset: SafeRTDC, start: int, make: Callable[[], resampling.Selected]
    ) -> resampling.Selected:
        """→ events of a gate from `start` on, made once for many of the pieces in which they are asked for.

        :param key: the question without its place, and the condensed file.
        """
        for other, one in self._selected.items():
            if other is not dataset:
                one.clear()
        known = self._selected.setdefault(dataset, OrderedDict())
        found = known.pop(key, None)
        if found is None or not found.has(start):
            found = make()
        known[key] = found
        while len(known) > _MOST_KEPT:
            known.popitem(last=False)
        return found

    def close(self) -> None:
        """Close everything."""
        while self._open:
            _, (stack, _) = self._open.popitem()
            stack.close()

    def __len__(self) -> int:
        return len(self._open)


def read(request: dict[str, Any], path: Path, cache: ReaderCache) -> dict[str, Any] | bytes:
    """Answer one request. Raises RtdcError `invalid` with upstream's texts for wrong parameters.

    `what`: "feature" {feature, event, trace} and "trace" {trace, event} → {values}; "event" {event | events} → scalar
    values, traces, picture; "image" {event} → picture only; "pictures" {events} → several of
    them; "statistics" and "histograms": see `population`; "members": see `members`; "medians" and "rows": see `resampling`; "elasticity" and "modulus" (bytes): see `elasticity`. `young` has the conditions of Young's modulus (`model.youngs_modulus`), in whose place a stored one is read otherwise. `condensed` (or `files["condensed"]`) names the condensed file:
    its scalar features win.
    """
    what = request.get("what")
    dataset = cache.get(path)
    extra = request.get("condensed") or (request.get("files") or {}).get("condensed")
    condensed = cache.get(Path(extra)) if extra else None
    if what == "feature":
        return {"values": _feature(request, dataset, condensed)}
    if what == "trace":
        return {"values": _trace(request, dataset)}
    if what in _OVER_ALL:
        known = elasticity.Scalars(dataset, condensed, _conditions(request), scalar)
        return _OVER_ALL[what](request, known, len(dataset)) | {"reasons": known.reasons}
    if what == "rows":
        key = json.dumps([extra, *(request.get(name) for name in ("features", "gates", "gate", "young"))])
        known = elasticity.Scalars(dataset, condensed, _conditions(request), scalar)
        start = max(0, int(request["start"]))
        events = cache.selected(key, dataset, start, lambda: resampling.selected(request, known, len(dataset)))
        return events.rows(start, int(request["count"]))
    if what == "modulus":
        known = elasticity.Scalars(dataset, condensed, _conditions(request), scalar)
        return elasticity.column(known, (request.get("files") or {}).get("columns"), len(dataset))
    if what == "pictures":
        return {"pictures": [_picture(dataset, number) for number in _events(request["events"])]}
    if what == "image":
        return _picture(dataset, _event(request, "image"))
    if what == "event":
        if request.get("events") is not None:
            return {"events": [_whole(dataset, condensed, number) for number in _events(request["events"])]}
        return _whole(dataset, condensed, _event(request, "event"))
    raise RtdcError("invalid", f"Unknown kind of request '{str(what)[:40]}'!")


def _conditions(request: dict[str, Any]) -> Conditions | None:
    return Conditions(**request["young"]) if request.get("young") else None


def _feature(request: dict[str, Any], dataset: SafeRTDC, condensed: SafeRTDC | None) -> Any:
    name = request.get("feature")
    if not isinstance(name, str) or not name:
        raise RtdcError("invalid", "Please specify 'feature' parameter!")
    if name == "trace":
        return _trace(request, dataset)
    if not dfn.feature_exists(name):
        raise RtdcError("invalid", f"Unknown feature name '{name[:60]}'!")
    if features.is_scalar(name):
        return scalar(name, dataset, condensed).tolist()
    if name not in dataset:
        raise RtdcError("invalid", f"Feature '{name}' unavailable!")
    event = _event(request, name)
    if name == "contour":
        points = events.contour(dataset, event)
        return [] if points is None else points.tolist()
    picture = events.raw(dataset, name, event)
    return (picture.astype(bool) if name == "mask" else picture).tolist()


def scalar(name: str, dataset: SafeRTDC, condensed: SafeRTDC | None) -> Array:
    """The condensed file first; features that would have to be computed from images are not computed here."""
    for source in (condensed, dataset):
        if source is not None and name in features.stored(source):
            return features.scalar(source, name)
    if name in ("area_um", "deform", "area_ratio", "aspect", "index", "time") and name in dataset:
        with explained(Message("computing the feature '%(name)s'", name=name)):
            return np.asarray(dataset[name][:])
    raise RtdcError("invalid", f"Feature '{name}' unavailable!")


def _trace(request: dict[str, Any], dataset: SafeRTDC) -> Any:
    name = request.get("trace")
    if not isinstance(name, str) or not name:
        raise RtdcError("invalid", "Please specify 'trace' parameter!")
    if name not in features.trace_names(dataset):
        raise RtdcError("invalid", f"Feature 'trace/{name[:40]}' unavailable!")
    return events.trace(dataset, name, _event(request, "trace")).tolist()


def _event(request: dict[str, Any], feature: str) -> int:
    value = request.get("event")
    if value is None or value == "":
        raise RtdcError("invalid", f"Please specify 'event' for non-scalar feature {feature}!")
    return _number(value)


def _events(values: Any) -> list[int]:
    if not isinstance(values, list) or len(values) > MAX_EVENTS:
        raise RtdcError("invalid", f"Please ask for at most {MAX_EVENTS} events!")
    return [_number(value) for value in values]


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise RtdcError("invalid", f"Invalid event '{str(value)[:40]}'!") from None


def _whole(dataset: SafeRTDC, condensed: SafeRTDC | None, event: int) -> dict[str, Any]:
    if not 0 <= event < len(dataset):
        raise RtdcError(
            "events",
            Message("There is no event %(event)s; the file contains %(dataset)s.", event=event, dataset=len(dataset)),
        )
    scalars: dict[str, float | None] = {}
    for source in (condensed, dataset):
        if source is None:
            continue
        for name in features.stored(source):
            if features.is_scalar(name) and name not in scalars:
                scalars[name] = features.scalar_value(source, name, event)
    traces = {name: events.trace(dataset, name, event).tolist() for name in features.trace_names(dataset)}
    return {"event": event, "features": dict(sorted(scalars.items())), "traces": traces} | _picture(dataset, event)


def _picture(dataset: SafeRTDC, event: int) -> dict[str, Any]:
    """→ {event, image, image_bg, mask (PNG, base64 | null), contour [[x, y]] | null, width, height, pixel_size}."""
    image = events.image(dataset, event)
    background = events.image(dataset, event, "image_bg")
    mask = events.mask(dataset, event)
    contour = events.contour(dataset, event)
    shown = image if image is not None else mask
    pixel_size = dataset.config["imaging"].get("pixel size")
    return {
        "event": event,
        "image": _png(image),
        "image_bg": _png(background),
        "mask": _png(mask),
        "contour": None if contour is None else contour.tolist(),
        "width": None if shown is None else int(shown.shape[1]),
        "height": None if shown is None else int(shown.shape[0]),
        "pixel_size": float(pixel_size) if pixel_size is not None and np.isfinite(pixel_size) else None,
    }


def _png(picture: Array | None) -> str | None:
    if picture is None:
        return None
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", compress_level=3)
    return base64.b64encode(stream.getvalue()).decode("ascii")
