import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cartolina.datasets.iptc import iptc_in, parse_iptc
from photo_files import iptc

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


def test_title_names_of_the_place_and_levels():
    data = iptc(
        (2, 5, b"Our summer"), (2, 5, b"DSC_0042"), (2, 120, b"By the sea"), (2, 25, b"Places|Italy|Rome"),
        (2, 101, b"Italia"), (2, 90, b"Roma"), (2, 95, b"Lazio"), (2, 92, b"Trastevere"),
    )  # fmt: skip
    found = parse_iptc(data)
    assert found.captions == ("By the sea", "Our summer")
    assert found.tags == ("Rome", "Italy", "Places", "Trastevere", "Roma", "Lazio", "Italia")


def block(number, data, name=b""):
    header = bytes([len(name)]) + name
    return (
        b"8BIM" + struct.pack(">H", number) + header + b"\0" * (len(header) % 2)
        + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    )  # fmt: skip


def test_iptc_within_photoshops_resources():
    words = iptc((2, 25, b"sea"))
    resources = block(0x03ED, b"odd", b"ab") + block(0x0404, words, b"abc") + block(0x0404, b"later")
    assert iptc_in(b"Photoshop 3.0\0" + resources) == iptc_in(resources) == iptc_in(words) == words
    assert iptc_in(block(0x03ED, b"x")) == b""


@given(st.integers(0, 60), st.binary(max_size=20))
def test_no_resources_crash_it(cut, noise):
    iptc_in((block(0x03ED, b"odd", b"ab") + block(0x0404, b"words"))[:cut] + noise)


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
    printable = [w for w in words if w.isprintable() and w and not w.startswith("#") and "|" not in w]
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
