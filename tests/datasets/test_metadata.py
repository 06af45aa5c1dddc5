import io
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from cartolina.datasets.exif import describe_exif
from cartolina.datasets.formats import formats
from cartolina.datasets.metadata import DISAGREE, PhotoMetadata, read_metadata, reconciled
from cartolina.post import Place
from photo_files import descriptions, dms, exif, iptc, jpeg, subjects, tiff, xmp

NAN = IFDRational(0, 0)


def reasons(found):
    return [reason for reason, _ in found.problems]


def test_everything_at_once():
    data = jpeg(
        exif=exif(dms(33.859972), dms(70.5), ("S", "W"), "2019:07:04 12:34:56", "+02:00", 6),
        xmp=xmp(subjects("beach") + descriptions(x_default="By the sea")),
        iptc=iptc((2, 25, b"Beach"), (2, 25, b"sand"), (2, 120, b"by the sea"), (2, 105, b"Summer")),
    )
    found = read_metadata(data)
    assert found.captions == ("By the sea", "Summer")
    assert found.tags == ("beach", "sand")
    assert (round(found.place.lat, 5), round(found.place.lon, 5)) == (-33.85997, -70.5)
    assert found.taken == datetime(2019, 7, 4, 12, 34, 56, tzinfo=timezone(timedelta(hours=2)))
    assert found.orientation == 6
    assert found.problems == ()


def test_a_path_and_its_bytes_say_the_same(tmp_path):
    data = jpeg(exif=exif(dms(1), dms(2)))
    (tmp_path / "a.jpg").write_bytes(data)
    assert read_metadata(tmp_path / "a.jpg") == read_metadata(data) == PhotoMetadata(place=Place(1, 2))


def test_a_file_that_cannot_be_opened_is_told():
    with pytest.raises(OSError, match="No such file"):
        read_metadata(Path("nowhere.jpg"))


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_has_no_metadata(data):
    assert read_metadata(data) == PhotoMetadata()


@pytest.mark.parametrize(
    ("lat", "lon", "refs", "place"),
    [
        (dms(41.5), dms(2.25), ("N", "E"), Place(41.5, 2.25)),
        (dms(41.5), dms(2.25), ("S", "W"), Place(-41.5, -2.25)),
        (dms(41.5), dms(2.25), ("n", "w"), Place(41.5, -2.25)),
        (dms(0), dms(2.25), ("N", "E"), Place(0, 2.25)),
        ((IFDRational(-83, 2), IFDRational(0), IFDRational(0)), dms(2), (None, "E"), Place(-41.5, 2)),
    ],
)
def test_gps(lat, lon, refs, place):
    found = describe_exif(exif(lat, lon, refs))
    assert found.place == place
    assert found.problems == ()


@pytest.mark.parametrize(
    ("lat", "lon", "refs"),
    [
        ((NAN, NAN, NAN), (NAN, NAN, NAN), ("N", "E")),
        ((IFDRational(41), NAN, NAN), dms(2), ("N", "E")),
        ((IFDRational(1, 0),) * 3, dms(2), ("N", "E")),
        (dms(0), dms(0), ("N", "E")),
        (dms(91), dms(0), ("N", "E")),
        (dms(1), dms(181), ("N", "E")),
        (dms(41), dms(2), (None, None)),
        (dms(41), dms(2), ("E", "N")),
    ],
)
def test_gps_that_makes_no_sense_is_dropped_and_told(lat, lon, refs):
    for made in (exif(lat, lon, refs), jpeg(exif=exif(lat, lon, refs, taken="2019:07:04 00:00:00"))):
        found = describe_exif(made) if isinstance(made, Image.Exif) else read_metadata(made)
        assert found.place is None
        assert reasons(found) == ["bad coordinates"]
    assert found.taken == datetime(2019, 7, 4)


def test_gps_without_a_position_is_nothing_to_tell():
    made = Image.Exif()
    made.get_ifd(0x8825)[0] = b"\2\3\0\0"
    assert describe_exif(made) == PhotoMetadata()


