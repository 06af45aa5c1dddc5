"""A RAW and its JPEG in the album: one post through all that may happen to the two files."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from tiny_world import COLOURS

from cartolina.datasets import open_dataset
from cartolina.datasets.folder import STACKED
from raw_files import dng


def shot(path, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    Image.new("RGB", (320, 240), COLOURS[colour]).save(out, "JPEG", quality=100)
    is_raw = path.suffix.lower() in (".dng", ".cr2")
    path.write_bytes(dng(out.getvalue()) if is_raw else out.getvalue())
    return path


def add(album, root):
    return album.add(open_dataset(root, "folder"))


def best(album, query):
    return album.search(query, 1)[0].id


def state(album):
    return {post.id: Path(post.image).name for post in album.posts()}


def test_a_raw_alone_is_found_by_its_preview(album, tmp_path):
    shot(tmp_path / "photos/a.cr2", "red")
    shot(tmp_path / "photos/b.jpg", "blue")
    assert add(album, tmp_path / "photos").added == 2
    assert (best(album, "red"), best(album, "blue")) == ("a.cr2", "b.jpg")
    assert add(album, tmp_path / "photos").unchanged == 2


def test_a_pair_is_one_post_and_the_report_names_the_raw_once(album, tmp_path):
    root = tmp_path / "photos"
    shot(root / "a.jpg", "red"), shot(root / "a.CR2", "blue")
    report = add(album, root)
    assert (report.added, report.skipped) == (1, {STACKED: 1})
    assert best(album, "red") == "a.jpg"
    again = add(album, root)
    assert (again.unchanged, again.skipped) == (1, {})


def test_a_changed_raw_or_sidecar_of_it_is_noticed(album, tmp_path):
    root = tmp_path / "photos"
    shot(root / "a.jpg", "red"), shot(root / "a.CR2", "red")
    add(album, root)
    (root / "a.CR2.json").write_text('{"tags": ["peak"]}')
    assert add(album, root).replaced == 1
    assert album.get("a.jpg").tags == ("peak",)
    (root / "a.CR2").write_bytes(dng(gps=(41, 2)))
    assert add(album, root).replaced == 1
    assert album.get("a.jpg").place.lat == 41


@pytest.mark.parametrize("suffix", [".jpg", ".HEIC"])
def test_when_the_jpeg_comes_later_and_goes_again_the_post_stays_the_same(album, tmp_path, suffix):
    root = tmp_path / "photos"
    raw, picture = shot(root / "2019/a.dng", "red"), root / f"2019/a{suffix}"
    add(album, root)
    album.edit(["2019/a.dng"], tags=["kept"])
    shot(picture, "blue")  # whatever its name says, a JPEG is one
    report = add(album, root)
    assert (report.added, report.replaced) == (0, 1)
    assert state(album) == {"2019/a.dng": picture.name}
    assert album.get("2019/a.dng").tags == ("kept",)
    assert album.search("blue", 1)[0].score > 0.99
    picture.unlink()
    report = add(album, root)
    assert (report.added, report.replaced) == (0, 1)
    assert state(album) == {"2019/a.dng": raw.name}
    assert album.get("2019/a.dng").tags == ("kept",)
    assert album.search("red", 1)[0].score > 0.99
    assert add(album, root).unchanged == 1


def test_a_pair_that_loses_its_jpeg_keeps_the_jpegs_id(album, tmp_path):
    root = tmp_path / "photos"
    shot(root / "a.jpg", "red"), shot(root / "a.dng", "blue")
    add(album, root)
    (root / "a.jpg").unlink()
    assert add(album, root).replaced == 1
    assert state(album) == {"a.jpg": "a.dng"}


def test_what_only_looks_alike_is_left_alone(album, tmp_path):
    root = tmp_path / "photos"
    for name in ("a.dng", "a.b.jpg", "a-1.jpg", "aa.jpg", "b/a.jpg", "a/x.jpg"):
        shot(root / name, "red")
        with (root / name).open("ab") as file:
            file.write(name.encode())  # no two have the same bytes
    assert add(album, root).added == 6
    shot(root / "a_.jpg", "blue")
    (root / "a-1.jpg").unlink()
    shot(root / "a.b.dng", "green")
    assert add(album, root).added == 1
    assert len(album) == 7  # an add forgets nothing


def test_rows_of_a_table_are_posts_each_as_it_says(album, tmp_path):
    shot(tmp_path / "a.dng", "red"), shot(tmp_path / "a.jpg", "blue")
    (tmp_path / "posts.csv").write_text("image,caption\na.dng,one\na.jpg,two\n")
    assert album.add(open_dataset(tmp_path / "posts.csv")).added == 2
    assert state(album) == {"a.dng": "a.dng", "a.jpg": "a.jpg"}


def test_in_an_archive_nothing_is_stacked(album, tmp_path):
    preview = io.BytesIO()
    Image.new("RGB", (320, 240), "blue").save(preview, "JPEG")
    archive = tmp_path / "card.zip"

    def packed(*names):
        files = {"one.dng": dng(preview.getvalue()), "one.jpg": preview.getvalue()}
        with zipfile.ZipFile(archive, "w") as zipped:
            for name in names:
                zipped.writestr(name, files[name])

    packed("one.dng")
    album.add(open_dataset(archive))
    packed("one.dng", "one.jpg")
    report = album.sync()
    assert (report.added, report.replaced, len(album)) == (1, 0, 2)
    assert (album.sync().unchanged, len(album)) == (2, 2)
