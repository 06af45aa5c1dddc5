"""What is said by hand stays, is found, and goes out again as sidecars and tables."""

import json

import pytest
from tiny_world import dataset, paint, painted

from cartolina.album.edits import Edits
from cartolina.album.sidecars import write_sidecars
from cartolina.datasets import open_dataset
from cartolina.datasets.table_files import write_table
from cartolina.datasets.xmp import parse_xmp
from cartolina.errors import InputError
from cartolina.post import Place, Post


@pytest.fixture
def filled(album, tmp_path):
    album.add(painted(tmp_path / "photos", ["red-1.png", "blue-1.png"]))
    return album


def said(name, words, **more):
    """A dataset of one red photo and what its source says of it."""
    return lambda root: dataset(root, [Post(name, paint(root / name, "red"), captions=words, **more)])


def test_edits_survive_reading_the_source_again(filled, tmp_path):
    filled.edit(["red-1.png"], tags=["#Beach", "sea"], captions=["Ida"], place=Place(44.06, 12.57))
    filled.edit(["red-1.png"], not_captions=["a red thing"], not_tags=["Sea"])
    newer = said("red-1.png", ("a red thing", "newer"), tags=("sand", "SEA"), place=Place(1, 2))
    filled.add(newer(tmp_path / "photos"))
    post = filled.get("red-1.png")
    assert post.captions == ("newer", "Ida")
    assert post.tags == ("sand", "Beach")
    assert post.place == Place(44.06, 12.57)
    assert filled.get("blue-1.png").tags == ()


def test_the_last_word_counts(filled):
    filled.edit(["red-1.png"], tags=["sea"])
    filled.edit(["red-1.png"], not_tags=["sea"])
    filled.edit(["red-1.png"], tags=["sea"], place=Place(1, 1))
    filled.edit(["red-1.png"], place=Place(2, 2))
    ((post, edits),) = filled.edited()
    assert (post.tags, post.place) == (("sea",), Place(2, 2))
    assert edits == Edits(tags=("sea",), place=Place(2, 2))


def test_edited_posts_are_found_by_filters(filled):
    filled.edit(["blue-1.png"], tags=["Föhn"], place=Place(41.38, 2.17))
    assert [hit.id for hit in filled.search("tag:föhn")] == ["blue-1.png"]
    assert [hit.id for hit in filled.search("near:41.38,2.17")] == ["blue-1.png"]


@pytest.mark.parametrize(
    ("edits", "tells"),
    [
        ({}, "nothing to edit"),
        ({"tags": ["# "]}, "empty"),
        ({"tags": ["Sea"], "not_tags": ["#sea"]}, "'sea' cannot be put on and taken off"),
        ({"captions": ["x"], "not_captions": ["x"]}, "cannot be put on and taken off"),
    ],
)
def test_edits_that_make_no_sense_are_refused(filled, edits, tells):
    with pytest.raises(InputError, match=tells):
        filled.edit(["red-1.png"], **edits)


def test_an_unknown_id_edits_nothing(filled):
    with pytest.raises(InputError, match=r"did you mean 'red-1\.png'"):
        filled.edit(["blue-1.png", "red-11.png"], tags=["x"])
    assert list(filled.edited()) == []


def export(album, **options):
    return write_sidecars(album.edited(), copies_in=album.path / "pictures", **options)


def test_sidecars_lie_beside_their_photos_and_are_merged(filled, tmp_path):
    photos = tmp_path / "photos"
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    filled.edit(["red-1.png", "blue-1.png"], tags=["sea"])
    dry = export(filled, dry_run=True)
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before
    first = export(filled)
    assert first.written == dry.written == [photos / "red-1.png.xmp", photos / "blue-1.png.xmp"]
    assert parse_xmp((photos / "red-1.png.xmp").read_bytes()).tags == ("sea",)
    assert export(filled).unchanged == 2
    (photos / "red-1.png.xmp").rename(photos / "red-1.xmp")
    filled.edit(["red-1.png"], not_tags=["sea"], captions=["Ida"])
    assert export(filled).written == [photos / "red-1.xmp"]
    read = parse_xmp((photos / "red-1.xmp").read_bytes())
    assert (read.tags, read.captions) == ((), ("Ida",))
    assert {name: (photos / name).read_bytes() for name in before} == before
    assert next(iter(filled.add(open_dataset(photos)).skipped), None) is None


def test_what_cannot_be_written_is_named_and_left_alone(filled, tmp_path):
    photos = tmp_path / "photos"
    came = dataset(tmp_path / "zip", [Post("zipped", (photos / "red-1.png").read_bytes() + b"x")])
    filled.add(came)
    filled.edit(["red-1.png", "blue-1.png", "zipped"], tags=["sea"])
    (photos / "red-1.png.xmp").write_text("not XML")
    (photos / "blue-1.png").unlink()
    report = export(filled)
    assert report.written == []
    assert [reason.partition(":")[0] for _, reason in report.skipped] == [
        "its sidecar cannot be read, it was left alone",
        "the picture is not there",
        "came in an archive",
    ]
    assert (photos / "red-1.png.xmp").read_text() == "not XML"
    assert sum(report.reasons.values()) == 3
    elsewhere = export(filled, into=tmp_path / "out")
    assert len(elsewhere.written) == 3
    assert (tmp_path / "out" / (photos / "red-1.png.xmp").relative_to("/")).is_file()


def test_taking_off_makes_no_sidecar(filled):
    filled.edit(["red-1.png"], not_tags=["sea"])
    assert export(filled).written == []


def unsplit(posts):
    return ((post, "") for post in posts)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_table_is_read_back_as_the_same_posts(album, tmp_path, suffix):
    photos = tmp_path / "photos"
    posts = [
        Post(
            "one", paint(photos / "1.png", "red"), ("a, b", 'c "d"'), ("New York", "sea"), Place(1.5, -2.25)
        ),
        Post("two", paint(photos / "2.png", "blue"), (), (), None, None, ("x", "y")),
        Post("three", paint(photos / "3.png", "green"), ("only",), ("ein Wort",)),
    ]
    album.add(dataset(photos, posts))
    assert write_table(tmp_path / f"posts{suffix}", unsplit(album.posts()), total=3) == 3
    back = list(open_dataset(tmp_path / f"posts{suffix}").posts())
    assert back == list(album.posts())


def test_a_table_is_whole_or_not_there(filled, tmp_path):
    def broken():
        yield next(filled.posts())
        raise OSError(28, "No space left on device")

    (tmp_path / "posts.csv").write_text("old")
    with pytest.raises(OSError, match="No space"):
        write_table(tmp_path / "posts.csv", unsplit(broken()))
    assert (tmp_path / "posts.csv").read_text() == "old"
    assert [path.name for path in tmp_path.glob(".*.tmp")] == []
    with pytest.raises(InputError, match=r"\.csv, \.tsv, \.jsonl, \.parquet"):
        write_table(tmp_path / "posts.xlsx", [])


def test_a_large_table_is_written_in_parts(album, tmp_path, monkeypatch):
    monkeypatch.setattr("cartolina.datasets.table_files.ROWS_AT_A_TIME", 2)
    posts = [Post(str(n), tmp_path / "x.png", (json.dumps(n),)) for n in range(5)]
    write_table(tmp_path / "posts.parquet", unsplit(posts))
    from pyarrow import parquet

    assert parquet.read_table(tmp_path / "posts.parquet")["id"].to_pylist() == ["0", "1", "2", "3", "4"]
