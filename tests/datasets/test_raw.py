"""RAW files: told by their content, shown by their largest preview, read by their own tags."""

import io
import sys

import pytest
from PIL import Image

from cartolina.datasets.metadata import PhotoMetadata, read_metadata
from cartolina.datasets.raw import LACKING, NoPreview, is_raw, read_preview
from cartolina.post import Place
from photo_files import descriptions, exif, iptc, jpeg, subjects, xmp
from raw_files import dng


def shot(size=(320, 240), colour="blue", **options):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **options)
    return out.getvalue()


def size_of(preview):
    return Image.open(io.BytesIO(preview.picture)).size


def plain_tiff():
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "TIFF")
    return out.getvalue()


def bare_sensor_data(order):
    """A TIFF whose own pixels are a sensor's, with no DNG version: how Pentax and Hasselblad begin."""
    return dng(thumbnail=None, order=order).replace(
        (50706).to_bytes(2, "little" if order == "<" else "big"),
        (50705).to_bytes(2, "little" if order == "<" else "big"),
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (dng(shot()), True),
        (dng(shot(), order=">"), True),
        (bare_sensor_data("<"), True),
        (bare_sensor_data(">"), True),
        (b"II*\0\x10\0\0\0CR\2\0", True),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", True),
        (b"FUJIFILMCCD-RAW 0201", True),
        (b"IIRO\x08\0\0\0", True),
        (b"IIU\0\x18\0\0\0", True),
        (plain_tiff(), False),
        (shot(), False),
        (b"", False),
        (b"II*\0", False),
        (b"II*\0\xff\xff\xff\xff", False),
        (b"II*\0\x08\0\0\0\xff\xff", False),
        (b"hello, world, this is text", False),
    ],
)
def test_a_raw_is_told_by_its_content(data, expected):
    file = io.BytesIO(data)
    assert is_raw(file) is expected
    assert file.tell() == 0


def test_a_raw_of_which_only_a_sub_directory_shows_the_sensor():
    """Nikon and Sony: the first directory is a small RGB picture, and nothing there says that it is a RAW."""
    for previews in ((), (shot(),)):
        data = dng(*previews).replace((50706).to_bytes(2, "little"), (50705).to_bytes(2, "little"))
        assert is_raw(io.BytesIO(data))
        without = data.replace((32803).to_bytes(2, "little"), (2).to_bytes(2, "little"))
        assert not is_raw(io.BytesIO(without))


@pytest.mark.parametrize("large_first", [True, False])
@pytest.mark.parametrize("order", "<>")
def test_the_largest_preview_is_taken(tmp_path, large_first, order):
    previews = [shot(), shot((160, 120), "green")]
    data = dng(*(previews if large_first else previews[::-1]), order=order)
    (tmp_path / "a.dng").write_bytes(data)
    for image in (data, tmp_path / "a.dng"):
        assert size_of(read_preview(image)) == (320, 240)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_raw_says_how_its_preview_is_turned(orientation):
    assert read_preview(dng(shot(), orientation=orientation)).orientation == orientation


def test_a_preview_that_stands_upright_already_is_not_turned_again():
    assert read_preview(dng(shot((240, 320)), orientation=6)).orientation == 1
    assert (
        read_preview(dng(shot((240, 320)), orientation=3)).orientation == 3
    )  # not a quarter: nothing to see
    assert read_preview(dng(shot((240, 320)), size=(48, 64), orientation=6)).orientation == 6


def test_a_plain_thumbnail_that_is_large_enough_will_do():
    preview = read_preview(dng(thumbnail=(200, 150), orientation=8))
    assert (preview.picture.shape, preview.orientation) == ((200, 150, 3), 1)  # turned already
    assert preview.picture[0, 0].tolist() == [255, 0, 0]


def test_a_thumbnail_that_promises_more_than_there_is_does_no_harm():
    """LibRaw gives an array of 65,292 rows then, with 576 bytes behind it; reading it killed the process."""
    rows = [(12).to_bytes(4, "little"), (65_292).to_bytes(4, "little")]
    data = dng().replace(b"\x01\x01\x04\0\x01\0\0\0" + rows[0], b"\x01\x01\x04\0\x01\0\0\0" + rows[1], 1)
    assert data != dng()
    picture = read_preview(data).picture
    assert int(picture.sum()) == 16 * 12 * 255  # what is there is red, the rest is nothing


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (dng(), "RAW without a preview"),  # 16 × 12 pixels show nothing
        (dng(thumbnail=None), "RAW without a preview"),
        (b"FUJIFILMCCD-RAW 0201" + b"\0" * 400, "unreadable image"),
    ],
)
def test_a_raw_with_nothing_to_show_says_why(data, reason):
    with pytest.raises(NoPreview) as caught:
        read_preview(data)
    assert caught.value.reason == reason


def test_without_its_package_a_raw_says_what_to_install_and_its_tags_are_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(NoPreview, match=r"pip install 'cartolina\[raw\]'") as caught:
        read_preview(dng(shot()))
    assert caught.value.reason == LACKING == "needs cartolina[raw]"
    assert read_metadata(dng(shot(), gps=(41, -2))).place == Place(41, -2)
    assert read_metadata(dng(shot(), taken="")) == PhotoMetadata()


@pytest.mark.parametrize("order", "<>")
def test_metadata_come_from_the_raws_own_tags(tmp_path, order):
    data = dng(
        shot(exif=exif(taken="1999:01:01 00:00:00")),
        orientation=6,
        gps=(-41, 2),
        xmp=xmp(subjects("peak") + descriptions(x_default="At the top")),
        iptc=iptc((2, 25, b"snow")),
        order=order,
    )
    (tmp_path / "a.nef").write_bytes(data)
    for image in (data, tmp_path / "a.nef"):
        found = read_metadata(image)
        assert (found.place, str(found.taken)) == (Place(-41, 2), "2019-07-04 12:34:56")
        assert (found.captions, found.tags) == (("At the top",), ("peak", "snow"))
        assert (found.orientation, found.problems) == (6, ())


@pytest.mark.parametrize("letters", [b"IIRO", b"IIRS", b"IIU\0"])
def test_tags_of_makers_with_letters_of_their_own(letters):
    """Olympus and Panasonic: TIFF in all but its second word."""
    assert read_metadata(letters + dng(shot(), gps=(41, 2))[4:]).place == Place(41, 2)


def test_where_the_raw_has_no_date_its_preview_is_asked():
    """As in Fuji's and Canon's newest, whose own structure is not TIFF's."""
    camera = exif((41, 0, 0), (2, 0, 0), taken="2020:01:02 03:04:05")
    data = dng(jpeg(exif=camera, iptc=iptc((2, 25, b"snow")), size=(320, 240)), taken="")
    found = read_metadata(data)
    assert (found.place, found.tags) == (Place(41, 2), ("snow",))
    assert str(found.taken) == "2020-01-02 03:04:05"


def test_what_libraw_knows_is_asked_last_and_its_zero_is_no_date(monkeypatch):
    """A RAW whose tags we cannot read: the date is LibRaw's, who can."""
    monkeypatch.setattr("cartolina.datasets.metadata._LIKE_TIFF", ())
    assert str(read_metadata(dng(shot())).taken) == "2019-07-04 12:34:56"
    assert read_metadata(dng(shot(), taken="")).taken is None


def test_damaged_tags_of_a_raw_cost_only_themselves():
    data = bytearray(dng(shot()))
    for at in (b"\xff\xff\xff\x7f", b"\x04\0\0\0"):
        assert read_metadata(b"IIU\0" + at + bytes(data[8:])).place is None
