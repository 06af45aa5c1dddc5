import json
import random
import tarfile
import tracemalloc
from datetime import datetime

import pytest
from published_files import sample, shards, tar

from cartolina.datasets import open_dataset
from cartolina.datasets.exif_text import describe_exif_text
from cartolina.errors import InputError
from cartolina.post import Place
from photo_files import jpeg

EXIF = {
    "EXIF DateTimeOriginal": "2014:07:11 12:00:01",
    "GPS GPSLatitude": "[41, 23, 617/50]",
    "GPS GPSLatitudeRef": "N",
    "GPS GPSLongitude": "[2, 10, 30]",
    "GPS GPSLongitudeRef": "W",
}


def read(path, split=None, how="auto"):
    skipped = []
    dataset = open_dataset(path, how)
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def parquet(path, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)


def row(key, **values):
    return {"jpg": jpeg(), "caption": f"A dog {key}", "key": key, "status": "success", "exif": "{}", **values}


def test_samples_of_tars_one_after_another(tmp_path):
    dataset = open_dataset(shards(tmp_path))
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("shards", (), False)
    assert dataset.why == "Recognised as shards: tars of samples, 00000.tar and 1 more."
    posts, skipped = read(tmp_path)
    assert [post.id for post in posts] == [f"0000{s}/0000{s}000{n}" for s in (0, 1) for n in range(3)]
    assert posts[4].captions == ("A dog 000010001",)
    assert (posts[4].image, posts[4].tags, posts[4].place) == (jpeg(), (), None)
    assert (skipped, dataset.count(None)) == ([], 6)


def test_one_shard_given_alone(tmp_path):
    shards(tmp_path)
    dataset = open_dataset(tmp_path / "00001.tar")
    assert (dataset.format, dataset.count(None), len(read(tmp_path / "00001.tar")[0])) == ("shards", 3, 3)
    (tmp_path / "00001_stats.json").write_text("{broken")
    assert dataset.count(None) is None


@pytest.mark.parametrize("name", ["data-000001.tar", "data-000001.tar.gz", "data-000001.tgz"])
def test_packed_or_not(tmp_path, name):
    tar(tmp_path / name, sample("a/1") + sample("a/2"))
    posts, skipped = read(tmp_path)
    assert [post.id for post in posts] == ["data-000001/a/1", "data-000001/a/2"]
    assert skipped == []


def test_a_samples_files_may_stand_in_any_order(tmp_path):
    order = random.Random(0)
    files = []
    for number in range(20):
        of_one = [
            *sample(f"{number:09}", lat=number),
            (f"{number:09}.cls", b"7\n"),
            (f"{number:09}.seg.png", b"no picture"),
        ]
        order.shuffle(of_one)
        files += of_one
    tar(tmp_path / "00000.tar", files)
    posts, skipped = read(tmp_path)
    assert [(post.captions, post.labels) for post in posts] == [
        ((f"A dog {n:09}",), ("7",)) for n in range(20)
    ]
    assert {post.image for post in posts} == {jpeg()}
    # A latitude without a longitude is no place.
    assert [reason for _, reason in skipped] == ["bad coordinates"] * 20


def test_what_img2dataset_keeps_of_exif(tmp_path):
    said = {"exif": json.dumps(EXIF), "tags": ["dog", "Park"], "label": "dogs"}
    tar(tmp_path / "00000.tar", sample("1", **said))
    (post,), skipped = read(tmp_path)
    assert post.place == Place(41 + 23 / 60 + 12.34 / 3600, -(2 + 10 / 60 + 30 / 3600))
    assert post.taken == datetime(2014, 7, 11, 12, 0, 1)
    assert (post.tags, post.labels, skipped) == (("dog", "Park"), ("dogs",), [])


