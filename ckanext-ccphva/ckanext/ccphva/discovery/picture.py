"""The picture that a link to a dataset shows in messages and social networks (Open Graph, `og:image`): its
title, its publisher, and where it is on the map of the territory. Pure; PNG.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache

from ckanext.ccphva.outlines import Drawing
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
"""Pixels: the shape that readers of Open Graph expect (1.91 : 1)."""
MARGIN = 64
_TEXT_WIDTH, _MAP = 640, (780, 64, 1136, 566)
_PAPER, _INK, _MUTED, _LAND, _EDGE, _PLACE = "#17343d", "#ffffff", "#d5e2e6", "#2c505b", "#17343d", "#e5a873"
_FONTS = "/usr/share/fonts/truetype/dejavu/DejaVuSans"
_MOST_LINES = 5
_LEAST = 8
Box = tuple[float, float, float, float]


@lru_cache(maxsize=256)
def draw(title: str, publisher: str, portal: str, place: Box | None, drawing: Drawing | None) -> bytes:
    """A PNG of 1200 × 630.

    :param place: west, south, east and north of the dataset's extent, in degrees.
    :param drawing: the map of the territory; without one there is none.
    """
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image, "RGBA")
    width = _TEXT_WIDTH if drawing else WIDTH - 2 * MARGIN
    top = MARGIN
    font = _font(52, bold=True)
    for line in _lines(pen, title, font, width, _MOST_LINES):
        pen.text((MARGIN, top), line, font=font, fill=_INK)
        top += 66
    font = _font(30)
    for line in _lines(pen, publisher, font, width, 2):
        pen.text((MARGIN, top + 18), line, font=font, fill=_MUTED)
        top += 42
    font = _font(28)
    pen.text(
        (MARGIN, HEIGHT - MARGIN - 30), next(_lines(pen, portal, font, width, 1), ""), font=font, fill=_PLACE
    )
    if drawing:
        _map(pen, drawing, place)
    out = io.BytesIO()
    image.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _map(pen: ImageDraw.ImageDraw, drawing: Drawing, place: Box | None) -> None:
    left, top, right, bottom = _MAP
    scale = min((right - left) / drawing.width, (bottom - top) / drawing.height)
    left += int((right - left - drawing.width * scale) / 2)
    top += int((bottom - top - drawing.height * scale) / 2)
    for outline in drawing.outlines:
        for ring in _rings(outline.path):
            corners = [(left + x * scale, top + y * scale) for x, y in ring]
            pen.polygon(corners, fill=_LAND, outline=_EDGE, width=2)
    found = drawing.box(*place) if place else None
    if found is None:
        return
    x1, y1 = left + found[0] * scale, top + found[1] * scale
    x2, y2 = x1 + found[2] * scale, y1 + found[3] * scale
    if x2 - x1 < _LEAST or y2 - y1 < _LEAST:
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        pen.ellipse((x - 14, y - 14, x + 14, y + 14), fill=_PLACE)
    else:
        pen.rectangle((x1, y1, x2, y2), outline=_PLACE, width=4, fill=_PLACE + "33")


def _rings(path: str) -> Iterator[list[tuple[float, float]]]:
    """The rings of a path that `outlines` wrote: `M x y L x y … Z`, with commas or spaces."""
    for ring in path.replace("Z", "").split("M"):
        numbers = [float(each) for each in ring.replace("L", " ").replace(",", " ").split()]
        corners = list(zip(numbers[::2], numbers[1::2], strict=False))
        if len(corners) > 2:
            yield corners


def _lines(
    pen: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, width: float, most: int
) -> Iterator[str]:
    """The words of a text in lines that fit; what is too long ends with an ellipsis."""
    line, given = "", 0
    words = text.split()
    for number, word in enumerate(words):
        longer = f"{line} {word}".strip()
        if line and pen.textlength(longer, font=font) > width:
            given += 1
            if given == most:
                yield _cut(pen, " ".join([line, *words[number:]]), font, width)
                return
            yield _cut(pen, line, font, width)
            line = word
        else:
            line = longer
    if line:
        yield _cut(pen, line, font, width)


def _cut(pen: ImageDraw.ImageDraw, line: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    if pen.textlength(line, font=font) <= width:
        return line
    line = line[:200]
    while line and pen.textlength(line + "…", font=font) > width:
        line = line[:-1]
    return line.rstrip() + "…"


@lru_cache(maxsize=8)
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS + ("-Bold.ttf" if bold else ".ttf"), size)
