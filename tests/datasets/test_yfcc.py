import bz2
import gzip
import shutil
import tracemalloc
from datetime import datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_files import yfcc, yfcc_line

from cartolina.datasets import open_dataset
from cartolina.datasets.alongside import Alongside
from cartolina.datasets.fields import clean
from cartolina.datasets.yfcc import YfccReader
from cartolina.datasets.yfcc_row import read_places, read_row, unquoted
from cartolina.errors import InputError
from cartolina.post import Place

PLACES = (
    "12578034:Barcelona:Town,2347568:Catalonia:State,23424950:Spain:Country,28350859:Europe%2FMadrid:Timezone"
)


def read(dataset):
    skipped = []
    return list(dataset.posts(on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def text(root, *lines):
    (root / "yfcc100m_dataset").write_text("".join(lines))
    return open_dataset(root)


def old(line):
    """The same line in the older layout: without number and hash."""
    cells = line.split("\t")
    return "\t".join([cells[1], *cells[3:]])


def test_photos_named_by_their_hash(tmp_path):
    dataset = open_dataset(yfcc(tmp_path))
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("yfcc100m", (), True)
    assert dataset.why == "Recognised as yfcc100m: yfcc100m_dataset, photos in data/images/."
    posts, skipped = read(dataset)
    first = posts[0]
    assert first.id == "6985418911"
    digest = "cfcd208495d565ef66e7dff9f98764da"  # md5 of "0"
    assert first.image == tmp_path / f"data/images/cfc/d20/{digest}.jpg"
    assert first.captions == ("Sagrada Família", "By Gaudí at night & day")
    assert first.tags == ("barcelona", "new york", "café")
    assert first.place == Place(41.4036, 2.1744)
    assert first.taken == datetime(2012, 4, 11, 12, 20, 33)
    assert (len(posts), skipped, dataset.count(None)) == (3, [], 3)


def test_the_published_columns_by_their_numbers():
    cells = [f"c{number}" for number in range(25)]
    cells[1], cells[24] = "12", "1"
    row = read_row("\t".join(cells))
    said = (
        row.hash,
        row.user,
        row.taken,
        row.title,
        row.description,
        row.lon,
        row.lat,
        row.accuracy,
        row.url,
    )
    assert said == ("c2", "c3", "c5", "c8", "c9", "c12", "c13", "c14", "c16")
    assert (row.id, row.tags, row.machine_tags, row.is_video) == ("12", ("c10",), ("c11",), True)
    older = read_row("\t".join([cells[1], *cells[3:]]))
    assert (older.id, older.hash, older.tags, older.lat, older.is_video) == ("12", "", ("c10",), "c13", True)


def test_without_a_folder_of_photos_posts_have_none(tmp_path):
    yfcc(tmp_path)
    posts, _ = read(YfccReader(pictures=False).open(tmp_path))
    assert [post.image for post in posts] == [None] * 3
    shutil.rmtree(tmp_path / "data")
    dataset = open_dataset(tmp_path)
    assert dataset.why.endswith("yfcc100m_dataset, without photos.")
    assert read(dataset) == (posts, [])
    with pytest.raises(InputError, match="has no photos"):
        YfccReader(pictures=True).open(tmp_path)


@pytest.mark.parametrize("name", ["yfcc100m_dataset.bz2", "yfcc100m_dataset.gz", "yfcc100m_dataset.tsv"])
def test_plain_or_packed_in_a_folder_or_given(tmp_path, name):
    lines = "".join(yfcc_line(number) for number in range(3)).encode()
    pack = {"bz2": bz2.compress, "gz": gzip.compress, "tsv": bytes}[name.rpartition(".")[2]]
    (tmp_path / name).write_bytes(pack(lines))
    for path in (tmp_path, tmp_path / name):
        dataset = open_dataset(path)
        assert (dataset.format, dataset.root, len(read(dataset)[0])) == ("yfcc100m", tmp_path, 3)


def test_parts_are_read_in_the_order_of_their_numbers(tmp_path):
    for part in (10, 2, 0):
        (tmp_path / f"yfcc100m_dataset-{part}.bz2").write_bytes(bz2.compress(yfcc_line(part).encode()))
    (tmp_path / "yfcc100m_dataset-2").write_text(yfcc_line(2))  # unpacked, and kept packed
    dataset = open_dataset(tmp_path)
    assert dataset.why.startswith("Recognised as yfcc100m: yfcc100m_dataset-0.bz2 and 2 more")
    assert [int(post.id) - 6985418911 for post in dataset.posts()] == [0, 2, 10]
    assert dataset.count(None) is None


def test_places_become_labels_with_their_kind(tmp_path):
    yfcc(tmp_path)
    (tmp_path / "yfcc100m_places").write_text(
        f"6985418911\t{PLACES}\n6985418912\t\n6985418913\t1:A%3Ab+c:Suburb\n"
    )
    posts, skipped = read(open_dataset(tmp_path))
    assert [post.labels for post in posts] == [
        ("town:Barcelona", "state:Catalonia", "country:Spain"),
        (),
        ("suburb:A:b c",),
    ]
    assert skipped == []
    assert read_places("nonsense,1:x,:,1::Town,,2:Y:Town") == ("town:Y",)


def test_hashes_from_their_file_where_the_dataset_has_none(tmp_path):
    yfcc(tmp_path)
    lines = [yfcc_line(number) for number in range(3)]
    hashes = "".join("\t".join(line.split("\t")[1:3]) + "\n" for line in lines)
    dataset = text(tmp_path, *map(old, lines))
    assert [reason for _, reason in read(dataset)[1]] == ["no image named"] * 3
    (tmp_path / "yfcc100m_hash.bz2").write_bytes(bz2.compress(hashes.encode()))
    posts, skipped = read(open_dataset(tmp_path))
    assert ([post.image.stem for post in posts], skipped) == ([line.split("\t")[2] for line in lines], [])


@given(st.text())
def test_words_come_back_from_their_encoding(words):
    assert unquoted(quote_plus(words, errors="replace")) == words.encode(errors="replace").decode()


@given(st.lists(st.text(min_size=1).filter(clean), max_size=5, unique_by=lambda tag: clean(tag).casefold()))
def test_tags_with_commas_and_tabs_inside_come_back(tags):
    row = read_row(yfcc_line(tags=",".join(quote_plus(tag) for tag in tags)))
    assert row.tags == tuple(clean(tag) for tag in tags)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("caf%E9", "café"),
        ("100%25+a", "100% a"),
        ("%zz%", "%zz%"),
        ("%F0%9F%8C%87", "🌇"),
        ("plain", "plain"),
    ],
)
def test_bad_encodings_lose_nothing(written, read_as):
    assert unquoted(written) == read_as


