"""From pictures on disk to answers, with the real backbone and the real sentence encoder."""

from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

import cartolina
from cartolina.album import build as build_module
from cartolina.errors import InputError, UnknownName
from cartolina.learn import conse
from cartolina.learn.recipes import FAST, RECIPES
from cartolina.vision import efficientnet

COLOURS = ["red", "green", "blue", "yellow", "white"]
SHAPES = ["circle", "square", "triangle"]


def draw(path, colour, shape, number):
    picture = Image.new("RGB", (96, 96), (40 + number, 40, 60))
    pen = ImageDraw.Draw(picture)
    left, top = 10 + number % 7, 12 + number % 5
    if shape == "circle":
        pen.ellipse((left, top, left + 60, top + 60), fill=colour)
    elif shape == "square":
        pen.rectangle((left, top, left + 60, top + 60), fill=colour)
    else:
        pen.polygon([(left, top + 60), (left + 60, top + 60), (left + 30, top)], fill=colour)
    picture.save(path, quality=92)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(75):
        colour, shape = COLOURS[number % 5], SHAPES[number % 3]
        draw(folder / f"{number:02}.jpg", colour, shape, number)
        (folder / f"{number:02}.txt").write_text(f"a {colour} {shape} on a dark ground")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    return folder


def without_words(photos):
    for words in photos.glob("*.txt"):
        words.unlink()


@pytest.fixture(autouse=True)
def short_learning(monkeypatch):
    small = replace(FAST, heads=1, hidden=64, dim=32, steps=40, validate_every=10)
    monkeypatch.setitem(RECIPES, "fast", small)
    # One short sentence a class: thousands of words encoded anew for each test bring nothing.
    monkeypatch.setattr(conse, "imagenet_sentences", lambda names: [[f"a {name}"] for name in names])


class Said:
    """A progress that keeps what is said."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, name):
        return getattr(cartolina.progress.SILENT, name)

    def say(self, line):
        self.lines.append(line)


def test_learns_from_the_captions_and_finds_by_them(photos, tmp_path):
    said = Said()
    with cartolina.build(photos, tmp_path / "album", progress=said) as album:
        about = album.info()
        assert about["posts"] == 75
        assert about["space"]["how"] == "contrastive"
        assert [one.name for one in album.actions()] == ["build"]
        assert "held-out photos" in about["space"]["why"]
        assert about["space"]["learned_from"] == {"posts": 68, "captions": 68}
        hits = list(album.search("a red circle", k=5))
        assert all("red" in hit.post.text for hit in hits[:3])
        assert "broken" in (album.path / "runs" / "skipped.jsonl").read_text()
    assert any("folder" in line for line in said.lines)  # which format was taken, and why
    assert any("Skipped or noted 1 ×" in line for line in said.lines)
    assert any(line.startswith("Device: ") and "auto" in line for line in said.lines)
    assert not (tmp_path / "album" / "tmp" / "spaces").exists()
    (run,) = (tmp_path / "album" / "runs").glob("learn-*")
    assert [path.name for path in run.iterdir()] == ["curve.jsonl"]


def test_without_words_the_class_names_stand_in_and_info_says_so(photos, tmp_path):
    without_words(photos)
    with cartolina.build(photos, tmp_path / "album") as album:
        space = album.info()["space"]
        assert (space["how"], space["language"]) == ("conse", "English")
        assert "no posts have words" in space["why"]
        assert len(list(album.search("a traffic light", k=4))) == 4


def test_a_learnt_space_that_finds_less_is_not_taken(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(build_module._Learning, "_recall", lambda *_: 101.0)
    with cartolina.build(photos, tmp_path / "album") as album:
        space = album.info()["space"]
    assert space["how"] == "conse"
    assert "finds less" in space["why"]


def test_goes_on_after_it_was_stopped_and_infers_nothing_again(photos, tmp_path, monkeypatch):
    def stopped(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(build_module._Learning, "space", stopped)
        with pytest.raises(KeyboardInterrupt):
            cartolina.build(photos, tmp_path / "album")
    backbone = efficientnet.efficientnet_lite("efficientnet-lite0")

    def no_inference(self, pixels):
        raise AssertionError("features were computed again")

    monkeypatch.setattr(type(backbone), "__call__", no_inference)
    with cartolina.build(photos, tmp_path / "album") as album:
        assert len(album) == 75


def test_an_album_takes_in_what_is_new_and_learns_again(photos, tmp_path):
    later = tmp_path / "later"
    later.mkdir()
    for words in photos.glob("*.txt"):
        words.rename(later / words.name)
    with cartolina.build(photos, tmp_path / "album") as album:
        first = album.space
        assert first.info["how"] == "conse"
    for words in later.glob("*.txt"):
        words.rename(photos / words.name)
    draw(photos / "new.jpg", "red", "circle", 3)
    with cartolina.build(photos, tmp_path / "album") as album:
        assert len(album) == 76
        assert album.space.info["learned_from"]["posts"] > 0
        assert album.space.folder != first.folder
        assert first.folder.exists()  # the former space stays


@pytest.mark.parametrize(
    ("option", "nearest"),
    [
        ({"quality": "fst"}, "fast"),
        ({"objective": "contrastiv"}, "contrastive"),
        ({"text": "minilmm"}, "minilm"),
        ({"backbone": "efficientnet-lite1"}, "efficientnet-lite0"),
        ({"format": "floder"}, "folder"),
    ],
)
def test_an_unknown_name_is_told_before_any_work(photos, tmp_path, option, nearest):
    with pytest.raises(UnknownName, match=nearest):
        cartolina.build(photos, tmp_path / "album", **option)
    assert not (tmp_path / "album").exists()


def test_a_source_without_a_readable_picture_is_an_error_that_says_why(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match="1 × not an image"):
        cartolina.build(folder, tmp_path / "album")


def test_post_tags_stand_in_for_missing_captions():
    post = cartolina.Post("1", tags=("sea", "boat"))
    assert post.words == ("sea boat",)
    assert replace(post, captions=(" ", "a boat")).words == ("a boat",)
    assert cartolina.Post("2").words == ()
