import json

import numpy as np
import pytest
from PIL import Image

from cartolina.errors import InputError
from cartolina.vision.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing


def stripes() -> Image.Image:
    """60 × 20: a red square, a green square, a blue square."""
    image = Image.new("RGB", (60, 20))
    for n, colour in enumerate(["red", "lime", "blue"]):
        image.paste(colour, (20 * n, 0, 20 * n + 20, 20))
    return image


def test_squash_keeps_the_edges():
    square = Preprocessing(30).resized(stripes())
    assert square.shape == (30, 30, 3)
    assert square.dtype == np.uint8
    assert [tuple(square[15, x]) for x in (3, 15, 26)] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_crop_takes_the_central_square():
    square = Preprocessing(30, "crop").resized(stripes())
    assert (square[:, 2:-2] == [0, 255, 0]).all()  # bicubic looks across the edge
    assert square[:, 0, 1].min() > 200


def test_crop_fraction_is_of_the_shorter_side():
    grey = np.zeros((100, 100, 3), np.uint8)
    grey[25:75, 25:75] = 255
    half = Preprocessing(20, "crop", crop_fraction=0.5).resized(Image.fromarray(grey))
    assert half[5:15, 5:15].min() == 255
    assert half.mean() > 250
    whole = Preprocessing(20, "crop").resized(Image.fromarray(grey))
    assert whole[0, 0, 0] == 0


def test_a_picture_of_the_right_size_is_left_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Preprocessing(32).resized(Image.fromarray(pixels)), pixels)


def test_normalised_against_the_formula():
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8))
    lite = Preprocessing(16, mean=(127.0,) * 3, std=(128.0,) * 3).normalised(pictures)
    expected = ((np.stack(pictures).astype(np.float64) - 127) / 128).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(lite, expected, atol=1e-6)
    assert lite.dtype == np.float32
    assert lite.flags.c_contiguous
    imagenet = Preprocessing(16).normalised(pictures)
    expected = (np.stack(pictures) - np.array(IMAGENET_MEAN)) / IMAGENET_STD
    np.testing.assert_allclose(imagenet, expected.transpose(0, 3, 1, 2), atol=1e-5)


def test_no_pictures():
    assert Preprocessing(16).normalised([]).shape == (0, 3, 16, 16)


def test_json_and_back():
    given = Preprocessing(260, "crop", mean=(1.0, 2.0, 3.0), interpolation="bilinear", crop_fraction=0.875)
    assert Preprocessing.from_dict(json.loads(json.dumps(given.to_dict()))) == given


def test_every_field_is_in_the_fingerprint():
    start = Preprocessing(224)
    others = [
        Preprocessing(260),
        Preprocessing(224, "crop"),
        Preprocessing(224, mean=(0.0,) * 3),
        Preprocessing(224, std=(1.0,) * 3),
        Preprocessing(224, interpolation="bilinear"),
        Preprocessing(224, crop_fraction=0.875),
    ]
    assert len({p.fingerprint for p in [start, *others]}) == 7
    assert Preprocessing(224).fingerprint == start.fingerprint


def test_source_size():
    assert Preprocessing(224).source_size == 224
    assert Preprocessing(224, "crop", crop_fraction=0.875).source_size == 256


@pytest.mark.parametrize(
    "values",
    [{"size": 0}, {"resize": "stretch"}, {"interpolation": "nearest"}, {"crop_fraction": 0.0}],
)
def test_values_out_of_range(values):
    with pytest.raises(InputError):
        Preprocessing(**{"size": 224, **values})
