"""Make all preview files of a measurement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from appliance.model.messages import Message

from .. import features, statistics
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
    sentences = [f"Overview of {material.events:,} events."]
    for name in ("area_um", "deform"):
        if name in material.columns:
            found = statistics.describe(material.columns[name])
            if all(found[key] is not None for key in ("median", "q01", "q99")):
                bare, unit = features.label(name)
                suffix = f" {unit}" if unit else ""
                sentences.append(
                    f"{bare}: median {found['median']:.4g}{suffix}, "
                    f"98 % of the events between {found['q01']:.4g} and {found['q99']:.4g}{suffix}."
                )
    if material.image is not None:
        rows, columns = material.image.shape
        outline = " with its contour" if material.contour is not None else ""
        sentences.append(f"Image of event {material.event + 1}{outline}, {columns} × {rows} pixels.")
    if material.mask is not None:
        sentences.append(f"Mask of event {material.event + 1}, {int(material.mask.sum()):,} pixels.")
    if material.traces:
        peaks = [
            f"FL-{name[2]} peak {int(values[np.isfinite(values)].max()):,}"
            for name, values in sorted(material.traces.items())
        ]
        sentences.append(f"Fluorescence traces of event {material.event + 1}: {', '.join(peaks)}.")
    if len(sentences) == 1:
        sentences.append("There is nothing to plot.")
    return " ".join(sentences)
