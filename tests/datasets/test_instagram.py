import json
from datetime import UTC, datetime

import pytest
from export_files import instagram, lay, mangled, pack
from hypothesis import given
from hypothesis import strategies as st

from cartolina.datasets import open_dataset
from cartolina.datasets.instagram import mended
from cartolina.errors import InputError
from cartolina.post import Place
from photo_files import jpeg

HOMES = ["your_instagram_activity/media", "your_instagram_activity/content", "content"]


def read(path, how="instagram"):
    skipped = []
    posts = {post.id: post for post in open_dataset(path, how).posts(on_skip=skipped.append)}
    return posts, sorted((one.where, one.reason) for one in skipped)


def zipped(tmp_path, files):
    return pack(tmp_path / "instagram-me-2024-10-12-AbCd.zip", files)


def renamed_zip(tmp_path, files):
    return pack(tmp_path / "mine.zip", files)


def parts(tmp_path, files):
    names = list(files)
    for at in (1, 2):
        some = {name: files[name] for name in names[at - 1 :: 2]}
        pack(tmp_path / f"instagram-me-2024-10-12-part{at}.zip", some)
    return tmp_path


def unpacked(tmp_path, files):
    return lay(tmp_path / "x", files)


def unpacked_below(tmp_path, files):
    lay(tmp_path / "instagram-me-2024-10-12-AbCd", files)
    return tmp_path


LAYOUTS = [zipped, renamed_zip, parts, unpacked, unpacked_below]


@pytest.mark.parametrize("make", LAYOUTS)
@pytest.mark.parametrize("home", HOMES)
def test_it_is_the_same_however_it_lies(tmp_path, make, home):
    path = make(tmp_path, instagram(home))
    dataset = open_dataset(path)
    assert (dataset.format, dataset.stable_ids, dataset.count(None)) == ("instagram", False, 6)
    posts, skipped = read(path)
    assert {name: post.captions for name, post in posts.items()} == {
        "media/posts/202307/1.jpg": ("Café am Meer 🌊 #mare",),
        "media/posts/202307/2.jpg": ("Drei auf einmal — süß",),
        "media/posts/202307/3.jpg": ("The third", "Drei auf einmal — süß"),
        "media/posts/202308/5.webp": ("Deep",),
        "media/stories/202307/6.jpg": (),
        "media/profile/7.jpg": (),
    }
    first = posts["media/posts/202307/1.jpg"]
    assert (first.tags, first.place) == (("mare",), Place(44.06, 12.57))
    assert first.taken == datetime.fromtimestamp(1688500000, UTC)
    assert skipped == [
        ("media/posts/202307/4.mp4", "video"),
        ("media/posts/202307/missing.jpg", "no such image"),
    ]


@given(st.text())
def test_whatever_instagram_mangled_is_mended(text):
    try:
        written = mangled(text)
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return
    assert mended(written) == text


@pytest.mark.parametrize("text", ["café", "夜に駆ける", "Ã alone", "plain", "", "naïve – dash", "\ud83c"])
def test_text_that_is_right_is_left_alone(text):
    assert mended(text) == text


def test_web_pages_are_refused_with_what_to_do(tmp_path):
    files = {"your_instagram_activity/media/posts_1.html": b"<html>", "media/posts/1.jpg": jpeg()}
    with pytest.raises(InputError, match="ask Instagram for it as JSON"):
        open_dataset(zipped(tmp_path, files))
    assert len(list(open_dataset(zipped(tmp_path, files), "folder").posts())) == 1
    with pytest.raises(InputError, match="ask Instagram for it as JSON"):
        open_dataset(unpacked(tmp_path, files))


def test_broken_lists_and_hostile_paths_cost_only_themselves(tmp_path):
    listed = [
        {"media": [{"uri": "../../secret.jpg"}, {"uri": "https://x.org/a.jpg"}, {"uri": 7}, "x"]},
        {"media": [{"uri": "media/posts/1.jpg", "title": 3, "creation_timestamp": "soon"}], "title": None},
        "no post",
    ]
    files = {
        "content/posts_1.json": json.dumps(listed).encode(),
        "content/stories.json": b"{",
        "content/profile_photos.json": b"7",
        "media/posts/1.jpg": jpeg(),
    }
    (tmp_path / "secret.jpg").write_bytes(jpeg())
    posts, skipped = read(lay(tmp_path / "a" / "b", files))
    assert {name: post.captions for name, post in posts.items()} == {"media/posts/1.jpg": ()}
    assert skipped == [
        ("../../secret.jpg", "no such image"),
        ("content/stories.json", "bad sidecar"),
        ("https://x.org/a.jpg", "image is a web address"),
        ("media/posts/1.jpg", "bad date"),
    ]


def test_what_is_no_export_is_refused(tmp_path):
    (tmp_path / "notes.md").touch()
    with pytest.raises(InputError, match="no export of an Instagram account"):
        open_dataset(tmp_path / "notes.md", "instagram")