@pytest.mark.parametrize(
    ("exif", "reasons"),
    [
        ("{", ["bad metadata"]),
        ([1], []),
        (None, []),
        ({**EXIF, "GPS GPSLatitude": "[1/0, 2, 3]"}, ["bad coordinates"]),
        ({**EXIF, "GPS GPSLatitude": "[99, 2, 3]"}, ["bad coordinates"]),
        ({**EXIF, "GPS GPSLatitude": "north"}, ["bad coordinates"]),
        ({**EXIF, "GPS GPSLatitudeRef": ""}, ["bad coordinates"]),
        ({**EXIF, "GPS GPSLatitude": "[]"}, []),
        ({**EXIF, "GPS GPSLatitude": 7}, []),
        ({"Image DateTime": "yesterday"}, ["bad date"]),
        ({"EXIF DateTimeOriginal": "0000:00:00 00:00:00"}, []),
    ],
)
def test_exif_that_makes_no_sense(exif, reasons):
    metadata = describe_exif_text(exif)
    assert [reason for reason, _ in metadata.problems] == reasons
    assert metadata.place is None


def test_splits_by_name_or_by_folder(tmp_path):
    for name in ("cc3m-train-0000.tar", "cc3m-train-0001.tar", "cc3m-val-0000.tar"):
        tar(tmp_path / "a" / name, sample("1"))
    for name in ("train/00000.tar", "test/00000.tar"):
        tar(tmp_path / "b" / name, sample("1"))
    dataset = open_dataset(tmp_path / "a")
    assert dataset.splits == ("train", "val")
    assert [post.id for post in dataset.posts("train")] == ["cc3m-train-0000/1", "cc3m-train-0001/1"]
    dataset = open_dataset(tmp_path / "b")
    assert (dataset.format, dataset.splits) == ("shards", ("train", "test"))
    assert [post.id for post in dataset.posts("test")] == ["test/00000/1"]


def test_what_makes_no_sense_is_counted_and_the_rest_read(tmp_path):
    files = [
        *sample("1"),
        ("2.txt", b"words only"),
        ("3.jpg", jpeg()),
        ("3.json", b"{broken"),
        ("4.jpg", jpeg()),
        ("4.txt", "Café".encode("latin-1")),
        ("5.jpg", jpeg()),
        ("5.txt", b"x" * (9 << 20)),
        ("README", b"-"),
        ("../6.jpg", jpeg()),
        ("/etc/7.jpg", jpeg()),
        *sample("8", lat="nan", lon="2", date="never"),
        *sample("1"),
        ("9.jpg", jpeg()),
        ("9.json", b"[" * 100_000),
        ("10.png", jpeg()),
        ("10.json", b'["a", "list"]'),
    ]
    tar(tmp_path / "00000.tar", files)
    with tarfile.open(tmp_path / "00000.tar", "a") as packed:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"99{kind.decode()}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            packed.addfile(member)
    posts, skipped = read(tmp_path)
    assert [(post.id.removeprefix("00000/"), post.captions) for post in posts] == [
        ("1", ("A dog 1",)),
        ("3", ()),
        ("4", ("Café",)),
        ("5", ()),
        ("8", ("A dog 8",)),
        ("9", ()),
        ("10", ()),
    ]
    assert skipped == [
        ("00000.tar, 2", "no such image"),
        ("00000.tar, 3", "bad sidecar"),
        ("00000.tar, 5", "bad sidecar"),
        ("../6.jpg", "path leaves the archive"),
        ("/etc/7.jpg", "path leaves the archive"),
        ("00000.tar, 8", "bad coordinates"),
        ("00000.tar, 8", "bad date"),
        ("00000.tar, 1", "repeated id"),
        ("00000.tar, 9", "bad sidecar"),
    ]


def test_a_picture_that_claims_to_be_huge_is_not_read(tmp_path):
    huge = tarfile.TarInfo("2.jpg")
    huge.size = 600 << 20
    path = tar(tmp_path / "00000.tar", sample("1"))
    data = path.read_bytes().rstrip(b"\0")
    path.write_bytes(data + b"\0" * (-len(data) % 512) + huge.tobuf())
    posts, skipped = read(tmp_path)
    assert [post.id for post in posts] == ["00000/1"]
    assert skipped == [("00000.tar", "damaged archive")]