def test_dates_fall_back_and_zeros_are_unknown():
    moment = datetime(2019, 7, 4, 12)
    assert describe_exif(exif(digitized="2019:07:04 12:00:00")).taken == moment
    assert describe_exif(exif(modified="2019:07:04 12:00:00")).taken == moment
    assert describe_exif(exif(taken="0000:00:00 00:00:00", modified="2019:07:04 12:00:00")).taken == moment
    assert describe_exif(exif(taken="2019:07:04 12:00:00", offset="   :  ")).taken == moment
    found = describe_exif(exif(taken="long ago"))
    assert (found.taken, reasons(found)) == (None, ["bad date"])


@pytest.mark.parametrize("turn", [0, 9, 77])
def test_an_orientation_that_is_none_is_upright(turn):
    assert describe_exif(exif(orientation=turn)).orientation == 1


def test_a_broken_part_costs_only_itself():
    bomb = b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'
    found = read_metadata(jpeg(exif=exif(dms(1), dms(2)), xmp=bomb, iptc=iptc((2, 25, b"kept"))))
    assert (found.place, found.tags, reasons(found)) == (Place(1, 2), ("kept",), ["bad metadata"])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_other_formats_carry_exif_and_xmp(kind):
    packet, camera, more = xmp(subjects("sea")), exif(dms(1), dms(2)), {}
    if kind == "PNG":
        more["pnginfo"] = PngInfo()
        more["pnginfo"].add_itxt("XML:com.adobe.xmp", packet.decode())
    elif kind == "WEBP":
        more["xmp"] = packet
    else:
        camera[700] = packet
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, kind, exif=camera, **more)
    found = read_metadata(out.getvalue())
    assert found.place == Place(1, 2)
    assert found.tags == ("sea",)


@pytest.mark.parametrize("kind", [1, 4, 7])  # BYTE, LONG, UNDEFINED
@pytest.mark.parametrize("order", "<>")
def test_iptc_in_tiff_whatever_its_declared_type(kind, order):
    words = iptc((2, 25, b"harbour"), (2, 25, b"night"))
    assert read_metadata(tiff(33723, kind, words, order)).tags == ("harbour", "night")


def heic(**options):
    import pillow_heif

    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (0, 0, 255)).save(out, "HEIF", **options)
    return out.getvalue()


@pytest.fixture
def without_heif(monkeypatch):
    """As if pillow-heif were not installed."""
    formats.cache_clear()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    yield
    formats.cache_clear()


@pytest.mark.parametrize("name", ["a.HEIC", "a.hif", "a.jpg"])
def test_heic_and_what_is_in_it_whatever_its_name(tmp_path, name):
    camera = exif(dms(41.5), dms(2.25), taken="2019:07:04 12:34:56", offset="+02:00", orientation=6)
    path = tmp_path / name
    path.write_bytes(heic(exif=camera, xmp=xmp(subjects("sea") + descriptions(x_default="By the sea"))))
    found = read_metadata(path)
    assert found == read_metadata(path.read_bytes())
    assert (found.place, found.tags, found.captions) == (Place(41.5, 2.25), ("sea",), ("By the sea",))
    assert found.taken == datetime(2019, 7, 4, 12, 34, 56, tzinfo=timezone(timedelta(hours=2)))
    assert found.problems == ()


def test_heic_without_its_package_has_no_metadata(tmp_path, without_heif):
    assert "HEIF" not in formats()
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert read_metadata(tmp_path / "a.heic") == PhotoMetadata()


def test_avif_carries_exif_and_xmp():
    out = io.BytesIO()
    camera = exif(dms(41.5), dms(2.25), taken="2019:07:04 12:34:56")
    Image.new("RGB", (16, 8)).save(out, "AVIF", exif=camera, xmp=xmp(subjects("sea")))
    found = read_metadata(out.getvalue())
    assert (found.place, found.tags, str(found.taken)) == (Place(41.5, 2.25), ("sea",), "2019-07-04 12:34:56")


