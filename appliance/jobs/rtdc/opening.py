"""Opening a file of unknown origin: pre-flight walk first, then h5py, then dclab without foreign basins."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the zstd, blosc, lz4 and bitshuffle filters
import numpy as np
from dclab.external.packaging import parse as parse_version
from dclab.rtdc_dataset.core import RTDCBase
from dclab.rtdc_dataset.fmt_hdf5 import RTDC_HDF5
from dclab.rtdc_dataset.fmt_hdf5.base import MIN_DCLAB_EXPORT_VERSION
from dclab.rtdc_dataset.fmt_hdf5.events import H5Events, H5ScalarEvent, H5TraceEvent
from dclab.rtdc_dataset.fmt_hdf5.logs import H5Logs
from dclab.rtdc_dataset.fmt_hdf5.tables import H5Tables

from appliance.jobs.rtdc.pieces import DAMAGED
from appliance.jobs.rtdc.preflight import Findings, HostileFile, inspect
from appliance.model.messages import Message

from . import attributes, basins, parts
from .errors import RtdcError, explained, translate, with_remedy
from .parts import Parts

#: Chunks of image features are around 1–2.5 MiB; the default cache of 1 MiB would decompress each of them many times.
CHUNK_CACHE = 10 * 1024**2
#: Most events that metadata alone can make one believe in.
MAX_STATED = 20_000_000


class _Column(H5ScalarEvent):  # type: ignore[misc]
    """A scalar feature, of whose attributes only those are read that dclab uses."""

    def __init__(self, data: h5py.Dataset) -> None:
        self.h5ds = data
        self.identifier = (data.file.filename, data.name)
        self.ndim = 1
        self._array = None
        self._ufunc_attrs = {}
        for name in ("min", "max", "mean"):
            with contextlib.suppress(KeyError, OSError, TypeError, ValueError):
                self._ufunc_attrs[name] = float(data.attrs[name])


class _Traces(H5TraceEvent):  # type: ignore[misc]
    """The traces that are read."""

    def __init__(self, group: h5py.Group, names: list[str]) -> None:
        super().__init__(group)
        self._names = names

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def keys(self) -> list[str]:
        """→ their names, sorted."""
        return list(self._names)

    @property
    def shape(self) -> tuple[int, ...]:
        """(traces, events, samples), by the first trace."""
        return (len(self._names), *self.h5group[self._names[0]].shape)


class _Events(H5Events):  # type: ignore[misc]
    """dclab's features of a file without those that are left out."""

    def __init__(self, h5: h5py.File, found: Parts) -> None:
        super().__init__(h5)
        self._features_list = list(found.features)
        self._traces = found.traces
        self._valid: list[str] | None = None

    def keys(self) -> list[str]:
        """→ valid feature names, sorted; made once, as the file does not change under us."""
        if self._valid is None:
            self._valid = super().keys()
        return self._valid

    def __getitem__(self, name: str) -> Any:
        if name not in self._cached_events and name in self.h5file["events"]:
            data = self.h5file["events"][name]
            if name == "trace":
                self._cached_events[name] = _Traces(data, self._traces)
            elif isinstance(data, h5py.Dataset) and data.ndim == 1:
                self._cached_events[name] = _Column(data)
        return super().__getitem__(name)

    def _is_defective_feature(self, feat: str) -> bool:
        try:
            return bool(super()._is_defective_feature(feat))
        except (AttributeError, IndexError, TypeError, ValueError):  # it looks at metadata, which may be of any type
            return False


