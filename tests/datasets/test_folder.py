import json
import os
import socket
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from photo_files import descriptions, dms, exif, iptc, subjects, write, xmp

from cartolina.datasets import Skipped, open_dataset
from cartolina.datasets.walk import natural
from cartolina.errors import InputError, UnknownName
from cartolina.post import Place

TAKEOUT = {
    "title": "a.jpg",
    "description": "From Takeout",
    "photoTakenTime": {"timestamp": "1562236496", "formatted": "4 Jul 2019"},
    "geoData": {"latitude": 41.38, "longitude": 2.17, "altitude": 0.0},
}


def read(root, **options):
    skipped = []
    posts = {post.id: post for post in open_dataset(root, "folder", **options).posts(on_skip=skipped.append)}
    return posts, skipped


def test_a_tree_in_natural_order_without_what_is_hidden_or_no_picture(tmp_path):
    names = ["IMG_10.JPG", "IMG_2.jpg", "b/1.png", "a/9.jpeg", "a/10.webp", "a/deep/er/x.tiff"]
    passed_over = [".hidden.jpg", ".thumbs/t.jpg", "notes.md", "code.ts", "a/b.txt", "jpg", "x.jpg.part"]
    for name in names + passed_over:
        write(tmp_path / name)
    (tmp_path / "folder.jpg").mkdir()
    posts, skipped = read(tmp_path)
    assert list(posts) == ["a/9.jpeg", "a/10.webp", "a/deep/er/x.tiff", "b/1.png", "IMG_2.jpg", "IMG_10.JPG"]
    assert posts["b/1.png"].image == tmp_path / "b/1.png"
    assert skipped == []
    dataset = open_dataset(tmp_path, "folder")
    assert (dataset.count(None), dataset.splits, dataset.stable_ids) == (6, (), False)


@given(st.lists(st.text(max_size=6)))
@example(["m².jpg", "m2.jpg", "٣.jpg", "", "2"])
def test_any_names_can_be_ordered(names):
    backwards = names[::-1]
    assert sorted(names, key=natural) == sorted(backwards, key=natural)


def test_what_is_embedded_becomes_the_post(tmp_path):
    write(
        tmp_path / "a.jpg",
        exif=exif(dms(41.5), dms(2.25), taken="2019:07:04 12:34:56"),
        xmp=xmp(subjects("beach") + descriptions(x_default="Evening at the #sea")),
        iptc=iptc((2, 25, b"sand"), (2, 120, b"Evening at the #sea"), (2, 105, b"Summer")),
    )
    post = read(tmp_path)[0]["a.jpg"]
    assert post.captions == ("Evening at the #sea", "Summer")
    assert post.tags == ("beach", "sand", "sea")
    assert post.place == Place(41.5, 2.25)
    assert post.taken == datetime(2019, 7, 4, 12, 34, 56)
    assert post.labels == ()


@pytest.mark.parametrize("stem", ["a.jpg", "a", "A.JPG"])
def test_sidecars_by_either_name(tmp_path, stem):
    write(tmp_path / "a.jpg", xmp=xmp(descriptions(x_default="inside")))
    (tmp_path / f"{stem}.txt").write_text("A text\non two lines #sun")
    (tmp_path / f"{stem}.json").write_text(
        json.dumps({"caption": "A json", "tags": ["x"], "lat": 1, "lng": 2})
    )
    (tmp_path / f"{stem}.xmp").write_bytes(xmp(subjects("y") + descriptions(x_default="An xmp")))
    posts, skipped = read(tmp_path)
    assert posts["a.jpg"].captions == ("A text on two lines #sun", "A json", "An xmp", "inside")
    assert posts["a.jpg"].tags == ("x", "y", "sun")
    assert posts["a.jpg"].place == Place(1, 2)
    assert (len(posts), skipped) == (1, [])


def test_google_takeout_beside_the_photo(tmp_path):
    write(tmp_path / "a.jpg")
    write(tmp_path / "b.jpg")
    (tmp_path / "a.jpg.json").write_text(json.dumps(TAKEOUT))
    nowhere = TAKEOUT | {"geoData": {"latitude": 0.0, "longitude": 0.0}}
    (tmp_path / "b.jpg.json").write_text(json.dumps(nowhere))
    posts, skipped = read(tmp_path)
    assert posts["a.jpg"].captions == ("From Takeout",)
    assert posts["a.jpg"].place == Place(41.38, 2.17)
    assert posts["a.jpg"].taken == datetime(2019, 7, 4, 10, 34, 56, tzinfo=UTC)
    assert (posts["b.jpg"].place, skipped) == (None, [])


def test_a_latin_1_text_beside_the_photo(tmp_path):
    write(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_bytes("Un café".encode("latin-1"))
    assert read(tmp_path)[0]["a.jpg"].text == "Un café"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"[1, 2]"),
        ("a.json", b"{"),
        ("a.json", b"[" * 100_000),
        ("a.xmp", b"<x"),
        ("a.xmp", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
        ("a.txt", b"x" * (9 << 20)),
    ],
)
def test_a_bad_sidecar_costs_only_itself(tmp_path, name, content):
    write(tmp_path / "a.jpg", iptc=iptc((2, 25, b"kept")))
    (tmp_path / name).write_bytes(content)
    posts, skipped = read(tmp_path)
    assert posts["a.jpg"].tags == ("kept",)
    assert [(one.where, one.reason) for one in skipped] == [("a.jpg", "bad sidecar")]


