"""Cards of pictures that are nearly the same: what is drawn where, page by page."""

import io
import re

import pytest
from PIL import Image

from cartolina.album.alike import Likeness
from cartolina.album.duplicates import Group, Picture
from cartolina.errors import InputError
from cartolina.figures import groups as drawn
from cartolina.figures.groups import group_pages, save_groups
from cartolina.post import Post


def picture(name, colour=(200, 30, 30), best=False):
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "PNG")
    likeness = None if best else Likeness(4, False, 0.99)
    return Picture(Post(name, out.getvalue()), 60, 40, 1000, (), likeness)


def group(name, others, colour=(200, 30, 30)):
    return Group(
        picture(name, colour, best=True),
        tuple(picture(f"{name}-{n}", colour) for n in range(others)),
    )


def pages(path):
    """How many pages a PDF's last page tree counts."""
    return int(re.findall(rb"/Count (\d+)", path.read_bytes())[-1])


def test_cards_in_reading_order_and_never_cut():
    sizes = [2, 3, 2, 6, 30, 2]
    (boxes,) = drawn._laid_out([group(str(n), size - 1) for n, size in enumerate(sizes)])
    # 2 + 3 of six columns; 2 begins a row; six fill one; of thirty, two rows are drawn; then 2 again.
    assert [(left, top) for left, top, _ in boxes] == [(0, 0), (2, 0), (0, 1), (0, 2), (0, 3), (0, 5)]


def test_as_many_pages_as_it_takes():
    many = [group(str(n), 5) for n in range(2 * drawn.ROWS + 1)]
    counts = [count for _, count in group_pages(many)]
    assert counts == [drawn.ROWS, drawn.ROWS, 1]


def test_pictures_lie_on_white_cards_with_paper_between():
    ((page, count),) = group_pages([group("a", 1), group("b", 1, (30, 30, 200))])
    assert count == 2
    y = drawn.MARGIN + drawn.INSET + drawn.PICTURE - 30
    row = [page.getpixel((x, y)) for x in range(page.width)]
    reds = [x for x, colour in enumerate(row) if colour == (200, 30, 30)]
    blues = [x for x, colour in enumerate(row) if colour == (30, 30, 200)]
    assert reds
    assert max(reds) < min(blues)
    between = row[max(reds) + 1 : min(blues)]
    assert (255, 255, 255) in between
    assert tuple(int(drawn.PAPER[n : n + 2], 16) for n in (1, 3, 5)) in between


def test_a_pdf_has_all_pages_and_an_image_the_first(tmp_path):
    many = [group(str(n), 5) for n in range(drawn.ROWS + 2)]
    assert save_groups(tmp_path / "all.pdf", many) == len(many)
    assert pages(tmp_path / "all.pdf") == 2
    assert save_groups(tmp_path / "some.png", many) == drawn.ROWS
    assert save_groups(tmp_path / "none.png", []) == 0
    with pytest.raises(InputError, match="end its name in"):
        save_groups(tmp_path / "x.docx", many)


def test_a_second_pdf_replaces_the_first(tmp_path):
    for _ in range(2):
        save_groups(tmp_path / "a.pdf", [group("a", 1)])
    assert pages(tmp_path / "a.pdf") == 1


def test_long_names_lose_their_middle():
    long = "2019/holidays in a very long folder name indeed/IMG_0042 (copy 2).jpg"
    cut = drawn._cut(long)
    assert cut.startswith("2019/")
    assert cut.endswith("(copy 2).jpg")
    assert "…" in cut
    assert drawn.font(drawn.CAPTION).getlength(cut) <= drawn.CELL