class SafeRTDC(RTDC_HDF5):  # type: ignore[misc]
    """dclab's view of a file, with nothing but sound internal basins and without the parts that are left out.

    :ivar parts: what is read; :ivar metadata: the attributes; :ivar notes: a sentence for each part that is left out;
    :ivar declared_bytes: size of all that is read, unpacked; :ivar damaged: features and traces left out because a piece holds no data.
    """

    declared_bytes = 0

    def __init__(self, path: Path, h5: h5py.File, unread: Mapping[str, str]) -> None:
        # Not that of RTDC_HDF5, which opens the file once more and stops at the first attribute that it cannot convert.
        RTDCBase.__init__(self, enable_basins=False)
        self.format = "hdf5"  # dclab derives it from the name of the class
        self._local_basins_allowed = False
        self._hash = None
        self.path = path
        self.h5kwargs: dict[str, Any] = {}
        self.h5file = h5
        self.damaged = [
            path.split("/")[2] for path, why in unread.items() if why == DAMAGED and path.startswith("/events/")
        ]
        self.parts = parts.find(h5, unread)
        self.metadata = attributes.parse(h5, unread)
        self.config = self.metadata.config
        self._events = _Events(h5, self.parts)
        self.logs = H5Logs(h5)
        self.tables = H5Tables(h5)
        _require_supported(self.config)
        self._vetted, told = basins.internal(h5, self.parts.basin_features)
        self.notes = [*self.metadata.notes, *self.parts.notes, *told]
        tables = h5.get("tables")
        if self.parts.tables and isinstance(tables, h5py.Group):
            self.notes += parts.column_notes(tables, self.parts.tables)

    def basins_get_dicts(self) -> list[dict[str, Any]]:
        """→ definitions of internal basins only; file paths and URLs never reach dclab."""
        return [dict(basin) for basin in self._vetted]

    def _get_length(self) -> int:
        """→ number of events: what the metadata say if any feature has that length, else the commonest feature length.

        dclab believes the metadata alone and would make arrays of any length they name. Of a file whose features all lie
        elsewhere the metadata are all there is.
        """
        lengths = sorted(self.feature_lengths().values())
        stated = self.config["experiment"].get("event count")
        if not lengths:
            return int(stated) if isinstance(stated, int | np.integer) and 0 <= stated <= MAX_STATED else 0
        return int(stated) if stated in lengths else max(lengths, key=lengths.count)

    def feature_lengths(self) -> dict[str, int]:
        """→ {feature: number of entries} of the stored features (traces by their first one; contours are not counted)."""
        events = self.h5file["events"]
        lengths = {name: len(events[name]) for name in self.parts.features if name not in ("trace", "contour")}
        if self.parts.traces:
            lengths["trace"] = len(events["trace"][self.parts.traces[0]])
        return lengths


def _require_supported(config: Any) -> None:
    """dclab refuses the files of its own first releases."""
    software = str(config["setup"].get("software version", ""))
    words = software.split()
    if len(words) > 1 and words[0] == "dclab":
        with contextlib.suppress(ValueError, TypeError):
            if parse_version(words[1]) < parse_version(MIN_DCLAB_EXPORT_VERSION):
                raise RtdcError(
                    "metadata", Message("The file was written by a version of dclab that is too old; export it again.")
                )


@contextlib.contextmanager
def open_hdf5(path: Path, *, deep: bool = False) -> Iterator[tuple[h5py.File, Findings]]:
    """Open `path` read-only after the pre-flight walk. → the file and what the walk saw.

    Raises RtdcError: `not-hdf5`, `truncated`, `unclosed`, `damaged`, `forbidden`.
    """
    h5 = _opened(path)
    try:
        with explained(Message("examining the file")):
            try:
                findings = inspect(h5, deep=deep)
            except HostileFile as exc:
                raise RtdcError("forbidden", with_remedy(exc.args[0])) from exc
        yield h5, findings
    finally:
        h5.close()


def _opened(path: Path) -> h5py.File:
    options: dict[str, Any] = {"locking": False, "rdcc_nbytes": CHUNK_CACHE, "rdcc_w0": 0}
    try:
        return h5py.File(path, "r", **options)
    except OSError as exc:
        error = translate(exc, Message("opening the file"))
        if error.kind != "unclosed":
            raise error from exc
    try:
        # The recording program died; where it wrote in SWMR mode the file can be read in that mode, as dclab does.
        return h5py.File(path, "r", swmr=True, libver="latest", **options)
    except OSError:
        raise error from None


@contextlib.contextmanager
def open_dataset(path: Path, *, deep: bool = False) -> Iterator[SafeRTDC]:
    """Open `path` as a dclab dataset after the pre-flight walk; what is left out of it is in `.notes`.

    Raises RtdcError as `open_hdf5`, and `events` or `metadata` when it is HDF5 but no RT-DC file.
    """
    with open_hdf5(path, deep=deep) as (h5, findings):
        require_events(h5)
        with explained(Message("reading the metadata")):
            dataset = SafeRTDC(path, h5, findings.unread)
            dataset.declared_bytes = findings.declared_bytes
        try:
            yield dataset
        finally:
            dataset.close()


def require_events(h5: h5py.File) -> None:
    """Raise RtdcError (`events`) unless the group "events" exists."""
    if not isinstance(h5.get("events"), h5py.Group):
        reason = Message("This is an HDF5 file but not an RT-DC file: the group 'events' is missing.")
        raise RtdcError("events", with_remedy(reason))
