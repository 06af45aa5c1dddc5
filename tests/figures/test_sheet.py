"""The contact sheet, pixel by pixel where it matters."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cartolina.album.ranking import Hit, Ranking
from cartolina.errors import InputError
from cartolina.figures import sheet
from cartolina.figures.sheet import Tile, contact_sheet, ranking_tiles, save_ranking, save_sheet
from cartolina.post import Place, Post

RED = (220, 30, 30)


def photo(size=(300, 200), colour=RED):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def box_of(page, colour=RED):
    """left, top, right, bottom of what has the colour."""
    rows, columns = np.nonzero((np.asarray(page) == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (50, 50), (3000, 100)])
def test_pictures_keep_their_shape_and_fit_their_cell(size):
    left, top, right, bottom = box_of(contact_sheet([Tile(photo(size))], "x"))
    width, height = right - left, bottom - top
    assert width <= sheet.CELL
    assert height <= sheet.PICTURE
    assert max(width / sheet.CELL, height / sheet.PICTURE) == 1
    assert width / height == pytest.approx(size[0] / size[1], rel=0.05)


def test_corners_are_round():
    page = contact_sheet([Tile(photo())], "x")
    left, top, right, bottom = box_of(page)
    paper = page.getpixel((0, 0))
    for corner in ((left, top), (right - 1, top), (left, bottom - 1), (right - 1, bottom - 1)):
        assert page.getpixel((int(corner[0]), int(corner[1]))) == paper


def test_tiles_go_in_reading_order():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)]
    page = contact_sheet([Tile(photo(colour=c)) for c in colours], "x", columns=2)
    places = [box_of(page, c)[:2] for c in colours]
    assert places[0][1] == places[1][1] < places[2][1] == places[3][1]
    assert places[0][0] == places[2][0] < places[1][0] == places[3][0]


def test_missing_and_broken_pictures_get_a_placeholder(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    tiles = [Tile(None), Tile(tmp_path / "gone.jpg"), Tile(tmp_path / "broken.jpg"), Tile(photo())]
    page = np.asarray(contact_sheet(tiles, "x", columns=4))
    empty = tuple(int(sheet.EMPTY[i : i + 2], 16) for i in (1, 3, 5))
    columns = np.unique(np.nonzero((page == empty).all(axis=2))[1])
    starts = [sheet.MARGIN + i * (sheet.CELL + sheet.GAP) for i in range(4)]
    assert all(start in columns for start in starts[:3])
    assert not (columns >= starts[3]).any()


def test_long_captions_stay_in_their_column():
    words = "a very long caption " * 20 + "x" * 500
    page = np.asarray(contact_sheet([Tile(photo(), words), Tile(photo(), words)], "x", columns=2))
    gap = slice(sheet.MARGIN + sheet.CELL + 2, sheet.MARGIN + sheet.CELL + sheet.GAP - 2)
    below = page[150:, gap]
    assert (below == page[0, 0]).all()


def test_captions_scores_and_places_are_drawn():
    bare = np.asarray(contact_sheet([Tile(photo())], "x"))
    full = np.asarray(contact_sheet([Tile(photo(), "caption", "0.5", "1.00, 2.00")], "x"))
    assert (bare != full).any(axis=2).sum() > 200


def test_no_tiles_is_a_page_with_a_title():
    page = contact_sheet([], "nothing like that")
    assert len(set(page.get_flattened_data() if hasattr(page, "get_flattened_data") else page.getdata())) > 1


@settings(max_examples=60, deadline=None)
@given(st.text(), st.integers(1, 3), st.floats(60, 900))
def test_wrapped_lines_fit_and_lose_nothing_but_the_end(text, lines, width):
    font = sheet._font(sheet.CAPTION)
    wrapped = sheet._wrap(text, font, width, lines)
    assert len(wrapped) <= lines
    assert all(font.getlength(line) <= width for line in wrapped)
    words = " ".join(sheet._drawable(text).split())
    joined = " ".join(wrapped)
    assert joined == words or "…" in joined


def test_without_a_system_font_accents_are_left_out(monkeypatch):
    monkeypatch.setattr(sheet, "REGULAR", ())
    monkeypatch.setattr(sheet, "BOLD", ())
    sheet._font.cache_clear()
    try:
        assert sheet._drawable("Château − Łódź\n") == "Chateau - Łodz "
        contact_sheet([Tile(None, "Château")], "Château")
    finally:
        sheet._font.cache_clear()


def test_tiles_of_a_ranking():
    hits = (
        Hit("a", 0.51234, Post("a", b"x", captions=("A dog.", "Another."), place=Place(48.85, 2.35))),
        Hit("b", 0.4, Post("b", b"y", place=Place(1, 2)), distance_km=12.345),
        Hit("c", 0.3, Post("c", b"z")),
    )
    assert ranking_tiles(Ranking("dog", "dog", hits)) == [
        Tile(b"x", "A dog.", "0.512", "48.85, 2.35"),
        Tile(b"y", "b", "0.400", "12.3 km away"),
        Tile(b"z", "c", "0.300", ""),
    ]


def test_a_ranking_is_titled_by_its_query_and_how_it_was_read(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(sheet, "save_sheet", lambda path, tiles, *words: drawn.append(words))
    save_ranking(tmp_path / "x.png", Ranking("dog", "dog", ()))
    save_ranking(tmp_path / "x.png", Ranking("dog near Rome", "dog near:Rome, Italy within 25km", ()), "near")
    assert drawn == [("dog", ""), ("dog near Rome", "near · read as dog near:Rome, Italy within 25km")]


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "new/out.webp", "out.PDF"])
def test_saved_in_the_format_of_the_name(tmp_path, name):
    save_sheet(tmp_path / name, [Tile(photo(), "x")], "title", "how it was read")
    assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize("name", ["out", "out.txt", "out.docx"])
def test_a_name_that_says_no_format(tmp_path, name):
    with pytest.raises(InputError, match="end its name in"):
        save_sheet(tmp_path / name, [], "title")
    assert not (tmp_path / name).exists()


def test_what_seems_to_show_something_else_is_paler():
    page = np.asarray(contact_sheet([Tile(photo()), Tile(photo(), faint=True)], "x", columns=2)).astype(int)
    paper = np.array([int(sheet.PAPER[i : i + 2], 16) for i in (1, 3, 5)])
    expected = np.array(RED) * sheet.FAINT + paper * (1 - sheet.FAINT)
    assert (np.abs(page - expected).max(axis=2) <= 2).sum() == pytest.approx(
        (page == RED).all(axis=2).sum(), rel=0.02
    )


def test_the_sheet_says_that_nothing_seems_to_show_it(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(sheet, "save_sheet", lambda path, tiles, title, subtitle: said.append(subtitle))
    for relevant in (True, False):
        hits = (
            Hit("a", 0.2, Post("a", photo()), relevant=relevant),
            Hit("b", 0.1, Post("b", photo()), relevant=False),
        )
        save_ranking(tmp_path / "x.png", Ranking("zebra", "zebra", hits))
    assert said == ["", "nothing seems to show this, these are the nearest"]
