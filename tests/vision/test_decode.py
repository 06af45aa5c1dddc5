import hashlib
import io
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from vision_photos import encoded, photo

from cartolina.datasets.formats import formats
from cartolina.vision.decode import UnreadableImage, content_hash, open_rgb
from raw_files import dng

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


UPRIGHT = [
    (1, (RED, GREEN, BLUE, WHITE)),
    (2, (GREEN, RED, WHITE, BLUE)),
    (3, (WHITE, BLUE, GREEN, RED)),
    (4, (BLUE, WHITE, RED, GREEN)),
    (5, (RED, BLUE, GREEN, WHITE)),
    (6, (BLUE, RED, WHITE, GREEN)),
    (7, (WHITE, GREEN, BLUE, RED)),
    (8, (GREEN, WHITE, RED, BLUE)),
    (9, (RED, GREEN, BLUE, WHITE)),
]
"""EXIF's orientations, and the corners of `corners()` once they are applied."""


@pytest.mark.parametrize(("orientation", "expected"), UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])  # Pillow turns a TIFF itself
def test_exif_orientation_is_applied_once(kind, orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = open_rgb(encoded(corners(), kind, exif=exif))
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


def heif(image, **options):
    import pillow_heif

    pillow_heif.register_heif_opener()
    return encoded(image, "HEIF", quality=100, **options)


def nearest(colour):
    return min((RED, GREEN, BLUE, WHITE), key=lambda one: np.abs(np.subtract(one, colour)).sum())


@pytest.mark.parametrize(("orientation", "expected"), UPRIGHT[:8])
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_heic_and_avif_stand_upright_whatever_turned_them(kind, orientation, expected):
    """HEIC is turned by its decoder, which its EXIF repeats; AVIF by what Pillow makes EXIF of."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    large = corners().resize((128, 64), Image.Resampling.NEAREST)
    block = exif.tobytes()  # from bytes, pillow-heif writes the turn into the container, as phones do
    data = heif(large, exif=block) if kind == "HEIF" else encoded(large, kind, quality=95, exif=block)
    upright = open_rgb(data)
    assert tuple(map(nearest, seen(upright))) == expected
    assert upright.size == ((64, 128) if orientation in (5, 6, 7, 8) else (128, 64))


@pytest.fixture
def without_heif(monkeypatch):
    """As if pillow-heif were not installed."""
    formats.cache_clear()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    yield
    formats.cache_clear()


def test_heic_without_its_package_says_what_to_install(without_heif):
    with pytest.raises(UnreadableImage, match=r"pip install 'cartolina\[heif\]'") as caught:
        open_rgb(b"\0\0\0\x18ftypheic" + b"\0" * 64)
    assert caught.value.reason == "needs cartolina[heif]"


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_heic_and_avif_that_are_cut_off_are_no_strangers(kind):
    data = heif(photo_image()) if kind == "HEIF" else encoded(photo_image(), kind)
    for length in (12, 40, len(data) // 2, len(data) - 40):
        with pytest.raises(UnreadableImage) as caught:
            open_rgb(data[:length])
        assert caught.value.reason in ("unreadable image", "truncated image")


def photo_image():
    return Image.open(io.BytesIO(photo(1, (64, 64))))


def shot(image, **options):
    return encoded(image.resize((320, 160), Image.Resampling.NEAREST), "JPEG", quality=95, **options)


@pytest.mark.parametrize(("orientation", "expected"), UPRIGHT[:8])
@pytest.mark.parametrize("repeated", [False, True])
def test_a_raw_is_its_preview_turned_once(tmp_path, orientation, expected, repeated):
    """As the RAW says; a preview whose own EXIF repeats it is not turned twice."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = dng(shot(corners(), **({"exif": exif} if repeated else {})), orientation=orientation)
    (tmp_path / "a.jpg").write_bytes(data)  # a wrong name does no harm
    for image in (data, tmp_path / "a.jpg"):
        upright = open_rgb(image)
        assert tuple(map(nearest, seen(upright))) == expected
        assert upright.size == ((160, 320) if orientation in (5, 6, 7, 8) else (320, 160))
    assert max(open_rgb(data, at_least=50).size) == 160  # decoded small, as any JPEG


def test_a_raw_preview_that_stands_upright_is_left_so():
    upright = corners().transpose(Image.Transpose.ROTATE_270)
    preview = encoded(upright.resize((160, 320), Image.Resampling.NEAREST), "JPEG", quality=95)
    assert tuple(map(nearest, seen(open_rgb(dng(preview, orientation=6))))) == (BLUE, RED, WHITE, GREEN)


def test_a_raw_whose_preview_is_plain_pixels():
    found = open_rgb(dng(thumbnail=(200, 150), orientation=6))
    assert (found.size, found.mode, found.getpixel((9, 9))) == ((150, 200), "RGB", RED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (dng(), "RAW without a preview"),
        (dng(shot(corners())[:900]), "truncated image"),
        (b"FUJIFILMCCD-RAW 0201" + b"\0" * 400, "unreadable image"),
    ],
)
def test_a_raw_that_shows_nothing_says_why(data, reason):
    with pytest.raises(UnreadableImage) as caught:
        open_rgb(data)
    assert caught.value.reason == reason


def test_a_raw_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(UnreadableImage, match=r"pip install 'cartolina\[raw\]'") as caught:
        open_rgb(dng(shot(corners())))
    assert caught.value.reason == "needs cartolina[raw]"


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("cartolina.vision.decode.MAX_BYTES", 2 << 20)
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate((2 << 20) + 1)
    for image in (tmp_path / "a.jpg", b"\xff\xd8" * (2 << 20)):
        with pytest.raises(UnreadableImage, match="more than 2") as caught:
            open_rgb(image)
        assert caught.value.reason == "file too large"


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
