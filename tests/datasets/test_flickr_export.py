import json
from datetime import datetime

import pytest
from export_files import flickr, lay, pack

from cartolina.datasets import open_dataset
from cartolina.datasets.flickr_export import _is_file_name
from cartolina.errors import InputError
from cartolina.post import Place
from photo_files import jpeg


def read(path, how="flickr-export"):
    skipped = []
    posts = {post.id: post for post in open_dataset(path, how).posts(on_skip=skipped.append)}
    return posts, sorted((one.where, one.reason) for one in skipped)


def zipped(tmp_path):
    for name, files in flickr().items():
        pack(tmp_path / name, files)
    return tmp_path


def one_zip(tmp_path):
    return zipped(tmp_path) / "data-download-2.zip"


def flat(tmp_path):
    for files in flickr().values():
        lay(tmp_path, files)
    return tmp_path


def folder_a_zip(tmp_path):
    for name, files in flickr().items():
        lay(tmp_path / name.removesuffix(".zip"), files)
    return tmp_path


def account_unpacked(tmp_path):
    account, *parts = flickr().items()
    lay(tmp_path / "flickr_metadata", account[1])
    for name, files in parts:
        pack(tmp_path / name, files)
    return tmp_path


@pytest.mark.parametrize("make", [zipped, one_zip, flat, folder_a_zip, account_unpacked])
def test_it_is_the_same_however_it_lies(tmp_path, make):
    path = make(tmp_path)
    dataset = open_dataset(path)
    assert (dataset.format, dataset.stable_ids, dataset.count(None)) == ("flickr-export", True, 2)
    posts, skipped = read(path)
    assert sorted(posts) == ["48187123456", "5123456789"]
    sunset = posts["48187123456"]
    assert sunset.captions == ("Sunset at the pier", "Golden hour in Rimini & nowhere else")
    assert sunset.tags == ("New York", "pier", "Summer 2019")
    assert sunset.place == Place(44.0594, 12.5683)
    assert sunset.taken == datetime(2019, 7, 4, 18, 30)
    bare = posts["5123456789"]
    assert (bare.captions, bare.tags, bare.place, bare.taken) == ((), ("Summer 2019",), None, None)
    assert [(where.rpartition("/")[2], reason) for where, reason in skipped] == [
        ("a-film_5123456790.mp4", "video"),
        ("photo_5123456791.json", "no such image"),
    ]


@pytest.mark.parametrize(
    ("geo", "place"),
    [
        ({"latitude": 44059400, "longitude": -12568300}, Place(44.0594, -12.5683)),
        ({"latitude": "44.0594", "longitude": "12.5"}, Place(44.0594, 12.5)),
        ({"latitude": "0", "longitude": "0"}, None),
        ({"latitude": "900000000", "longitude": "0"}, "bad coordinates"),
        ([], None),
        ("", None),
    ],
)
def test_coordinates(tmp_path, geo, place):
    values = {"id": "48187123456", "geo": geo, "date_taken": "0000-00-00 00:00:00"}
    lay(tmp_path, {"albums.json": b"{}", "a_48187123456_o.jpg": jpeg()})
    lay(tmp_path, {"photo_48187123456.json": json.dumps(values).encode()})
    posts, skipped = read(tmp_path, "auto")
    expected = None if place == "bad coordinates" else place
    assert (posts["48187123456"].place, posts["48187123456"].taken) == (expected, None)
    assert [reason for _, reason in skipped] == (["bad coordinates"] if place == "bad coordinates" else [])


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("sunset_2019_48187123456_o.jpg", ["48187123456"], "48187123456"),
        ("48187123456_0123456789_o.jpg", ["48187123456"], "48187123456"),
        ("48187123456_06fe76a0d3_o.jpg", [], "48187123456"),
        ("sunset_2019_48187123456_o.jpg", [], "48187123456"),
        ("74_1234567890_o.jpg", ["74"], "74"),
        ("no-number.jpg", [], "no-number.jpg"),
    ],
)
def test_the_id_in_a_files_name(tmp_path, name, known, expected):
    pack(tmp_path / "data-download-1.zip", {name: jpeg(), **{f"photo_{one}.json": b"{}" for one in known}})
    assert list(read(tmp_path / "data-download-1.zip")[0]) == [expected]


@pytest.mark.parametrize(
    ("title", "is_name"),
    [
        ("IMG_1234", True),
        ("DSC00042", True),
        ("20190704_123456", True),
        ("2019-07-04 12.34.56", True),
        ("", True),
        ("Sunset", False),
        ("Route 66 in 1999", False),
    ],
)
def test_file_names_are_no_captions(title, is_name):
    assert _is_file_name(title) is is_name


def test_pictures_without_the_account_are_read_too(tmp_path):
    pack(tmp_path / "data-download-1.zip", {"pier_48187123456_o.jpg": jpeg()})
    assert open_dataset(tmp_path / "data-download-1.zip").format == "flickr-export"
    assert list(read(tmp_path / "data-download-1.zip")[0]) == ["48187123456"]


def test_broken_lists_cost_only_themselves(tmp_path):
    lay(tmp_path, {"albums.json": b"{", "photo_123456.json": b"[]", "a_123456_o.jpg": jpeg()})
    posts, skipped = read(tmp_path)
    assert list(posts) == ["123456"]
    assert skipped == [("123456", "bad sidecar"), ("123456", "bad sidecar")]


def test_what_is_no_export_is_refused(tmp_path):
    (tmp_path / "notes.md").touch()
    with pytest.raises(InputError, match="no export of a Flickr account"):
        open_dataset(tmp_path / "notes.md", "flickr-export")
    pack(tmp_path / "data-download-1.zip", {"holiday.jpg": jpeg(), "b_48187123456_o.jpg": jpeg()})
    assert open_dataset(tmp_path / "data-download-1.zip").format == "folder"
