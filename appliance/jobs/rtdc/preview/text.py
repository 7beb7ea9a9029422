"""Text in pictures with Pillow's built-in font, which lacks "µ" and raised digits: those are drawn from what it has."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

from .palette import INK, Colour

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_PLAIN = {"−": "-", "–": "-", "—": "-", "×": "x", "Δ": "d", "’": "'", "ä": "a", "ö": "o", "ü": "u", "ß": "ss"}


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """→ the built-in scalable font."""
    return ImageFont.load_default(size)


def measure(text: str, size: int) -> tuple[int, int]:
    """→ (width, height) in pixels."""
    return round(sum(_advance(char, size) for char in _runs(text))), round(size * 1.25)


def put(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, *, fill: Colour = INK, align: str = "left"
) -> None:
    """Draw `text` with its upper edge at `y`; `align` says what `x` is: left, centre or right edge."""
    width, _ = measure(text, size)
    left = x - {"left": 0, "centre": width / 2, "right": width}[align]
    for run in _runs(text):
        if run in _RAISED:
            draw.text((left, y - size * 0.12), _RAISED[run], font=font(round(size * 0.66)), fill=fill)
        elif run == "µ":
            draw.text((left, y), "u", font=font(size), fill=fill)
            stem = left + size * 0.1
            draw.line((stem, y + size * 0.6, stem, y + size * 1.2), fill=fill, width=max(1, round(size * 0.085)))
        else:
            draw.text((left, y), run, font=font(size), fill=fill)
        left += _advance(run, size)


def put_upright(image: Image.Image, x: int, middle: int, text: str, size: int, *, fill: Colour = INK) -> None:
    """Draw `text` reading upwards, centred at height `middle`, with its left edge at `x`."""
    width, height = measure(text, size)
    strip = Image.new("RGB", (width + 4, height + 2), "white")
    put(ImageDraw.Draw(strip), 2, 0, text, size, fill=fill)
    turned = strip.rotate(90, expand=True)
    image.paste(turned, (x, middle - turned.height // 2))


def _runs(text: str) -> list[str]:
    """Split into plain stretches and the single characters that are drawn specially."""
    runs: list[str] = []
    plain = ""
    for char in text:
        if char in _RAISED or char in ("µ", "μ"):
            if plain:
                runs.append(plain)
                plain = ""
            runs.append("µ" if char == "μ" else char)
        else:
            plain += _PLAIN.get(char, char if " " <= char <= "~" or char in "°·±" else "?")
    return [*runs, plain] if plain else runs


@cache
def _advance(run: str, size: int) -> float:
    if run in _RAISED:
        return float(font(round(size * 0.66)).getlength(_RAISED[run]))
    return float(font(size).getlength("u" if run == "µ" else run))
