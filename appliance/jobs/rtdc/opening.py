"""Opening a file of unknown origin: pre-flight walk first, then h5py, then dclab without foreign basins."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the zstd, blosc, lz4 and bitshuffle filters
from dclab import definitions as dfn
from dclab.rtdc_dataset.fmt_hdf5 import RTDC_HDF5
from dclab.rtdc_dataset.fmt_hdf5.events import H5Events

from appliance.jobs.rtdc.preflight import Findings, HostileFile, inspect

from . import basins
from .errors import RtdcError, explained, translate

#: Chunks of image features are around 1–2.5 MiB; the default cache of 1 MiB would decompress each of them many times.
CHUNK_CACHE = 10 * 1024**2


class _Events(H5Events):  # type: ignore[misc]
    """dclab's features of a file; the list of valid ones is made once, as the file does not change under us."""

    def __init__(self, h5: h5py.File) -> None:
        super().__init__(h5)
        self._valid: list[str] | None = None

    def keys(self) -> list[str]:
        """→ valid feature names, sorted."""
        if self._valid is None:
            self._valid = super().keys()
        return self._valid


class SafeRTDC(RTDC_HDF5):  # type: ignore[misc]
    """dclab's view of a file, with nothing but sound internal basins.

    dclab derives the format "hdf5" from the last part of the class's name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, enable_basins=False)
        self._events = _Events(self.h5file)
        #: What dclab warned about on opening; never written into a file, as upstream.
        self.opening_warnings: list[str] = []
        self._vetted: list[dict[str, Any]] | None = None

    def basins_get_dicts(self) -> list[dict[str, Any]]:
        """→ definitions of internal basins only; file paths and URLs never reach dclab."""
        if self._vetted is None:
            self._vetted = basins.internal(self.h5file)
        return [dict(basin) for basin in self._vetted]

    def _get_length(self) -> int:
        """→ number of events: what the metadata say if any feature has that length, else the commonest feature length.

        dclab believes the metadata alone and would make arrays of any length they name. Raises RtdcError (`events`)
        when the file has no feature at all.
        """
        lengths = sorted(feature_lengths(self.h5file).values())
        if not lengths:
            raise RtdcError("events", "The file holds no features.")
        stated = self.config["experiment"].get("event count")
        return int(stated) if stated in lengths else max(lengths, key=lengths.count)


def feature_lengths(h5: h5py.File) -> dict[str, int]:
    """→ {feature: number of entries} of the stored features (traces by their first trace; contours are not counted)."""
    lengths: dict[str, int] = {}
    for name in sorted(h5["events"]):
        if not dfn.feature_exists(name) or name == "contour":
            continue
        found = h5["events"][name]
        if name == "trace":
            traces = sorted(found)
            if traces:
                lengths[name] = len(found[traces[0]])
        else:
            lengths[name] = len(found)
    return lengths


@contextlib.contextmanager
def open_hdf5(path: Path, *, deep: bool = False) -> Iterator[tuple[h5py.File, Findings]]:
    """Open `path` read-only after the pre-flight walk. → the file and what the walk saw.

    Raises RtdcError: `not-hdf5`, `truncated`, `unclosed`, `damaged`, `forbidden`.
    """
    h5 = _opened(path)
    try:
        with explained("looking through the file"):
            try:
                findings = inspect(h5, path.stat().st_size, deep=deep)
            except HostileFile as exc:
                raise RtdcError("forbidden", str(exc)) from exc
        yield h5, findings
    finally:
        h5.close()


def _opened(path: Path) -> h5py.File:
    options: dict[str, Any] = {"locking": False, "rdcc_nbytes": CHUNK_CACHE, "rdcc_w0": 0}
    try:
        return h5py.File(path, "r", **options)
    except OSError as exc:
        error = translate(exc, "opening the file")
        if error.kind != "unclosed":
            raise error from exc
    try:
        # The recording program died; where it wrote in SWMR mode the file can be read in that mode, as dclab does.
        return h5py.File(path, "r", swmr=True, libver="latest", **options)
    except OSError:
        raise error from None


@contextlib.contextmanager
def open_dataset(path: Path, *, deep: bool = False) -> Iterator[SafeRTDC]:
    """Open `path` as a dclab dataset after the pre-flight walk; its warnings are collected in `.opening_warnings`.

    Raises RtdcError as `open_hdf5`, and `events` or `metadata` when it is HDF5 but no RT-DC file.
    """
    with open_hdf5(path, deep=deep) as (h5, _):
        require_events(h5)
        _require_parsable_metadata(h5)
        with warnings.catch_warnings(record=True) as caught, explained("reading the metadata"):
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                dataset = SafeRTDC(path)
            except (AttributeError, TypeError, ValueError) as exc:
                raise _wrong_value(h5) or exc from exc
        dataset.opening_warnings = [f"{w.category.__name__}: {w.message}" for w in caught]
        try:
            yield dataset
        finally:
            dataset.close()


def require_events(h5: h5py.File) -> None:
    """Raise RtdcError (`events`) unless the group "events" exists and every known feature has the right kind."""
    events = h5.get("events")
    if not isinstance(events, h5py.Group):
        raise RtdcError("events", "This is an HDF5 file but not an RT-DC file: the group 'events' is missing.")
    for name in events:
        if not dfn.feature_exists(name):
            continue
        found = events[name]
        if name in ("trace", "contour"):
            _require_group(name, found)
        elif not isinstance(found, h5py.Dataset) or found.ndim == 0:
            raise RtdcError("features", f"The feature '{name}' is not an array with one entry per event.")
        elif dfn.scalar_feature_exists(name):
            if found.ndim != 1 or found.dtype.kind not in "iufb":
                raise RtdcError("features", f"The feature '{name}' is not a list of numbers.")
        elif name in ("image", "image_bg", "mask") and (found.ndim != 3 or found.dtype.kind not in "iub"):
            raise RtdcError("features", f"The feature '{name}' is not a stack of greyscale images.")


def _require_group(name: str, found: object) -> None:
    if not isinstance(found, h5py.Group):
        raise RtdcError("features", f"The feature '{name}' is not a group.")
    if name == "trace":
        for trace in found:
            data = found[trace]
            if not isinstance(data, h5py.Dataset) or data.ndim != 2 or data.dtype.kind not in "iuf":
                raise RtdcError("features", f"The trace '{trace[:40]}' is not a table of numbers.")


def _require_parsable_metadata(h5: h5py.File) -> None:
    """dclab would stop with a bare `ValueError` or `KeyError` at such keys."""
    known = set(dfn.config_keys) | {"user", "filtering"}
    for key in h5.attrs:
        if key.count(":") != 1:
            raise RtdcError("metadata", f"The metadata key '{_shown(key)}' is not of the form 'section:key'.")
        if key.split(":")[0].lower() not in known:
            raise RtdcError("metadata", f"The metadata key '{_shown(key)}' belongs to no known section.")


def _wrong_value(h5: h5py.File) -> RtdcError | None:
    """→ the error that names the first metadata key whose value dclab cannot convert, if there is one."""
    for key, value in h5.attrs.items():
        section, _, name = key.lower().partition(":")
        try:
            dfn.get_config_value_func(section, name)(value.decode() if isinstance(value, bytes) else value)
        except (AttributeError, TypeError, ValueError):
            return RtdcError("metadata", f"The value of the metadata key '{_shown(key)}' is of the wrong type.")
    return None


def _shown(key: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in key)[:80]
