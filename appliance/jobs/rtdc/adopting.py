"""A condensed file that another server made, for a measurement that came from there: compared with it, and given this server's basins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dclab.rtdc_dataset import RTDCWriter

from appliance.model.messages import Message

from . import condense, features, packing
from .copying import COMPRESSION, copy_unchanged
from .errors import RtdcError, explained
from .opening import SafeRTDC, open_dataset

#: Metadata that must not differ: what makes a measurement this one.
_SAME = ("experiment:date", "experiment:time", "experiment:sample", "experiment:run index", "setup:identifier")


def adopt(source: Path, condensed: Path, scratch: Path, *, basins: list[dict[str, Any]]) -> dict[str, Any]:
    """Write `scratch/condensed.rtdc`: what `condensed` holds, with `basins` in place of its own that lead elsewhere.

    → as of `condense.condense`, without its notes. Memory: one feature of both files. Raises RtdcError `other` when it is not the condensed file of `source`: another
    number of events, other metadata, a stored feature of other values or one that it lacks.
    """
    path, draft = scratch / condense.RESULT, scratch / condense.DRAFT
    with open_dataset(source) as dataset, open_dataset(condensed) as given:
        _require_same(dataset, given)
        with explained(Message("copying the condensed file")), h5py.File(draft, "w") as target:
            plan = condense.Plan(dataset)
            lost = copy_unchanged(given, target)
            if lost:
                raise RtdcError("other", lost[0])
            with RTDCWriter(target, mode="append", compression_kwargs=COMPRESSION) as writer:
                added = condense.write_basins(dataset, target, writer, basins, plan)
            answer = condense.answer(target, plan, added, len(dataset))
            packing.pack(target, path)
    return answer | {"file": condense.RESULT, "size": path.stat().st_size}


def _require_same(dataset: SafeRTDC, given: SafeRTDC) -> None:
    if len(dataset) != len(given):
        raise RtdcError(
            "other",
            Message("It holds %(there)s events, the measurement %(here)s.", there=len(given), here=len(dataset)),
        )
    for key in _SAME:
        section, _, name = key.partition(":")
        here, there = (one.config.get(section, {}).get(name) for one in (dataset, given))
        if here != there:
            raise RtdcError("other", Message("Its metadata differ from the measurement's: %(key)s.", key=key))
    for name in dataset.features_innate:
        if not features.is_scalar(name):
            continue
        if name not in given.features_innate or not _equal(dataset, given, name):
            raise RtdcError("other", Message("Its feature '%(name)s' differs from the measurement's.", name=name))


def _equal(dataset: SafeRTDC, given: SafeRTDC, name: str) -> bool:
    here, there = (np.asarray(one[name][:], dtype=np.float64) for one in (dataset, given))
    return here.shape == there.shape and bool(np.allclose(here, there, rtol=1e-5, atol=1e-8, equal_nan=True))