def said(place=None, taken=None, **words):
    return PhotoMetadata(place=place, taken=datetime.fromisoformat(taken) if taken else None, **words)


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        (said(Place(41, 2)), said(Place(41.008, 2)), False),  # 890 m
        (said(Place(41, 2)), said(Place(41.01, 2)), True),  # 1.1 km
        (said(Place(0, 179.999)), said(Place(0, -179.999)), False),  # over the date line
        (said(Place(41, 2)), said(), False),
        (said(None, "2019-07-04T12:00:00"), said(None, "2019-07-04T12:01:00"), False),
        (said(None, "2019-07-04T12:00:00"), said(None, "2019-07-04T12:01:01"), True),
        (said(None, "2019-07-04T12:00:00+02:00"), said(None, "2019-07-04T10:00:00+00:00"), False),
        (said(None, "2019-07-04T12:00:00+02:00"), said(None, "2019-07-04T12:00:00+00:00"), True),
        (said(None, "2019-07-04T12:00:00"), said(None, "2019-07-04T23:00:00+00:00"), False),  # a zone unknown
        (said(None, "2019-07-04T12:00:00"), said(None, "2019-07-04T00:00:00"), False),  # a day without a time
        (said(None, "2019-07-04T12:00:00"), said(None, "2019-07-06T00:00:00"), True),
    ],
)
def test_sources_that_disagree_are_told_and_the_first_wins(first, second, differ):
    found = reconciled([("a.xmp", first), ("EXIF", second)])
    assert (found.place, found.taken) == (first.place, first.taken)
    assert reasons(found) == [DISAGREE] * differ


def test_the_note_names_both_values_and_the_winner():
    parts = [
        ("a.xmp", said(Place(41, 2), "2019-07-04T12:00:00")),
        ("EXIF", said(Place(41, 2), "2018-01-01T12:00:00")),
        ("XMP", said(Place(51, 0), "2019-07-04T12:00:10")),
    ]
    assert [detail for _, detail in reconciled(parts).problems] == [
        "place: a.xmp says 41.00000, 2.00000, which is kept; XMP 51.00000, 0.00000 (1,123 km away)",
        "date: a.xmp says 2019-07-04 12:00:00, which is kept; EXIF 2018-01-01 12:00:00",
    ]


@given(st.datetimes(timezones=st.none() | st.timezones()), st.datetimes(timezones=st.none() | st.timezones()))
def test_any_two_dates_are_compared(one, other):
    reconciled([("a", PhotoMetadata(taken=one)), ("b", PhotoMetadata(taken=other))])


def test_exif_and_xmp_in_one_file_that_disagree():
    camera = exif(dms(41), dms(2), taken="2019:07:04 12:00:00")
    packet = xmp(attributes='exif:GPSLatitude="51,0.0N" exif:GPSLongitude="0,0.0E"')
    found = read_metadata(jpeg(exif=camera, xmp=packet))
    assert found.place == Place(41, 2)
    assert reasons(found) == [DISAGREE]
    assert "EXIF says 41.00000, 2.00000, which is kept; XMP 51.00000" in found.problems[0][1]


def test_a_png_is_not_decoded_for_its_exif(monkeypatch):
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")

    def load(self):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    assert read_metadata(out.getvalue()) == PhotoMetadata()


FULL = jpeg(
    exif=exif(dms(41), dms(2), taken="2019:07:04 12:00:00", orientation=3),
    xmp=xmp(subjects("a")),
    iptc=iptc((2, 25, b"b"), (2, 120, b"c")),
)


@given(st.lists(st.tuples(st.integers(0, len(FULL) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_no_damage_to_a_photo_crashes_it(changes):
    data = bytearray(FULL)
    for at, value in changes:
        data[at] = value
    found = read_metadata(bytes(data))
    assert found.place is None or -90 <= found.place.lat <= 90


@given(st.integers(0, len(FULL)))
def test_no_cut_crashes_it(length):
    read_metadata(FULL[:length])


@given(st.binary(max_size=400))
def test_no_exif_block_crashes_it(block):
    for data in (block, b"Exif\0\0II*\0\x08\0\0\0" + block, b"Exif\0\0MM\0*\0\0\0\x08" + block):
        out = io.BytesIO()
        Image.new("RGB", (8, 8)).save(out, "JPEG", exif=data)
        read_metadata(out.getvalue())


@given(
    st.dictionaries(
        st.sampled_from([1, 2, 3, 4]),
        st.one_of(
            st.binary(),
            st.text(),
            st.floats(),
            st.none(),
            st.tuples(),
            st.tuples(st.floats(), st.text()),
            st.lists(st.floats(), max_size=4).map(tuple),
        ),
    )
)
def test_no_gps_values_crash_it(gps):
    made = Image.Exif()
    made.get_ifd(0x8825).update(gps)
    found = describe_exif(made)
    assert found.place is None or not found.problems
