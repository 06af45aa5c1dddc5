"""What a perceptual hash keeps, what it tells apart, and what it cannot see."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from cartolina.vision.decode import UnreadableImage, dimensions
from cartolina.vision.looks import BITS, HALF, bits_of, look, signs


def scene(seed, size=(320, 240)):
    """Soft blots of light and dark with some grain: as many low frequencies as a photo has."""
    chance = np.random.default_rng(seed)
    coarse = Image.fromarray(chance.integers(0, 256, (9, 12, 3), np.uint8)).resize(size, Image.BICUBIC)
    grain = Image.fromarray(chance.integers(0, 256, (size[1], size[0], 3), np.uint8))
    return Image.blend(coarse, grain.filter(ImageFilter.GaussianBlur(1)), 0.2)


def encoded(picture, **options):
    out = io.BytesIO()
    picture.save(out, **({"format": "JPEG", "quality": 90} | options))
    return out.getvalue()


def differing(one, other):
    a, b = signs([bits_of(one), bits_of(other)])
    return int((BITS - a @ b) / 2)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda p: p.resize((160, 120)), 2),
        (lambda p: p.resize((640, 480)), 2),
        (lambda p: p.resize((100, 200)), 4),
        (lambda p: Image.open(io.BytesIO(encoded(p, quality=30))), 8),
        (lambda p: ImageEnhance.Brightness(p).enhance(0.8), 2),
        (lambda p: ImageEnhance.Contrast(p).enhance(0.7), 3),
        (ImageOps.grayscale, 2),
    ],
    ids=["half", "double", "other shape", "recompressed", "darker", "contrast", "grey"],
)
def test_stays_when_a_picture_is_saved_otherwise(change, most):
    for seed in range(8):
        picture = scene(seed)
        assert differing(picture, change(picture).convert("RGB")) <= most


def test_other_pictures_differ_in_half_of_the_bits():
    rows = signs([bits_of(scene(seed)) for seed in range(40)])
    bits = ((BITS - rows @ rows.T) / 2)[np.triu_indices(40, 1)]
    assert 55 < bits.mean() < 73
    assert bits.min() > 30


def test_a_mirrored_picture_has_the_even_half_and_the_odd_one_turned():
    a, b = signs([bits_of(scene(3)), bits_of(ImageOps.mirror(scene(3)))])
    assert (a[:HALF] == b[:HALF]).mean() > 0.95
    assert (a[HALF:] == -b[HALF:]).mean() > 0.95


def test_the_bits_are_the_signs_of_the_cosine_transform_summed_by_hand():
    picture = scene(1).convert("L").resize((64, 64), Image.Resampling.LANCZOS, reducing_gap=3.0)
    grey = np.asarray(picture, float)
    x = np.arange(64)

    def strength(down, across):
        waves = [np.cos(np.pi * (2 * x + 1) * k / 128) for k in (down, across)]
        return float((grey * np.outer(*waves)).sum())

    (mine,) = signs([bits_of(scene(1))])
    # The first of the even half changes twice down and not across, the first of the odd half once across.
    assert mine[0] == np.sign(strength(1, 0))
    assert mine[HALF] == np.sign(strength(0, 1))
    assert mine[1] == np.sign(strength(0, 2)) or mine[1] == np.sign(strength(2, 0))


def test_flat_pictures_have_no_hash():
    assert bits_of(Image.new("RGB", (50, 40), "black")) is None
    assert bits_of(Image.new("L", (50, 40), 200)) is None
    fog = np.random.default_rng(0).integers(127, 130, (300, 400), np.uint8)
    assert bits_of(Image.fromarray(fog)) is None
    assert bits_of(Image.linear_gradient("L")) is not None


def test_look_says_the_upright_size_and_raises_for_what_is_no_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    data = encoded(scene(0), exif=exif)
    assert look(data)[1:] == dimensions(data) == (240, 320)
    (tmp_path / "x.jpg").write_bytes(b"nothing of the kind")
    for ask in (look, dimensions):
        with pytest.raises(UnreadableImage, match="not an image"):
            ask(tmp_path / "x.jpg")
        with pytest.raises(UnreadableImage, match="no such image"):
            ask(tmp_path / "gone.jpg")
