import hashlib
import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from vision_photos import encoded, photo

from cartolina.vision.decode import UnreadableImage, content_hash, open_rgb

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners() -> Image.Image:
    """32 × 16: red, green above; blue, white below."""
    image = Image.new("RGB", (32, 16))
    for place, colour in {(0, 0): RED, (16, 0): GREEN, (0, 8): BLUE, (16, 8): WHITE}.items():
        image.paste(colour, (*place, place[0] + 16, place[1] + 8))
    return image


def seen(image: Image.Image) -> tuple:
    """The colours at the four corners, row by row."""
    right, bottom = image.width - 1, image.height - 1
    return tuple(image.getpixel(at) for at in [(0, 0), (right, 0), (0, bottom), (right, bottom)])


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, (RED, GREEN, BLUE, WHITE)),
        (2, (GREEN, RED, WHITE, BLUE)),
        (3, (WHITE, BLUE, GREEN, RED)),
        (4, (BLUE, WHITE, RED, GREEN)),
        (5, (RED, BLUE, GREEN, WHITE)),
        (6, (BLUE, RED, WHITE, GREEN)),
        (7, (WHITE, GREEN, BLUE, RED)),
        (8, (GREEN, WHITE, RED, BLUE)),
        (9, (RED, GREEN, BLUE, WHITE)),
    ],
)
def test_exif_orientation_is_applied(orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = open_rgb(encoded(corners(), "PNG", exif=exif))
    assert seen(upright) == expected
    assert upright.size == ((16, 32) if orientation in (5, 6, 7, 8) else (32, 16))


def test_cmyk_becomes_rgb():
    found = open_rgb(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert found.mode == "RGB"
    assert np.abs(np.array(found.getpixel((4, 4))) - RED).max() < 6


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_brightness(kind):
    grey = np.array([[0, 128 * 257, 65535]], np.uint16)
    found = open_rgb(encoded(Image.fromarray(grey), kind))
    assert [found.getpixel((x, 0)) for x in range(3)] == [(0,) * 3, (128,) * 3, (255,) * 3]


def test_float_pixels_between_0_and_1():
    found = open_rgb(encoded(Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)), "TIFF"))
    assert [found.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_transparency_lies_on_white():
    drawn = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    drawn.putpixel((1, 0), (0, 0, 0, 0))
    for kind in ("PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        found = open_rgb(encoded(drawn, kind, **options))
        assert [found.getpixel((x, 0)) for x in range(2)] == [RED, WHITE]


def test_palette_with_transparent_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    found = open_rgb(encoded(image, "PNG", transparency=b"\xff\x00"))
    assert [found.getpixel((x, 0)) for x in range(2)] == [RED, WHITE]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_every_mode_gives_rgb(mode):
    found = open_rgb(encoded(Image.new(mode, (5, 4)), "PNG"))
    assert found.mode == "RGB"
    assert found.size == (5, 4)


def test_of_an_animation_the_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "PNG", "WEBP"):
        found = open_rgb(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert np.abs(np.array(found.getpixel((4, 4))) - RED).max() < 8


def test_large_jpegs_are_decoded_small_but_not_too_small():
    data = encoded(Image.new("RGB", (1600, 1200), BLUE), "JPEG")
    assert open_rgb(data).size == (1600, 1200)
    small = open_rgb(data, at_least=100)
    assert small.size == (200, 150)  # an eighth: not below 1.5 × 100
    assert open_rgb(data, at_least=101).size == (400, 300)
    assert np.abs(np.array(small.getpixel((50, 50))) - BLUE).max() < 6


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares width × height pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


PNG, JPEG = photo(1, (64, 64)), encoded(Image.effect_noise((64, 64), 50), "JPEG")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello, world", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
        (PNG[: len(PNG) // 2], "truncated image"),
        (JPEG[: len(JPEG) // 2], "truncated image"),
        (bomb(60_000, 60_000), "image too large"),
        (bomb(0, 7), "not an image"),
    ],
)
def test_bad_files_say_why(data, reason):
    with pytest.raises(UnreadableImage) as caught:
        open_rgb(data)
    assert caught.value.reason == reason
    assert str(caught.value).startswith(reason)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(UnreadableImage) as caught:
        open_rgb(tmp_path / "none.jpg")
    assert (caught.value.reason, caught.value.detail) == ("no such image", str(tmp_path / "none.jpg"))
    with pytest.raises(UnreadableImage, match="unreadable image"):
        open_rgb(tmp_path)


def test_heic_without_its_package_says_what_to_install(monkeypatch):
    data = b"\0\0\0\x18ftypheic" + b"\0" * 64
    with pytest.raises(UnreadableImage) as caught:
        open_rgb(data)
    if caught.value.reason == "not an image":  # pillow-heif, where installed, calls it unreadable
        assert "cartolina[heif]" in caught.value.detail


@pytest.mark.parametrize("start", [PNG, JPEG, encoded(Image.open(io.BytesIO(PNG)), "WEBP")])
def test_damaged_bytes_raise_nothing_else(start):
    random = np.random.default_rng(0)
    failures = 0
    for _ in range(60):
        damaged = bytearray(start)
        for at in random.integers(8, len(damaged), 6):
            damaged[at] = random.integers(256)
        try:
            assert open_rgb(bytes(damaged)).mode == "RGB"
        except UnreadableImage:
            failures += 1
    assert failures


def test_pillows_warnings_stay_inside():
    """An image of 100 million pixels makes Pillow warn; so does a TIFF with a tag out of range."""
    tiff = bytearray(encoded(Image.new("L", (8, 8)), "TIFF", software="cartolina"))
    del tiff[tiff.index(b"cartolina") :]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(try_to_open, [bomb(10_000, 10_000), bytes(tiff)] * 8))
    assert told == []


def try_to_open(data):
    with suppress(UnreadableImage):
        open_rgb(data)


def test_content_hash_is_of_the_bytes(tmp_path):
    data = photo(2)
    (tmp_path / "a.png").write_bytes(data)
    expected = hashlib.blake2b(data, digest_size=16).hexdigest()
    assert content_hash(data) == content_hash(tmp_path / "a.png") == expected
    assert content_hash(photo(3)) != expected
