"""A picture with panels: axes with ticks, scatter clouds, grey images, lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..features import Array
from . import text
from .density import Range
from .palette import FAINT, INK, MUTED, PAPER, POINT, Colour, density_map

TITLE = 17
LABEL = 15
TICK = 13


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """Lower edge."""
        return self.top + self.height


def blank(width: int, height: int) -> Image.Image:
    """→ an empty light picture."""
    return Image.new("RGB", (width, height), PAPER)


def ticks(axis: Range, wanted: int = 5) -> list[tuple[float, str]]:
    """→ [(position 0…1, text)] at round numbers."""
    if axis.logarithmic:
        powers = range(math.ceil(math.log10(axis.low)), math.floor(math.log10(axis.high)) + 1)
        values = [10.0**power for power in powers] or [axis.low * 1.2, axis.high / 1.2]
    else:
        low, high = min(axis.low, axis.high), max(axis.low, axis.high)
        rough = (high - low) / wanted
        power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
        step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough), 10 * power)
        first = math.ceil(low / step)
        values = [n * step for n in range(first, min(first + 12, math.floor(high / step) + 1))]
    return [(float(axis.scaled(np.array([value]))[0]), _number(value)) for value in values]


def _number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 1e5 or abs(value) < 1e-3:
        return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"


def frame(
    image: Image.Image, box: Box, x_axis: Range, y_axis: Range, x_label: str, y_label: str, *, grid: bool = True
) -> None:
    """Draw axes with ticks and labels around `box`."""
    draw = ImageDraw.Draw(image)
    for position, name in ticks(x_axis):
        x = box.left + position * (box.width - 1)
        if grid:
            draw.line((x, box.top, x, box.bottom), fill=FAINT)
        draw.line((x, box.bottom, x, box.bottom + 4), fill=INK)
        text.put(draw, x, box.bottom + 6, name, TICK, fill=MUTED, align="centre")
    for position, name in ticks(y_axis, max(2, box.height // 55)):
        y = box.bottom - 1 - position * (box.height - 1)
        if grid:
            draw.line((box.left, y, box.right, y), fill=FAINT)
        draw.line((box.left - 4, y, box.left, y), fill=INK)
        text.put(draw, box.left - 7, y - TICK * 0.6, name, TICK, fill=MUTED, align="right")
    draw.rectangle((box.left, box.top, box.right, box.bottom), outline=MUTED)
    text.put(draw, box.left + box.width / 2, box.bottom + 24, x_label, LABEL, align="centre")
    text.put_upright(image, box.left - 68, box.top + box.height // 2, y_label, LABEL)


def title(image: Image.Image, box: Box, words: str) -> None:
    """Write a panel's title above it."""
    text.put(ImageDraw.Draw(image), box.left, box.top - TITLE * 1.5, words, TITLE)


def scatter(
    image: Image.Image, box: Box, x: Array, y: Array, x_axis: Range, y_axis: Range, *, colours: Array | None = None
) -> None:
    """Draw points; with `colours` (0…1) by the density map, dense ones on top, else transparent single-coloured dots."""
    u, v = x_axis.scaled(x), y_axis.scaled(y)
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    column = (u[inside] * (box.width - 1)).astype(np.int64)
    row = ((1 - v[inside]) * (box.height - 1)).astype(np.int64)
    area = image.crop((box.left, box.top, box.right, box.bottom))
    pixels = np.asarray(area).copy()
    disc = _disc(len(row))
    if colours is None:
        _blend(pixels, row, column, disc)
    else:
        order = np.argsort(colours[inside], kind="stable")
        palette = density_map()
        shades = palette[(colours[inside][order] * (len(palette) - 1)).astype(np.int64)]
        for dy, dx in disc:
            rows = np.clip(row[order] + dy, 0, box.height - 1)
            columns = np.clip(column[order] + dx, 0, box.width - 1)
            pixels[rows, columns] = shades
    image.paste(Image.fromarray(pixels), (box.left, box.top))


def _disc(points: int) -> list[tuple[int, int]]:
    """→ offsets of the pixels of a dot: few events get large dots."""
    radius = next((r for most, r in ((60, 4.2), (400, 3.2), (3000, 2.3), (20_000, 1.5)) if points <= most), 1.0)
    reach = int(radius)
    span = range(-reach, reach + 1)
    return [(dy, dx) for dy in span for dx in span if dy * dy + dx * dx <= radius * radius]


def _blend(pixels: Array, row: Array, column: Array, disc: list[tuple[int, int]]) -> None:
    """Blend transparent dots; overlapping ones get darker."""
    height, width = pixels.shape[:2]
    counts = np.bincount(row * width + column, minlength=height * width).reshape(height, width)
    reach = max(dy for dy, _ in disc)
    padded = np.pad(counts, reach)
    cover = np.zeros((height, width))
    for dy, dx in disc:
        cover += padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
    alpha = min(0.75, max(0.05, 14.0 / math.sqrt(max(1, len(row)))))
    strength = (1 - (1 - alpha) ** cover)[..., None]
    pixels[:] = np.rint(pixels * (1 - strength) + np.array(POINT) * strength).astype(np.uint8)


def colour_bar(image: Image.Image, box: Box, label: str) -> None:
    """Draw the density map as a bar with its ends named."""
    shades = density_map()[::-1]
    bar = np.repeat(shades[:, None, :], 4, axis=1)
    image.paste(Image.fromarray(bar).resize((box.width, box.height)), (box.left, box.top))
    draw = ImageDraw.Draw(image)
    draw.rectangle((box.left, box.top, box.right, box.bottom), outline=MUTED)
    text.put(draw, box.right + 6, box.top - 3, "1", TICK, fill=MUTED)
    text.put(draw, box.right + 6, box.bottom - TICK, "0", TICK, fill=MUTED)
    text.put_upright(image, box.right + 5, box.top + box.height // 2, label, TICK, fill=MUTED)


def grey(image: Image.Image, box: Box, picture: Array) -> None:
    """Show a two-dimensional uint8 array scaled to `box`, pixels kept sharp."""
    shown = Image.fromarray(picture).convert("RGB").resize((box.width, box.height), Image.Resampling.BICUBIC)
    image.paste(shown, (box.left, box.top))


def polyline(
    image: Image.Image, box: Box, points: Sequence[tuple[float, float]], colour: Colour, width: int = 2
) -> None:
    """Draw a line through points given in 0…1 of the box (y downwards)."""
    xy = [(box.left + px * (box.width - 1), box.top + py * (box.height - 1)) for px, py in points]
    if len(xy) > 1:
        ImageDraw.Draw(image).line(xy, fill=colour, width=width, joint="curve")
