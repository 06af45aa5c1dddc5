"""Contact sheet: the pictures of an answer on one page, with captions, scores and the query above.

>>> page = contact_sheet([Tile(None, "a dog on a beach", "0.412")], title="dog + beach")
>>> page.width
904
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cartolina.errors import InputError

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

    from cartolina.album.ranking import Hit, Ranking
    from cartolina.geo import Locality

__all__ = ["Tile", "contact_sheet", "ranking_tiles", "save_ranking", "save_sheet"]

PAPER, INK, SOFT, EMPTY = "#fbfaf7", "#1f2328", "#6b7178", "#e6e3dc"
CELL, PICTURE, GAP, MARGIN = 264, 216, 24, 28  # pixels; a picture fits in CELL × PICTURE
TITLE, CAPTION, SMALL = 26, 15, 13  # sizes of type
LINE = 20
RADIUS = 14
FAINT = 0.4  # how opaque a picture is that seems to show something else
# Fonts with accents, Greek and Cyrillic that are often installed; Pillow's own has little more than ASCII.
REGULAR = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")
BOLD = ("NotoSans-Bold.ttf", "DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf")


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a sheet: a path or encoded bytes (None: no picture), a caption, a score, where.

    A `faint` one is drawn paler, as one that seems to show something else.
    """

    image: Path | bytes | None
    caption: str = ""
    score: str = ""
    place: str = ""
    faint: bool = False


def save_ranking(path: Path, ranking: Ranking, remark: str = "") -> None:
    """Draw an album's answer into `path`: the query as the title, below it `remark` and how it was read."""
    read = "" if ranking.read_as == ranking.query else f"read as {ranking.read_as}"
    none = "" if ranking.relevant or not len(ranking) else "nothing seems to show this, these are the nearest"
    subtitle = " · ".join(part for part in (remark, none, read) if part)
    save_sheet(path, ranking_tiles(ranking), ranking.query, subtitle)


def ranking_tiles(ranking: Ranking) -> list[Tile]:
    """The tiles of an album's answer, best first."""
    return [
        Tile(
            hit.post.image,
            hit.post.text or hit.id,
            _score(hit, ranking),
            _where(hit, locality),
            not hit.relevant,
        )
        for hit, locality in zip(ranking, ranking.localities(), strict=True)
    ]


def _score(hit: Hit, ranking: Ranking) -> str:
    said = ranking.by == "both" and "words" in hit.matched
    return f"{hit.score:.3f}" + ("  ·  by its words, too" if said else "")


def _where(hit: Hit, locality: Locality) -> str:
    place = hit.post.place
    where = locality.name or (f"{place.lat:.2f}, {place.lon:.2f}" if place else "")
    return where if hit.distance_km is None else f"{where} · {hit.distance_km:,.1f} km away"


def save_sheet(path: Path, tiles: Sequence[Tile], title: str, subtitle: str = "") -> None:
    """Draw a contact sheet into `path`; its suffix says the format (.png, .jpg, .webp, .pdf).

    Raises `InputError` for a suffix Pillow cannot write, `OSError` where the file cannot be written.
    """
    from PIL import Image

    Image.init()
    kind = Image.EXTENSION.get(path.suffix.lower())
    if kind is None or kind not in Image.SAVE:
        raise InputError(f"no sheet can be saved as {path.name!r}: end its name in .png, .jpg, .webp or .pdf")
    page = contact_sheet(tiles, title, subtitle)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path, format=kind)


