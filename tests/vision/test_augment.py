"""Windows: where they lie, how often they are mirrored, what they cut out."""

import numpy as np
import pytest

from cartolina.errors import InputError
from cartolina.vision.augment import central_windows, random_windows
from cartolina.vision.preprocessing import Preprocessing

PICTURE = np.random.default_rng(0).integers(0, 256, (10, 10, 3), dtype=np.uint8)


def test_every_place_comes_about_and_half_are_mirrored():
    windows = random_windows(4000, 10, 7, np.random.default_rng(1))
    for place in (windows.top, windows.left):
        assert np.bincount(place, minlength=4) == pytest.approx([1000] * 4, rel=0.15)
    assert windows.mirrored.mean() == pytest.approx(0.5, abs=0.03)
    assert abs(np.corrcoef(windows.top, windows.left)[0, 1]) < 0.05


def test_what_is_cut_is_what_lies_there():
    windows = random_windows(50, 10, 7, np.random.default_rng(2))
    for number in range(50):
        piece = windows.cut(number, PICTURE)
        for row in range(7):
            for column in range(7):
                across = 6 - column if windows.mirrored[number] else column
                there = PICTURE[windows.top[number] + row, windows.left[number] + across]
                assert (piece[row, column] == there).all()


def test_the_middle_is_the_same_each_time_and_never_mirrored():
    windows = central_windows(3, 10, 7)
    for number in range(3):
        assert (windows.cut(number, PICTURE) == PICTURE[1:8, 1:8]).all()


def test_a_window_must_fit():
    with pytest.raises(InputError, match="crops of 11 pixels were asked for out of pictures of 10"):
        random_windows(1, 10, 11, np.random.default_rng(0))


def test_what_is_shown_afterwards_is_the_middle_of_the_square():
    from PIL import Image

    square = np.random.default_rng(3).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    shown = Preprocessing(224, crop_fraction=224 / 300)
    assert shown.source_size == 300
    assert (shown.resized(Image.fromarray(square)) == square[38:262, 38:262]).all()
    wide = Image.fromarray(square[:150])  # squashed first: the middle of both sides
    whole = Preprocessing(300).resized(wide)[38:262, 38:262].astype(int)
    assert np.abs(shown.resized(wide).astype(int) - whole).mean() < 2
