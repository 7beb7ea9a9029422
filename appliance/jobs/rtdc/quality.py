"""How good a measurement is, in numbers: event rate, drifts, outlines, border, saturation, frames, temperature and flow.

Thresholds are not applied here (`model.verdict` does), so that a change of them needs no file to be read again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from dclab import definitions as dfn

from . import events, features
from .errors import RtdcError
from .features import Array
from .opening import SafeRTDC

#: Points of a curve over time.
POINTS = 60
#: A drift compares the medians of this many parts, each of at least so many events (or images).
PARTS, PART = 5, 40
#: Images that are looked at, evenly spaced.
IMAGES = 200
#: Events with a larger ratio of convex to measured area have a poor outline: the limit that the field's papers use.
MOST_POROSITY = 1.05
#: Largest relative difference between the inertia ratios of the raw and of the convex contour.
MOST_ROUGHNESS = 0.25
#: A maximum from this share of the detector's range on counts as saturated.
SATURATED = 0.99
_WINDOW = 32  # pixels to each side of an event in which its sharpness is measured


def measure(dataset: SafeRTDC, count: int) -> dict[str, Any]:
    """→ {events, rate, brightness, focus, outlines, border, saturation, frames, temperature, flow, values, unread}.

    A part that the file does not hold is None; the names of parts that cannot be read stand in `unread`. Reads about 12
    scalar features and up to `IMAGES` images.
    """
    found: dict[str, Any] = {"events": count, "unread": []}
    for name, look in _PARTS.items():
        try:
            found[name] = look(dataset, count) if count else None
        except RtdcError:
            found[name] = None
            found["unread"].append(name)
    return found


def _column(dataset: SafeRTDC, name: str, count: int) -> Array | None:
    """→ (count,) float64, None without the feature or when its length is another."""
    if name not in features.stored(dataset) or not dfn.scalar_feature_exists(name):
        return None
    values = features.scalar(dataset, name).astype(np.float64)
    return values if len(values) == count else None


def _times(dataset: SafeRTDC, count: int) -> Array | None:
    """→ (count,) seconds of each event, None where neither times nor frames with a rate are stored."""
    times = _column(dataset, "time", count)
    if times is None:
        frames, rate = _column(dataset, "frame", count), _setting(dataset, "imaging", "frame rate")
        times = None if frames is None or not rate else frames / rate
    return times if times is not None and np.isfinite(times).all() else None


def _setting(dataset: SafeRTDC, section: str, key: str) -> float | None:
    value = dataset.config[section].get(key)
    number = float(value) if isinstance(value, int | float | np.number) else float("nan")
    return number if np.isfinite(number) and number > 0 else None


def _rate(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    """Events per second over time, the longest time without events, and the densest moment."""
    times = _times(dataset, count)
    if times is None or count < 2 or float(np.ptp(times)) <= 0:
        return None
    times = np.sort(times) - times.min()
    duration = float(times[-1])
    gaps = np.diff(times)
    longest = int(np.argmax(gaps))
    # Of events at random moments the longest gap is about the mean gap times ln(n); the median tells the mean without pauses.
    usual = max(float(np.median(gaps)) / np.log(2), duration / count / 10) * max(np.log(count), 1.0)
    counts = np.histogram(times, bins=POINTS, range=(0, duration))[0]
    parts = np.histogram(times, bins=PARTS, range=(0, duration))[0]
    middle = float(np.median(counts))
    return {
        "duration": duration,
        "mean": count / duration,
        "parts": [float(part) * PARTS / duration for part in parts],
        "noise": 4 * float(np.sqrt(parts.max())) * PARTS / duration,
        "pause": float(gaps[longest]),
        "pause_at": float(times[longest]),
        "pause_ratio": float(gaps[longest]) / usual,
        "burst": float(counts.max()) / middle if middle else 0.0,
        "burst_at": float(np.argmax(counts)) * duration / POINTS,
        "burst_sigma": (float(counts.max()) - middle) / max(np.sqrt(middle), 1.0),
        "series": _rounded(counts * POINTS / duration),
    }


def _brightness(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    for name in ("bright_avg", "bg_med", "bright_perc_90"):
        values = _column(dataset, name, count)
        if values is not None:
            return {"feature": name, **_drift(values)}
    return None


def _focus(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    """Sharpness of images: the steepest slopes around the event, relative to its contrast."""
    if "image" not in dataset.parts.features or count < PARTS * PART:
        return None
    pixel = _setting(dataset, "imaging", "pixel size")
    places = [_column(dataset, name, count) for name in ("pos_x", "pos_y")]
    numbers = (np.arange(IMAGES) * count) // IMAGES
    found = []
    for number in numbers:
        picture = events.image(dataset, int(number))
        if picture is None:
            return None
        if pixel and places[0] is not None and places[1] is not None:
            picture = _around(picture, float(places[0][number]) / pixel, float(places[1][number]) / pixel)
        found.append(_sharpness(picture))
    return {"images": len(found), **_drift(np.array(found))}


def _around(picture: Array, x: float, y: float) -> Array:
    """→ the part of the picture around a place; all of it where that is outside."""
    rows, columns = picture.shape
    if not (0 <= x < columns and 0 <= y < rows):
        return picture
    top, left = max(int(y) - _WINDOW, 0), max(int(x) - _WINDOW, 0)
    return picture[top : int(y) + _WINDOW, left : int(x) + _WINDOW]


def _sharpness(picture: Array) -> float:
    values = picture.astype(np.float64)
    low, high = np.percentile(values, (2, 98))
    if min(values.shape) < 3 or high <= low:
        return float("nan")
    across, down = values[1:-1, 2:] - values[1:-1, :-2], values[2:, 1:-1] - values[:-2, 1:-1]
    return float(np.percentile(np.hypot(across, down), 98) / (high - low))


def _drift(values: Array) -> dict[str, Any]:
    """→ {median, drift, first, last, series}: `drift` is the largest difference of the parts' medians, relative; None for few."""
    good = values[np.isfinite(values)]
    if not good.size:
        return {"median": None, "drift": None, "first": None, "last": None, "series": []}
    middle = float(np.median(good))
    parts = [float(np.median(part)) for part in np.array_split(good, PARTS)] if good.size >= PARTS * PART else []
    curve = [float(np.median(part)) for part in np.array_split(good, min(POINTS, max(good.size // 10, 1)))]
    return {
        "median": middle,
        "drift": (max(parts) - min(parts)) / abs(middle) if parts and middle else None,
        "first": parts[0] if parts else None,
        "last": parts[-1] if parts else None,
        "series": _rounded(np.array(curve)),
    }


def _outlines(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    """Share of events whose outline is porous, or so rough that the inertia ratio depends on its details."""
    porosity = _column(dataset, "area_ratio", count)
    raw, convex = _column(dataset, "inert_ratio_raw", count), _column(dataset, "inert_ratio_cvx", count)
    if porosity is None and (raw is None or convex is None):
        return None
    porous = rough = np.zeros(count, dtype=bool)
    if porosity is not None:
        porous = ~(porosity <= MOST_POROSITY)
    if raw is not None and convex is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            rough = ~(np.abs(raw / convex - 1) <= MOST_ROUGHNESS)
    return {"porous": _share(porous), "rough": _share(rough), **_shares(porous | rough)}


def _border(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    """Share of events whose bounding box reaches the edge of the image."""
    pixel = _setting(dataset, "imaging", "pixel size")
    touching = np.zeros(count, dtype=bool)
    known = False
    for axis in "xy":
        length = _setting(dataset, "imaging", f"roi size {axis}")
        place, size = _column(dataset, f"pos_{axis}", count), _column(dataset, f"size_{axis}", count)
        if pixel and length and place is not None and size is not None:
            touching |= (place - size / 2 < pixel) | (place + size / 2 > (length - 1) * pixel)
            known = True
    return _shares(touching) if known else None


def _saturation(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    """Share of events at the end of a fluorescence detector's range, by channel."""
    bits = _setting(dataset, "fluorescence", "bit depth") or 16.0
    limit = SATURATED * (2 ** (min(bits, 32.0) - 1) - 1)
    columns = {f"fl{number}": _column(dataset, f"fl{number}_max", count) for number in (1, 2, 3)}
    full = {name: values >= limit for name, values in columns.items() if values is not None}
    if not full:
        return None
    shares = {name: _share(values) for name, values in full.items()}
    worst = max(shares, key=lambda name: shares[name])
    return {"channels": shares, "channel": worst, "limit": limit, **_shares(full[worst])}


def _frames(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    """Events that stand there twice, moments at which the clock runs backwards, events that were counted and not stored."""
    frame = _column(dataset, "frame", count)
    online = _column(dataset, "index_online", count)
    if frame is None and online is None:
        return None
    found = {"events": count, "duplicates": 0, "backwards": 0, "lost": 0}
    if frame is not None and count > 1:
        steps = np.diff(frame)
        found["backwards"] = int(np.count_nonzero(steps < 0))
        same = steps == 0
        compared = [_column(dataset, name, count) for name in ("pos_x", "pos_y", "area_msd", "deform")]
        known = [values for values in compared if values is not None]
        for values in known:
            same &= np.diff(values) == 0
        found["duplicates"] = int(np.count_nonzero(same)) if len(known) > 1 else 0
    if online is not None and np.isfinite(online).all():
        found["lost"] = max(int(np.ptp(online)) + 1 - len(np.unique(online)), 0)
    return found


def _temperature(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    values = _column(dataset, "temp", count)
    good = None if values is None else values[np.isfinite(values)]
    if good is None or not good.size:
        return None
    low, high = np.percentile(good, (1, 99))
    return {**_drift(good), "range": float(high - low)}


def _flow(dataset: SafeRTDC, count: int) -> dict[str, Any] | None:
    for name in ("flow_rate", "pressure"):
        values = _column(dataset, name, count)
        if values is not None and np.isfinite(values).any():
            return {"feature": name, **_drift(values)}
    return None


def _values(dataset: SafeRTDC, count: int) -> dict[str, float] | None:
    """Share of events without a value, of the features that every plot needs."""
    columns = {name: _column(dataset, name, count) for name in ("area_um", "area_msd", "deform", "circ")}
    found = {name: _share(~np.isfinite(values)) for name, values in columns.items() if values is not None}
    return found or None


def _share(marked: Array) -> float:
    return float(np.count_nonzero(marked)) / max(len(marked), 1)


def _shares(marked: Array) -> dict[str, Any]:
    """→ {share, series}: of all events, and over time."""
    parts = np.array_split(marked, min(POINTS, max(len(marked) // 10, 1)))
    return {"share": _share(marked), "series": _rounded(np.array([_share(part) for part in parts]))}


def _rounded(values: Array) -> list[float]:
    """→ with four significant digits: enough for a small picture."""
    return [float(f"{value:.4g}") for value in values.tolist()]


_PARTS: dict[str, Callable[[SafeRTDC, int], dict[str, Any] | None]] = {
    "rate": _rate,
    "brightness": _brightness,
    "focus": _focus,
    "outlines": _outlines,
    "border": _border,
    "saturation": _saturation,
    "frames": _frames,
    "temperature": _temperature,
    "flow": _flow,
    "values": _values,
}
