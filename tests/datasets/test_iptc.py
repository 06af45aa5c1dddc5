import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from photo_files import iptc

from cartolina.datasets.iptc import parse_iptc

UTF_8, LATIN_1 = b"\x1b%G", b"\x1b.A"


def test_keywords_caption_and_headline():
    data = iptc(
        (2, 0, b"\0\2"),
        (2, 105, b"A headline"),
        (2, 25, b"beach"),
        (2, 25, b"New York"),
        (2, 25, b"Beach"),
        (2, 120, b"A caption\r\nin two lines"),
        (2, 80, b"By somebody"),
    )
    found = parse_iptc(data)
    assert found.tags == ("beach", "New York")
    assert found.captions == ("A caption in two lines", "A headline")


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        (UTF_8, "Café 東京".encode(), "Café 東京"),
        (None, "Café 東京".encode(), "Café 東京"),
        (None, "Café".encode("latin-1"), "Café"),
        (None, b"it\x92s 5\x80", "it’s 5€"),
        (LATIN_1, "Café".encode("latin-1"), "Café"),
        (LATIN_1, b"\xc3\xa9", "Ã©"),  # declared, so not taken for UTF-8
        (UTF_8, "Café".encode("latin-1"), "Café"),  # declared wrongly
        (UTF_8, b"a\x81\xff", "a ÿ"),
    ],
)
def test_encodings(charset, raw, text):
    declared = [(1, 90, charset)] if charset else []
    assert parse_iptc(iptc(*declared, (2, 120, raw), (2, 25, raw))).captions == (text,)


def test_an_extended_length():
    data = struct.pack(">BBBHI", 0x1C, 2, 120, 0x8004, 40_000) + b"x" * 40_000 + iptc((2, 25, b"after"))
    assert parse_iptc(data).captions == ("x" * 40_000,)
    assert parse_iptc(data).tags == ("after",)


def test_a_cut_off_dataset_costs_only_itself():
    data = iptc((2, 25, b"kept"), (2, 25, b"lost"))
    for cut in range(1, 9):
        assert parse_iptc(data[:-cut]).tags == ("kept",)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=5))
def test_keywords_survive_the_round_trip(words):
    words = list({word.casefold(): word for word in (" ".join(w.split()) for w in words)}.values())
    printable = [w for w in words if w.isprintable() and w and not w.startswith("#")]
    data = iptc((1, 90, UTF_8), *((2, 25, word.encode()) for word in printable))
    import unicodedata

    expected = list(dict.fromkeys(unicodedata.normalize("NFC", word) for word in printable))
    assert {t.casefold() for t in parse_iptc(data).tags} == {e.casefold() for e in expected}


@given(st.binary())
@example(b"\x1c\x02\x19\xff\xff")
@example(b"\x1c\x02\x19\x80\x00")
def test_no_bytes_crash_it(data):
    parse_iptc(data)
    parse_iptc(b"\x1c\x01Z\0\3\x1b%G\x1c\x02x" + data)
