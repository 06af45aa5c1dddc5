import io
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import descriptions, dms, exif, iptc, jpeg, subjects, tiff, xmp
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from cartolina.datasets.exif import describe_exif
from cartolina.datasets.metadata import PhotoMetadata, read_metadata
from cartolina.post import Place

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


def test_heif_is_opened_by_its_package_where_there_is_one(tmp_path, monkeypatch):
    registered = []
    heif = SimpleNamespace(register_heif_opener=lambda: registered.append(True))
    path = tmp_path / "a.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert read_metadata(path) == PhotoMetadata()
    monkeypatch.setitem(sys.modules, "pillow_heif", heif)
    assert read_metadata(path) == PhotoMetadata()
    assert registered == [True]


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
