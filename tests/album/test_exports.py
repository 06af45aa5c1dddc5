"""Account exports in an album: found with all that was said of them, and cheap to read again."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image
from tiny_world import COLOURS

from cartolina.album import intake
from cartolina.datasets import archive, open_dataset
from cartolina.post import Place

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets"))
from export_files import PHOTOS, YEAR, album, flickr, google, instagram, pack

STAMP = "takeout-20240101T000000Z"


def picture(colour, size=(24, 24)):
    file = io.BytesIO()
    Image.new("RGB", size, COLOURS.get(colour, colour)).save(file, "PNG")
    return file.getvalue()


def files():
    red = picture("red")
    sunset = google("red.png", "Sunset over the pier", geo=(44.06, 12.57), people=[{"name": "Anna"}])
    return {
        f"{YEAR}/red.png": red,
        f"{YEAR}/red.png.supplemental-metadata.json": sunset,
        f"{YEAR}/blue.png": picture("blue"),
        f"{YEAR}/blue.png.supplemental-metadata.json": google("blue.png", "The sea"),
        f"{YEAR}/broken.png": b"no picture",
        f"{PHOTOS}/Rimini/metadata.json": album("Rimini"),
        f"{PHOTOS}/Rimini/red.png": red,
        f"{PHOTOS}/Rimini/red.png.supplemental-metadata.json": sunset,
    }


@pytest.fixture
def zipped(tmp_path):
    return pack(tmp_path / f"{STAMP}-001.zip", files())


@pytest.mark.parametrize("kind", ["zip", "tgz", "folder"])
def test_a_takeout_is_found_with_its_words_place_date_and_albums(album, tmp_path, kind):
    path = tmp_path / f"{STAMP}-001.{kind}"
    if kind == "folder":
        for name, data in files().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    else:
        pack(path, files())
    report = album.add(open_dataset(path))
    assert (report.added, report.copies, dict(report.skipped)) == (2, 1, {"not an image": 1})
    post = album.get("Photos from 2019/red.png")
    assert post.captions == ("Sunset over the pier",)
    assert set(post.tags) == {"Anna", "Rimini"}
    assert (post.place, post.taken.year) == (Place(44.06, 12.57), 2019)
    assert post.image.read_bytes() == picture("red")
    assert next(iter(album.search("red", 1))).id == post.id
    assert [hit.id for hit in album.search("red tag:Rimini", 5)] == [post.id]
    assert [hit.id for hit in album.search("red near:44.06,12.57", 5)] == [post.id]
    kept = list((album.path / "pictures").glob("*")) if kind != "folder" else [1, 2]
    assert len(kept) == 2  # each picture once, none that is not shown


def test_an_archive_that_did_not_change_is_not_read_again(album, zipped, monkeypatch):
    album.add(open_dataset(zipped))
    looked = []
    truly = archive._Zip.read
    monkeypatch.setattr(
        archive._Zip,
        "read",
        lambda part, file, largest: looked.append(file.name) or truly(part, file, largest),
    )
    report = album.sync()
    assert (report.unchanged, report.added, report.offline) == (3, 0, 0)
    assert looked == ["broken.png"]  # it is not in the album, and may be whole now
    looked.clear()
    changed = files() | {f"{YEAR}/blue.png.supplemental-metadata.json": google("blue.png", "A lake")}
    pack(zipped, changed)
    report = album.sync()
    assert (report.replaced, report.unchanged) == (1, 2)
    assert album.get("Photos from 2019/blue.png").captions == ("A lake",)
    assert sorted(looked) == ["blue.png", "blue.png.supplemental-metadata.json", "broken.png"]


def test_a_second_part_adds_what_it_has(album, tmp_path):
    names = list(files())
    first = {name: files()[name] for name in names if not name.endswith(".json")}
    second = {name: files()[name] for name in names if name.endswith(".json")}
    one = pack(tmp_path / f"{STAMP}-001.zip", first)
    album.add(open_dataset(one))
    assert album.get("Photos from 2019/red.png").captions == ()
    pack(tmp_path / f"{STAMP}-002.zip", second)
    album.add(open_dataset(one))
    assert album.get("Photos from 2019/red.png").captions == ("Sunset over the pier",)
    assert len(album) == 2


def test_pictures_stay_when_the_archive_or_a_part_of_it_is_gone(album, tmp_path):
    names = list(files())
    for number in (1, 2, 3):
        some = {name: files()[name] for name in names[number - 1 :: 3]}
        pack(tmp_path / f"{STAMP}-{number:03}.zip", some)
    album.add(open_dataset(tmp_path))
    (tmp_path / f"{STAMP}-002.zip").unlink()
    report = album.sync()
    assert (report.offline, report.skipped["missing part"], len(album)) == (0, 1, 2)
    cut = tmp_path / f"{STAMP}-001.zip"
    cut.write_bytes(cut.read_bytes()[:100])
    report = album.sync()
    assert (report.offline, report.skipped["damaged archive"], len(album)) == (0, 1, 2)


def test_flickr_and_instagram_come_in_under_their_own_ids(album, tmp_path):
    for name, some in flickr().items():
        pack(tmp_path / "flickr" / name, some)
    report = album.add(open_dataset(tmp_path / "flickr"))
    assert (report.added, "48187123456" in album) == (2, True)
    report = album.add(open_dataset(pack(tmp_path / "instagram-me-2024.zip", instagram())))
    assert report.added == 6
    assert album.get("media/posts/202307/1.jpg").captions == ("Café am Meer 🌊 #mare",)


def test_a_full_disk_stops_the_work(album, zipped, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(intake, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        album.add(open_dataset(zipped))


def test_no_picture_is_held_while_others_are_read(album, tmp_path, monkeypatch):
    """Of a tar, which cannot be listed, each picture is on disk before the next is read."""
    held = []
    monkeypatch.setattr(intake, "write_bytes", lambda path, data: held.append(path) or path.write_bytes(data))
    many = {f"{YEAR}/{at}.png": picture((at, at, at)) for at in range(6)}
    dataset = open_dataset(pack(tmp_path / f"{STAMP}-001.tgz", many))
    seen = []
    visit = intake.Visit(1)
    for post in intake._arrivals(dataset, None, visit, tmp_path / "pictures", print):
        seen.append(isinstance(post.image, Path))
        assert len(held) == len(seen)
    assert seen == [True] * 6


def test_a_removed_picture_is_left_out_and_its_copy_goes_with_what_could_bring_it_back(album, zipped):
    album.add(open_dataset(zipped))
    album.remove(["Photos from 2019/blue.png"])
    assert album.sync().added == 0
    assert len(album) == 1
    assert len(list((album.path / "pictures").iterdir())) == 2, "undo could bring it back"
    album.forget_history()
    assert len(list((album.path / "pictures").iterdir())) == 1


def test_pictures_out_of_archives_are_looked_at_for_duplicates(album, tmp_path, monkeypatch):
    noise = Image.effect_noise((160, 120), 90).convert("RGB")
    pictures = {}
    for name, size in (("large", (160, 120)), ("small", (80, 60))):
        file = io.BytesIO()
        noise.resize(size).save(file, "PNG")
        pictures[f"{YEAR}/{name}.png"] = file.getvalue()
        pictures[f"{PHOTOS}/Rimini/{name}.png"] = file.getvalue()
    album.add(open_dataset(pack(tmp_path / f"{STAMP}-001.zip", pictures)))
    monkeypatch.chdir(tmp_path)  # whatever folder the command is given in
    found = album.duplicates()
    assert found.unseen == ()
    (group,) = found.groups
    assert [group.best.post.id, *(other.post.id for other in group.others)] == [
        "Photos from 2019/large.png",
        "Photos from 2019/small.png",
    ]
    assert [path.exists() for path in group.best.copies] == [True]


def test_pictures_out_of_archives_pass_the_filters_as_they_lay_there(album, zipped):
    album.add(open_dataset(zipped))
    assert len(album.search("type:png", k=10)) == len(album) == 2
    assert [hit.id for hit in album.search("folder:Rimini", k=10)] == ["Photos from 2019/red.png"]
    assert len(album.search('folder:"photos from 2019" -type:jpg', k=10)) == 2
    assert len(album.search("folder:pictures", k=10)) == 0