def contact_sheet(tiles: Sequence[Tile], title: str, subtitle: str = "", columns: int = 5) -> Image.Image:
    """Draw `tiles` in reading order on one RGB page, `title` above.

    Pictures keep their aspect ratio; one that is missing or broken gets a placeholder that says so.
    """
    from PIL import Image, ImageDraw

    columns = max(1, min(columns, len(tiles)))
    inner = max(columns, 3) * (CELL + GAP) - GAP  # three at least, so that a title has room
    bold, plain = _font(TITLE, bold=True), _font(CAPTION)
    heading = [(line, bold, INK) for line in _wrap(title, bold, inner, 2)]
    heading += [(line, plain, SOFT) for line in _wrap(subtitle, plain, inner, 2)]
    top = MARGIN + sum(round(font.size) + 10 for _, font, _ in heading) + 12
    row = PICTURE + 10 + 3 * LINE + GAP
    page = Image.new("RGB", (inner + 2 * MARGIN, top + -(-len(tiles) // columns) * row + MARGIN - GAP), PAPER)
    draw = ImageDraw.Draw(page)
    y = MARGIN
    for line, font, colour in heading:
        draw.text((MARGIN, y), line, font=font, fill=colour)
        y += round(font.size) + 10
    for i, tile in enumerate(tiles):
        left = MARGIN + (i % columns) * (CELL + GAP)
        _draw_tile(page, draw, tile, i + 1, left, top + (i // columns) * row)
    return page


def _draw_tile(
    page: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, rank: int, left: int, top: int
) -> None:
    _paste(page, tile.image, left, top, faint=tile.faint)
    y = top + PICTURE + 10
    for line in _wrap(tile.caption, _font(CAPTION), CELL, 2):
        draw.text((left, y), line, font=_font(CAPTION), fill=SOFT if tile.faint else INK)
        y += LINE
    note = "  ·  ".join(part for part in (str(rank), tile.score, tile.place) if part)
    draw.text((left, y), _drawable(note), font=_font(SMALL), fill=SOFT)


def _paste(
    page: Image.Image, image: Path | bytes | None, left: int, top: int, *, faint: bool = False
) -> None:
    """Draw a picture, its corners round, onto the ground of a cell of CELL × PICTURE pixels."""
    from PIL import Image, ImageDraw

    picture = _thumbnail(image)
    # Drawn at twice the size and halved: Pillow does not smooth the edge of a corner.
    mask = Image.new("L", (2 * picture.width, 2 * picture.height))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), 2 * RADIUS, fill=255)
    mask = mask.resize(picture.size, Image.Resampling.BOX)
    if faint:
        mask = mask.point(lambda opacity: round(opacity * FAINT))
    page.paste(picture, (left, top + PICTURE - picture.height), mask)


def _thumbnail(image: Path | bytes | None) -> Image.Image:
    from PIL import Image, ImageDraw

    from cartolina.vision.decode import UnreadableImage, open_rgb

    trouble = "no picture"
    if image is not None:
        try:
            picture = open_rgb(image, at_least=CELL)
        except UnreadableImage as error:
            trouble = error.reason
        else:
            scale = min(CELL / picture.width, PICTURE / picture.height)
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    blank = Image.new("RGB", (CELL, PICTURE), EMPTY)
    middle = ((CELL - _font(CAPTION).getlength(trouble)) / 2, (PICTURE - LINE) / 2)
    ImageDraw.Draw(blank).text(middle, trouble, font=_font(CAPTION), fill=SOFT)
    return blank


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float, lines: int) -> list[str]:
    """`text` in at most `lines` lines of `width` pixels; what is too much becomes an ellipsis."""
    wrapped: list[str] = []
    words = _drawable(text).split()
    while words and len(wrapped) < lines:
        n = len(words)
        if len(wrapped) < lines - 1:  # the last line takes all the rest, to be cut
            while n > 1 and font.getlength(" ".join(words[:n])) > width:
                n -= 1
        line = " ".join(words[:n])
        del words[:n]
        while font.getlength(line) > width:
            line = line.removesuffix("…")[:-1].rstrip() + "…"
        wrapped.append(line)
    return wrapped


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    for name in BOLD if bold else REGULAR:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    own = ImageFont.load_default(size)
    if not isinstance(own, ImageFont.FreeTypeFont):
        raise InputError("this Pillow lacks FreeType and draws no captions: install Pillow's own wheel")
    return own


def _drawable(text: str) -> str:
    """`text` in one line, and without accents where Pillow's own font is all there is to draw with."""
    text = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    if _font(CAPTION).getname()[0] != "Aileron":
        return text
    text = text.replace("−", "-")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
