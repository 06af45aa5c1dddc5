"""PNG's metadata, before the pixels and behind them, packed and bare, honest and hostile."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cartolina.datasets.metadata import PhotoMetadata, read_metadata
from cartolina.datasets.png import png_metadata, without_texts
from cartolina.post import Place
from photo_files import dms, exif, iptc, photoshop, subjects, xmp


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks, behind=False):
    """A small PNG with more chunks, in front of its pixels or behind them."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    data = out.getvalue()
    at = data.index(b"IEND") - 4 if behind else data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def profile(name, content):
    """As ImageMagick writes: hexadecimal, 72 digits a line."""
    digits = content.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{name}\n{len(content):8}\n{lines}\n".encode()


def ztxt(keyword, text):
    return chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(text))


def itxt(keyword, text, packed=False):
    return chunk(b"iTXt", keyword + bytes([0, packed, 0, 0, 0]) + (zlib.compress(text) if packed else text))


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_exif_xmp_and_iptc_wherever_they_lie(behind, packed):
    found = read_metadata(
        png(
            chunk(b"eXIf", exif(dms(41.5), dms(2.25)).tobytes()),
            itxt(b"XML:com.adobe.xmp", xmp(subjects("sea", "mare è")), packed),
            ztxt(b"Raw profile type iptc", profile("iptc", photoshop(iptc((2, 25, b"harbour"))))),
            behind=behind,
        )
    )
    assert found == PhotoMetadata(tags=("sea", "mare è", "harbour"), place=Place(41.5, 2.25))


@pytest.mark.parametrize("content", [iptc((2, 25, b"bare")), photoshop(iptc((2, 25, b"bare")))[14:]])
@pytest.mark.parametrize("name", [b"iptc", b"8bim"])
def test_iptc_bare_or_in_resources(content, name):
    text = profile(name.decode(), content)
    assert read_metadata(png(ztxt(b"Raw profile type " + name, text))).tags == ("bare",)
    assert read_metadata(png(chunk(b"tEXt", b"Raw profile type iptc\0" + text))).tags == ("bare",)


def test_imagemagicks_exif():
    block = b"Exif\0\0" + exif(dms(1), dms(2)).tobytes().removeprefix(b"Exif\0\0")
    assert read_metadata(png(ztxt(b"Raw profile type exif", profile("exif", block)))).place == Place(1, 2)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (ztxt(b"Raw profile type iptc", b"\0" * (9 << 20)), "unpacks to more than 8 MB"),
        (chunk(b"zTXt", b"XML:com.adobe.xmp\0\0not zlib"), "cannot be unpacked"),
        (ztxt(b"Raw profile type iptc", b"\niptc\n 4\nzz zz\n"), "is not hexadecimal"),
    ],
)
def test_a_bad_text_is_told_and_costs_only_itself(bad, said):
    found = read_metadata(png(bad, chunk(b"eXIf", exif(dms(1), dms(2)).tobytes())))
    assert found.place == Place(1, 2)
    ((reason, detail),) = found.problems
    assert reason == "bad metadata"
    assert said in detail


def test_a_thousand_bombs_take_no_longer_than_one(monkeypatch):
    unpacked = []
    unpack = zlib.decompressobj
    monkeypatch.setattr("cartolina.datasets.png.zlib.decompressobj", lambda: unpacked.append(1) or unpack())
    bomb = ztxt(b"Raw profile type iptc", b"0" * (9 << 20))
    assert len(read_metadata(png(*[bomb] * 1000)).problems) == 1
    assert len(unpacked) == 1


def test_without_texts_the_rest_stays_byte_for_byte():
    texts = [
        chunk(b"tEXt", b"Comment\0a beach"),
        ztxt(b"Software", b"x"),
        itxt(b"XML:com.adobe.xmp", b"<x/>"),
    ]
    block = chunk(b"eXIf", exif(dms(1), dms(2)).tobytes())
    assert without_texts(png(*texts, block)) == png(block)
    assert without_texts(png(block)[:-5]) == png(block)[:-5]
    assert without_texts(b"no PNG") == b"no PNG"


def test_other_texts_are_passed_over():
    notes = [chunk(b"tEXt", b"Comment\0a beach"), ztxt(b"Software", b"x" * (9 << 20)), chunk(b"tEXt", b"")]
    assert read_metadata(png(*notes)) == PhotoMetadata()


WHOLE = png(itxt(b"XML:com.adobe.xmp", xmp(subjects("sea")), packed=True), behind=True)


@given(st.integers(0, len(WHOLE)), st.binary(max_size=40))
def test_no_cut_and_no_bytes_crash_it(at, noise):
    for data in (WHOLE[:at], WHOLE[:at] + noise, WHOLE[:at] + noise + WHOLE[at:]):
        png_metadata(io.BytesIO(data))
        without_texts(data)