def test_what_makes_no_sense_is_counted_and_the_rest_read(tmp_path):
    long = "x" * (2 << 20)
    lines = [
        yfcc_line(0, lon="", lat="", taken="null", title="IMG_1234", description="", tags=""),
        yfcc_line(1, marker=1),
        "too\tfew\n",
        "\n",
        yfcc_line(2, id="../../etc"),
        yfcc_line(3, lat="91"),
        yfcc_line(4, lon="nan", lat="nan"),
        yfcc_line(5, taken="yesterday"),
        yfcc_line(6, description=long),
        yfcc_line(7, title="%00%1F", description="%3Cscript%3Ex"),
        yfcc_line(8).rstrip("\n"),
    ]
    (tmp_path / "yfcc100m_dataset").write_text("".join(lines))
    posts, skipped = read(open_dataset(tmp_path))
    assert [int(post.id) - 6985418911 for post in posts] == [0, 3, 4, 5, 7, 8]
    assert (posts[0].captions, posts[0].tags, posts[0].place, posts[0].taken) == ((), (), None, None)
    assert [post.place for post in posts[1:3]] == [None, None]
    assert posts[4].captions == ("x",)
    name = "yfcc100m_dataset, line"
    assert skipped == [
        (f"{name} 2", "video"),
        (f"{name} 3", "bad row"),
        (f"{name} 5", "bad row"),
        (f"{name} 6", "bad coordinates"),
        (f"{name} 7", "bad coordinates"),
        (f"{name} 8", "bad date"),
        (f"{name} 9", "bad row"),
    ]


@pytest.mark.parametrize("digest", ["../../../../etc/passwd", "", "A" * 32, "/etc", "g" * 32])
def test_a_hash_that_is_none_becomes_no_path(tmp_path, digest):
    yfcc(tmp_path)
    assert read(text(tmp_path, yfcc_line(0, hash=digest))) == (
        [],
        [("yfcc100m_dataset, line 1", "no image named")],
    )


def test_a_photo_that_is_missing_is_counted(tmp_path):
    posts, skipped = read(text(yfcc(tmp_path), yfcc_line(0), yfcc_line(99)))
    assert (len(posts), skipped) == (1, [("yfcc100m_dataset, line 2", "no such image")])


@pytest.mark.parametrize(("name", "pack"), [("bz2", bz2.compress), ("gz", gzip.compress)])
def test_a_packed_file_that_is_cut_short_is_told(tmp_path, name, pack):
    lines = "".join(yfcc_line(number, nickname=f"{number * 7919:x}" * 9) for number in range(20_000)).encode()
    packed = pack(lines)
    (tmp_path / f"yfcc100m_dataset.{name}").write_bytes(packed[: len(packed) * 2 // 3])
    posts, skipped = read(open_dataset(tmp_path))
    assert skipped == [(f"yfcc100m_dataset.{name}", "damaged archive")]
    assert 1_000 < len(posts) < 20_000


def test_lines_missing_in_either_file_do_not_lose_the_step(tmp_path):
    file = tmp_path / "yfcc100m_places"
    file.write_text("".join(f"{number}\tv{number}\n" for number in range(100) if number % 7))
    beside = Alongside([file], ahead=10)
    found = {str(number): beside.find(str(number)) for number in range(100) if number % 5}
    assert found == {number: f"v{number}" if int(number) % 7 else "" for number in found}
    assert beside.problems() == []


def test_a_file_in_another_order_is_given_up_and_told(tmp_path):
    file = tmp_path / "yfcc100m_places"
    file.write_text("".join(f"{number}\tv\n" for number in range(5_000, 0, -1)))
    beside = Alongside([file], ahead=50)
    assert {beside.find(str(number)) for number in range(2_000)} == {""}
    assert [(one.where, one.reason) for one in beside.problems()] == [("yfcc100m_places", "bad metadata")]


def test_memory_does_not_grow_with_the_rows(tmp_path):
    with (
        (tmp_path / "yfcc100m_dataset").open("w") as file,
        (tmp_path / "yfcc100m_places").open("w") as places,
    ):
        for number in range(10_000):
            file.write(yfcc_line(number))
            places.write(f"{6985418911 + number}\t{PLACES}\n")
    dataset = open_dataset(tmp_path)
    tracemalloc.start()
    assert sum(len(post.labels) for post in dataset.posts()) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500_000  # the rows are 5 MB, the places 1


def test_another_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="expected yfcc100m_dataset"):
        open_dataset(tmp_path, "yfcc100m")
