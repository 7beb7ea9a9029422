"""Make all preview files of a measurement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from appliance.model.messages import Message, joined

from .. import statistics
from ..errors import explained
from . import overview
from .binary import write_columns, write_density
from .material import Material, gather

FILES = {
    "preview": "preview.webp",
    "preview_jpeg": "preview.jpg",
    "thumbnail": "thumb.webp",
    "columns": "columns.bin",
    "density": "density.bin",
}


#: Features that the text names: what they are called, and the unit as it follows a number.
_DESCRIBED = {"area_um": (Message("Area"), " µm²"), "deform": (Message("Deformation"), "")}


def make(
    source: Path, scratch: Path, *, condensed: Path | None, progress: Callable[[float, str], None]
) -> dict[str, Any]:
    """Write the preview files into `scratch`. → {files, alt, width, height, columns, maps, notes}. Raises RtdcError."""
    progress(0.05, Message("read"))
    with explained(Message("reading the file")):
        material = gather(source, condensed)
    with explained(Message("drawing the preview")):
        progress(0.4, Message("draw"))
        picture = overview.draw(material)
        picture.save(scratch / FILES["preview"], quality=82, method=2)
        picture.save(scratch / FILES["preview_jpeg"], quality=85)
        overview.thumbnail(material).save(scratch / FILES["thumbnail"], quality=80, method=2)
        progress(0.7, Message("columns"))
        columns = write_columns(scratch / FILES["columns"], material.columns, material.events, material.rows)
        density = write_density(scratch / FILES["density"], material.columns)
    progress(1.0, Message("done"))
    return {
        "files": dict(FILES),
        "alt": alt_text(material),
        "width": picture.width,
        "height": picture.height,
        "rows": columns["rows"],
        "columns": [column["name"] for column in columns["columns"]],
        "maps": [[entry["x"], entry["y"]] for entry in density["maps"]],
        "notes": material.notes,
    }


def alt_text(material: Material) -> str:
    """→ what the overview shows, in words and numbers, for people who do not see it."""
    sentences: list[str] = [Message("Overview of %(events)s events.", events=material.events)]
    sentences += [
        _described(material.columns[name], said, unit)
        for name, (said, unit) in _DESCRIBED.items()
        if name in material.columns
    ]
    sentences = [sentence for sentence in sentences if sentence] + _event(material)
    if len(sentences) == 1:
        sentences.append(Message("There is nothing to plot."))
    return joined(sentences)


def _described(values: Any, said: str, unit: str) -> str:
    """The median of a feature and where most of its values lie; "" without values."""
    found = statistics.describe(values)
    if any(found[key] is None for key in ("median", "q01", "q99")):
        return ""
    return Message(
        "%(feature)s: median %(median)s%(unit)s, 98 %% of the events between %(low)s and %(high)s%(unit)s.",
        feature=said,
        unit=unit,
        median=f"{found['median']:.4g}",
        low=f"{found['q01']:.4g}",
        high=f"{found['q99']:.4g}",
    )


def _event(material: Material) -> list[str]:
    """What is shown of one event."""
    event, sentences = material.event + 1, list[str]()
    if material.image is not None:
        rows, columns = material.image.shape
        size = Message("%(columns)s × %(rows)s pixels", columns=columns, rows=rows)
        sentences.append(
            Message("Image of event %(event)s, %(size)s.", event=event, size=size)
            if material.contour is None
            else Message("Image of event %(event)s with its contour, %(size)s.", event=event, size=size)
        )
    if material.mask is not None:
        pixels = int(material.mask.sum())
        sentences.append(Message("Mask of event %(event)s, %(pixels)s pixels.", event=event, pixels=pixels))
    if material.traces:
        peaks: list[str] = [
            Message("FL-%(channel)s peak %(peak)s", channel=name[2], peak=int(values[np.isfinite(values)].max()))
            for name, values in sorted(material.traces.items())
        ]
        sentences.append(
            Message("Fluorescence traces of event %(event)s: %(peaks)s.", event=event, peaks=joined(peaks, ", "))
        )
    return sentences
