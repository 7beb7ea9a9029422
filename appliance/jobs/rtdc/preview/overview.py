"""The overview picture of a measurement and its thumbnail."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .. import features
from ..features import Array
from . import canvas, text
from .canvas import Box
from .density import Range, at_points, limits
from .material import Material
from .palette import CHANNELS, CONTOUR, MUTED

WIDTH = 960
#: Clouds are drawn from at most this many events (evenly spaced over the measurement).
MAX_POINTS = 100_000

_LEFT, _TOP, _GAP = 84, 34, 64
_SCATTER = (340, 300)
_TRACES = (836, 190)


def draw(material: Material) -> Image.Image:
    """→ the overview: scatter, density scatter, event image with contour, mask, traces – rows only where data exist."""
    cloud = _cloud(material)
    rows = [bool(cloud), material.image is not None or material.mask is not None, bool(material.traces)]
    picture_height = _picture_height(material)
    heights = [_SCATTER[1] + _TOP + _GAP, picture_height + _TOP + _GAP, _TRACES[1] + _TOP + _GAP]
    height = sum(h for h, wanted in zip(heights, rows, strict=True) if wanted)
    if not height:
        return _nothing()
    image = canvas.blank(WIDTH, height + 6)
    top = 0
    if cloud:
        _scatter_row(image, top + _TOP, material.events, *cloud)
        top += heights[0]
    if rows[1]:
        _picture_row(image, top + _TOP, material, picture_height)
        top += heights[1]
    if rows[2]:
        _trace_row(image, top + _TOP, material)
    return image


def thumbnail(material: Material) -> Image.Image:
    """→ a picture of at most 320 × 240 pixels for lists: the cloud, else the event image."""
    width, height = 320, 240
    image = canvas.blank(width, height)
    cloud = _cloud(material)
    strip = 0
    if material.image is not None:
        rows, columns = material.image.shape
        strip = min(90 if cloud else height, max(24, round(width * rows / columns)))
        shown = min(width, round(strip * columns / rows))
        box = Box((width - shown) // 2, height - strip, shown, strip)
        canvas.grey(image, box, _stretched(material.image))
        _outline(image, box, material, 2)
    if cloud:
        x, y, x_axis, y_axis, _, _ = cloud
        box = Box(6, 6, width - 12, height - strip - 12)
        canvas.scatter(image, box, x, y, x_axis, y_axis, colours=at_points(x, y, x_axis, y_axis))
        ImageDraw.Draw(image).rectangle((box.left, box.top, box.right, box.bottom), outline=MUTED)
    return image if cloud or material.image is not None else _nothing().resize((320, 240))


def _cloud(material: Material) -> tuple[Array, Array, Range, Range, str, str] | None:
    for names in (("area_um", "deform"), ("volume", "deform"), ("size_x", "size_y"), ("fl1_max", "fl2_max")):
        if all(name in material.columns for name in names):
            step = max(1, -(-len(material.columns[names[0]]) // MAX_POINTS))
            x, y = (np.asarray(material.columns[name][::step], dtype=np.float64) for name in names)
            good = np.isfinite(x) & np.isfinite(y)
            x_axis, y_axis = limits(x[good]), limits(y[good])
            if x_axis is not None and y_axis is not None:
                return x[good], y[good], x_axis, y_axis, _axis_label(names[0]), _axis_label(names[1])
    return None


def _axis_label(name: str) -> str:
    bare, unit = features.label(name)
    return f"{bare} [{unit}]" if unit else bare


def _scatter_row(
    image: Image.Image,
    top: int,
    events: int,
    x: Array,
    y: Array,
    x_axis: Range,
    y_axis: Range,
    x_label: str,
    y_label: str,
) -> None:
    width, height = _SCATTER
    left_box = Box(_LEFT, top, width, height)
    right_box = Box(_LEFT + width + 104, top, width, height)
    for box in (left_box, right_box):
        canvas.frame(image, box, x_axis, y_axis, x_label, y_label)
    canvas.title(image, left_box, f"{events:,} event{'s' if events != 1 else ''}")
    canvas.scatter(image, left_box, x, y, x_axis, y_axis)
    canvas.title(image, right_box, "Density of events")
    canvas.scatter(image, right_box, x, y, x_axis, y_axis, colours=at_points(x, y, x_axis, y_axis))
    canvas.colour_bar(image, Box(right_box.right + 14, top, 14, height), "relative density")


def _picture_height(material: Material) -> int:
    picture = material.image if material.image is not None else material.mask
    if picture is None:
        return 0
    return int(np.clip(round(_SCATTER[0] * picture.shape[0] / picture.shape[1]), 40, 420))


def _picture_row(image: Image.Image, top: int, material: Material, height: int) -> None:
    left = _LEFT
    if material.image is not None:
        box = Box(left, top, _fitted(material.image, height), height)
        rows, columns = material.image.shape
        canvas.frame(image, box, Range(0, columns), _down(rows), "Detector X [px]", "Detector Y [px]", grid=False)
        canvas.grey(image, box, _stretched(material.image))
        _outline(image, box, material, 2)
        what = "with contour" if material.contour is not None else "image"
        canvas.title(image, box, f"Event {material.event + 1} {what}")
        left += _SCATTER[0] + 104
    if material.mask is not None:
        box = Box(left, top, _fitted(material.mask, height), height)
        rows, columns = material.mask.shape
        scale, unit = (material.pixel_size, "µm") if material.pixel_size else (1.0, "px")
        x_axis, y_axis = Range(0, columns * scale), _down(rows * scale)
        canvas.frame(image, box, x_axis, y_axis, f"Detector X [{unit}]", f"Detector Y [{unit}]", grid=False)
        canvas.grey(image, box, np.where(material.mask, 40, 236).astype(np.uint8))
        canvas.title(image, box, f"Event {material.event + 1} mask")


def _fitted(picture: Array, height: int) -> int:
    return int(np.clip(round(height * picture.shape[1] / picture.shape[0]), 40, _SCATTER[0]))


def _down(extent: float) -> Range:
    """Image rows count from the top: an axis from `extent` (bottom) to 0 (top)."""
    return Range(extent, 0)


def _stretched(picture: Array) -> Array:
    """→ the picture with its contrast stretched between the 0.2 and 99.8 percentile."""
    low, high = np.percentile(picture, [0.2, 99.8])
    if high <= low:
        return picture
    stretched: Array = np.clip((picture - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    return stretched


def _outline(image: Image.Image, box: Box, material: Material, width: int) -> None:
    if material.contour is None or material.image is None:
        return
    rows, columns = material.image.shape
    points = [((float(x) + 0.5) / columns, (float(y) + 0.5) / rows) for x, y in material.contour]
    inside = all(0 <= px <= 1 and 0 <= py <= 1 for px, py in points)
    if inside:
        canvas.polyline(image, box, [*points, points[0]], CONTOUR, width)


def _trace_row(image: Image.Image, top: int, material: Material) -> None:
    box = Box(_LEFT, top, *_TRACES)
    samples = max(len(values) for values in material.traces.values())
    step, unit = (1e6 / material.sample_rate, "µs") if material.sample_rate else (1.0, "samples")
    values = np.concatenate([v.astype(np.float64) for v in material.traces.values()])
    y_axis = limits(values, share=0.0)
    if y_axis is None or samples < 2:
        return
    x_axis = Range(0, samples * step)
    canvas.frame(image, box, x_axis, y_axis, f"Event time [{unit}]", "Fluorescence [a.u.]")
    canvas.title(image, box, f"Event {material.event + 1} fluorescence traces")
    drawn = ImageDraw.Draw(image)
    for place, (name, trace) in enumerate(sorted(material.traces.items())):
        colour = CHANNELS[int(name[2]) - 1]
        heights = 1 - y_axis.scaled(trace.astype(np.float64))
        points = [(n / (samples - 1), float(h)) for n, h in enumerate(heights) if np.isfinite(h)]
        canvas.polyline(image, box, points, colour)
        x = box.right - 250 + 85 * place
        drawn.line((x, top - 16, x + 22, top - 16), fill=colour, width=4)
        text.put(drawn, x + 28, top - 25, f"FL-{name[2]}", canvas.LABEL)


def _nothing() -> Image.Image:
    image = canvas.blank(320, 240)
    text.put(ImageDraw.Draw(image), 160, 110, "Nothing to plot", canvas.LABEL, fill=MUTED, align="centre")
    return image
