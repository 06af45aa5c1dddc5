"""Groups of pictures that are nearly the same, drawn: each on a card of its own, the best picture first.

A .pdf gets as many pages as it takes, written one after another; an image gets one page, of the first groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cartolina.errors import InputError
from cartolina.figures.sheet import CAPTION, CELL, INK, MARGIN, PAPER, PICTURE, SMALL, SOFT
from cartolina.figures.sheet import _drawable as drawable
from cartolina.figures.sheet import _font as font
from cartolina.figures.sheet import _paste as paste
from cartolina.figures.sheet import _wrap as wrap
from cartolina.progress import SILENT, Progress
from cartolina.vision.looks import BITS

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from cartolina.album.duplicates import Group, Picture

__all__ = ["check_name", "group_pages", "save_groups"]

COLUMNS = 6
ROWS = 8
"""Rows of pictures on a page."""

MOST = 2 * COLUMNS
"""Pictures of one group that are drawn; of more, it is said how many."""

INSET, APART = 12, 16  # around each picture of a card, between cards; pixels
CARD, GOOD = "#ffffff", "#2f7d4f"
TEXT = 66  # three lines below a picture
WIDTH, HEIGHT = CELL + 2 * INSET + APART, PICTURE + TEXT + 2 * INSET + APART

Box = tuple[int, int, "Group"]
"""The left column and the top row of a card on a page, and what is on it."""


def check_name(path: Path) -> None:
    """Raise `InputError` for a name whose suffix says no format, before long work is done for it."""
    from PIL import Image

    Image.init()
    if Image.EXTENSION.get(path.suffix.lower()) not in Image.SAVE:
        raise InputError(f"no sheet can be saved as {path.name!r}: end its name in .png, .jpg, .webp or .pdf")


def save_groups(path: Path, groups: Sequence[Group], progress: Progress = SILENT) -> int:
    """Draw groups into `path`; how many were drawn. Raises `InputError` for a suffix that is no format."""
    check_name(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = 0
    with progress.task("drawing", len(groups), "groups") as step:
        for page, count in group_pages(groups):
            page.save(path, append=drawn > 0) if path.suffix.lower() == ".pdf" else page.save(path)
            drawn += count
            step.advance(count)
            if path.suffix.lower() != ".pdf":
                break
    return drawn


def group_pages(groups: Sequence[Group]) -> Iterator[tuple[Image.Image, int]]:
    """Pages of cards, each with how many groups are on it; one empty page where there are none."""
    from PIL import Image, ImageDraw

    number = 1
    for boxes in _laid_out(groups) or [[]]:
        rows = max((top + _rows(group) for _, top, group in boxes), default=1)
        size = (COLUMNS * WIDTH - APART + 2 * MARGIN, rows * HEIGHT - APART + 2 * MARGIN)
        page = Image.new("RGB", size, PAPER)
        draw = ImageDraw.Draw(page)
        if not boxes:
            draw.text((MARGIN, MARGIN), "No picture is there twice.", font=font(CAPTION), fill=SOFT)
        for left, top, group in boxes:
            _draw_group(page, draw, group, number, left, top)
            number += 1
        yield page, len(boxes)


def _rows(group: Group) -> int:
    return -(-_shown(group) // COLUMNS)


def _shown(group: Group) -> int:
    return min(1 + len(group.others), MOST)


def _laid_out(groups: Sequence[Group]) -> list[list[Box]]:
    """Cards in reading order, as many on a row as fit; a card is never cut between pages."""
    pages: list[list[Box]] = []
    left, top, taken = 0, 0, 0
    for group in groups:
        width, height = min(_shown(group), COLUMNS), _rows(group)
        if left + width > COLUMNS:
            left, top, taken = 0, top + taken, 0
        if not pages or top + height > ROWS:
            pages.append([])
            left, top, taken = 0, 0, 0
        pages[-1].append((left, top, group))
        left, taken = left + width, max(taken, height)
    return pages


def _draw_group(
    page: Image.Image, draw: ImageDraw.ImageDraw, group: Group, number: int, column: int, row: int
) -> None:
    columns, rows = min(_shown(group), COLUMNS), _rows(group)
    left, top = MARGIN + column * WIDTH, MARGIN + row * HEIGHT
    right, bottom = left + columns * WIDTH - APART, top + rows * HEIGHT - APART
    draw.rounded_rectangle((left, top, right, bottom), 12, CARD)
    pictures = [group.best, *group.others]
    for place, one in enumerate(pictures[:MOST]):
        x = left + INSET + place % COLUMNS * WIDTH
        y = top + INSET + place // COLUMNS * HEIGHT
        paste(page, one.post.image, x, y)
        more = len(pictures) - MOST if place == MOST - 1 else 0
        _write(draw, group, one, number if not place else 0, more, x, y + PICTURE + 6)


def _write(
    draw: ImageDraw.ImageDraw, group: Group, one: Picture, number: int, more: int, x: int, y: int
) -> None:
    name = _cut(f"{number}  {one.post.id}" if number else one.post.id)
    draw.text((x, y), name, font=font(CAPTION), fill=INK)
    size = f"{one.width:,} × {one.height:,}  ·  {one.bytes / 1000:,.0f} KB"
    draw.text((x, y + 20), drawable(size), font=font(SMALL), fill=SOFT)
    if one is group.best:
        copies = f"  ·  {len(one.copies)} more with the same bytes" if one.copies else ""
        draw.text((x, y + 38), drawable(f"the best{copies}"), font=font(SMALL), fill=GOOD)
        return
    parts = [", ".join(group.differs(one)) or "looks the same"]
    if one.likeness is not None and "same bytes" not in parts:
        parts.insert(0, f"{100 - 100 * one.likeness.bits / BITS:.0f} % alike")
    parts += [f"and {more:,} more"] if more else []
    (line,) = wrap("  ·  ".join(parts), font(SMALL), CELL, 1)
    draw.text((x, y + 38), line, font=font(SMALL), fill=SOFT)


def _cut(text: str) -> str:
    """`text` as wide as a cell: the middle goes, since ids end in what tells them apart."""
    text = drawable(text)
    half = len(text) // 2
    left, right = text[:half], text[half:]
    if font(CAPTION).getlength(text) <= CELL:
        return text
    while left and right and font(CAPTION).getlength(f"{left}…{right}") > CELL:
        left, right = left[:-1], right[1:]
    return f"{left}…{right}"