def test_a_bad_place_costs_only_itself(tmp_path):
    write(tmp_path / "a.jpg", exif=exif(dms(95), dms(0)), iptc=iptc((2, 25, b"kept")))
    posts, skipped = read(tmp_path)
    assert (posts["a.jpg"].place, posts["a.jpg"].tags) == (None, ("kept",))
    assert [one.reason for one in skipped] == ["bad coordinates"]


def test_a_file_that_is_no_picture_is_left_for_the_decoder_to_find(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    assert list(read(tmp_path)[0]) == ["a.jpg"]


def test_videos_are_counted(tmp_path):
    write(tmp_path / "a.jpg")
    for name in ("MVI_1.MOV", "b/film.mp4", ".hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    posts, skipped = read(tmp_path)
    assert list(posts) == ["a.jpg"]
    assert [(one.where, one.reason) for one in skipped] == [("b/film.mp4", "video"), ("MVI_1.MOV", "video")]


def test_a_pipe_a_socket_and_a_loop_named_like_photos_are_not_opened(tmp_path, monkeypatch):
    write(tmp_path / "a.jpg")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        (tmp_path / "link.jpg").symlink_to("pipe.jpg")
        (tmp_path / "round.jpg").symlink_to("round.jpg")
        posts, skipped = read(tmp_path)
    assert list(posts) == ["a.jpg"]
    assert [(one.where, one.reason) for one in skipped] == [
        ("link.jpg", "not a regular file"),
        ("pipe.jpg", "not a regular file"),
        ("round.jpg", "no such image"),
        ("socket.png", "not a regular file"),
    ]


def test_links(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    write(outside / "secret.jpg")
    write(root / "sub/a.jpg")
    (root / "inside.jpg").symlink_to("sub/a.jpg")
    (root / "again").symlink_to("sub")
    (root / "loop").symlink_to(".")
    (root / "away.jpg").symlink_to(outside / "secret.jpg")
    (root / "away").symlink_to("../outside")
    (root / "broken.jpg").symlink_to("nothing.jpg")
    (root / "notes.txt").symlink_to(outside / "secret.jpg")
    posts, skipped = read(root)
    assert list(posts) == ["inside.jpg", "sub/a.jpg"]
    assert [(one.where, one.reason) for one in skipped] == [
        ("away", "link leaves the folder"),
        ("away.jpg", "link leaves the folder"),
        ("broken.jpg", "no such image"),
    ]


def test_sidecars_that_lead_away_or_never_end_are_not_opened(tmp_path):
    write(tmp_path / "root/a.jpg")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root/a.txt").symlink_to("../secret")
    os.mkfifo(tmp_path / "root/a.json")
    (tmp_path / "root/a.xmp").mkdir()
    posts, skipped = read(tmp_path / "root")
    assert (posts["a.jpg"].captions, skipped) == ((), [])


def test_a_link_to_a_neighbour_whose_name_begins_alike_leaves_the_tree(tmp_path):
    write(tmp_path / "root2/a.jpg")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/a.jpg").symlink_to("../root2/a.jpg")
    assert [one.reason for one in read(tmp_path / "root")[1]] == ["link leaves the folder"]


def test_the_root_itself_may_be_a_link(tmp_path):
    write(tmp_path / "real/a.jpg")
    (tmp_path / "link").symlink_to("real")
    assert list(read(tmp_path / "link")[0]) == ["a.jpg"]


def test_unreadable_folders_and_files_are_counted_and_work_goes_on(tmp_path, monkeypatch):
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        write(tmp_path / name)
    scandir, opened = os.scandir, type(tmp_path).open

    def refuse_a(path):
        if os.fspath(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    def refuse_2(path, *args, **kwargs):
        if path.name == "2.jpg":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr("os.scandir", refuse_a)
    monkeypatch.setattr(type(tmp_path), "open", refuse_2)
    posts, skipped = read(tmp_path)
    assert list(posts) == ["c/3.jpg"]
    assert skipped == [
        Skipped("a/", "unreadable folder", "Permission denied"),
        Skipped("b/2.jpg", "unreadable image", "Permission denied"),
    ]


def test_a_name_that_is_not_utf_8_is_counted(tmp_path):
    try:
        write(tmp_path / os.fsdecode(b"caf\xe9.jpg"))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    posts, skipped = read(tmp_path)
    assert posts == {}
    assert skipped == [Skipped("caf\\xe9.jpg", "bad file name", "not UTF-8: rename it")]


def test_mistakes_are_told(tmp_path):
    photo = write(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="not a folder"):
        open_dataset(photo, "folder")
    with pytest.raises(UnknownName, match="unknown split 'train'"):
        open_dataset(tmp_path, "folder").posts("train")