@pytest.mark.parametrize("name", ["00000.tar", "00000.tar.gz"])
def test_a_tar_that_is_cut_short_is_told_and_no_half_sample_taken(tmp_path, name):
    noise = random.Random(0)
    files = []
    for number in range(50):
        picture, _, words = sample(f"{number:09}")
        files += [(picture[0], picture[1] + noise.randbytes(3_000)), words]
    path = tar(tmp_path / name, files)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    posts, skipped = read(tmp_path)
    assert 15 < len(posts) < 35
    assert all(post.captions for post in posts)
    assert (name, "damaged archive") in skipped


def test_no_tar_at_all_is_told(tmp_path):
    (tmp_path / "00000.tar").write_bytes(b"not a tar")
    assert read(tmp_path, how="shards") == ([], [("00000.tar", "damaged archive")])
    (tmp_path / "00000.tar").unlink()
    with pytest.raises(InputError, match="has no shards"):
        open_dataset(tmp_path, "shards")


def test_an_archive_of_photos_is_no_shard(tmp_path):
    tar(tmp_path / "a" / "holiday.tar", sample("1"))
    assert open_dataset(tmp_path / "a/holiday.tar").format == "folder"
    tar(tmp_path / "b" / "00000.tar", [("1.jpg", jpeg()), ("2.jpg", jpeg())])
    assert open_dataset(tmp_path / "b/00000.tar").format == "folder"
    tar(tmp_path / "c" / "photos-2019.tar", sample("1"))
    (tmp_path / "c/1.jpg").write_bytes(jpeg())
    assert open_dataset(tmp_path / "c").format == "folder"


def test_what_was_not_downloaded_is_told_from_the_list_beside_a_tar(tmp_path):
    shards(tmp_path, count=1, samples=2)
    rows = [
        row("000000000"),
        row("000000001"),
        row("000000002", status="failed_to_download", error_message="HTTP 404"),
    ]
    for one in rows:
        del one["jpg"]
    parquet(tmp_path / "00000.parquet", rows)
    posts, skipped = read(tmp_path)
    assert (len(posts), skipped) == (2, [("00000.parquet, 000000002", "not downloaded")])


def test_img2datasets_parquet_form_has_the_pictures_inside(tmp_path):
    rows = [
        row("000000000", exif=json.dumps(EXIF)),
        row("000000001", jpg=None, status="failed_to_download"),
        row("000000002", jpg=None),
        row("", caption="no key"),
    ]
    parquet(tmp_path / "00000.parquet", rows)
    parquet(tmp_path / "00001.parquet", [row("000010000")])
    dataset = open_dataset(tmp_path)
    assert dataset.why == (
        "Recognised as shards: Parquet files with pictures inside, 00000.parquet and 1 more."
    )
    posts, skipped = read(tmp_path)
    assert [(post.id, post.captions) for post in posts] == [
        ("00000/000000000", ("A dog 000000000",)),
        ("00001/000010000", ("A dog 000010000",)),
    ]
    assert posts[0].image == jpeg()
    assert posts[0].place.lat == pytest.approx(41.3867, abs=1e-3)
    assert skipped == [
        ("00000.parquet, 000000001", "not downloaded"),
        ("00000.parquet, 000000002", "no such image"),
        ("00000.parquet, row 4", "no id"),
    ]
    assert open_dataset(tmp_path / "00001.parquet").format == "shards"


def test_memory_is_that_of_one_sample(tmp_path):
    noise = random.Random(0)
    for shard in range(4):
        files = []
        for number in range(50):
            picture, said, words = sample(f"{shard}{number:05}")
            files += [(picture[0], picture[1] + noise.randbytes(40_000)), said, words]
        tar(tmp_path / f"{shard:05}.tar", files)  # 2 MB each
    dataset = open_dataset(tmp_path)
    tracemalloc.start()
    assert sum(len(post.image) > 40_000 for post in dataset.posts()) == 200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500_000
