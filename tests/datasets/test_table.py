import json
import sys
import tracemalloc
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.datasets import open_dataset
from cartolina.datasets.columns import assign, parse_columns
from cartolina.errors import InputError, MissingPackage, UnknownName
from cartolina.post import Place
from photo_files import jpeg, write

HEADER = "id,image,caption,tags,lat,lon,taken,split,label"
ROWS = [
    ["p1", "img/1.jpg", "Sunset at the #beach", "sea,New York", "41.38", "2.17", "2019-07-04T12:00Z"],
    ["p2", "img/2.jpg", 'A "red", old car', "#car", "", "", ""],
]
ROWS[0] += ["train", "sea side"]
ROWS[1] += ["test", ""]


def photos(root, *names):
    for name in names or ("img/1.jpg", "img/2.jpg", "img/3.jpg"):
        write(root / name)
    return root


def delimited(delimiter, rows=ROWS):
    quoted = (delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows)
    return "\n".join([HEADER.replace(",", delimiter), *quoted]) + "\n"


def parquet(path, columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def read(path, split=None, **options):
    skipped = []
    dataset = open_dataset(path, **options)
    return list(dataset.posts(split, on_skip=skipped.append)), [(one.where, one.reason) for one in skipped]


def written(root, kind):
    path = root / f"posts.{kind}"
    if kind == "parquet":
        return parquet(path, dict(zip(HEADER.split(","), map(list, zip(*ROWS, strict=True)), strict=True)))
    if kind == "jsonl":
        lines = [json.dumps(dict(zip(HEADER.split(","), row, strict=True))) for row in ROWS]
        path.write_text("\n\n".join(lines))
    else:
        path.write_text(delimited({"csv": ",", "tsv": "\t"}[kind]))
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_kind_of_table_says_the_same(tmp_path, kind):
    photos(tmp_path)
    path = written(tmp_path, kind)
    dataset = open_dataset(path)
    assert (dataset.format, dataset.splits, dataset.stable_ids) == ("table", ("train", "test"), True)
    first, second = dataset.posts()
    assert (first.id, first.image) == ("p1", tmp_path / "img/1.jpg")
    assert first.captions == ("Sunset at the #beach",)
    assert first.tags == ("sea", "New York", "beach")
    assert first.place == Place(41.38, 2.17)
    assert first.taken == datetime(2019, 7, 4, 12, tzinfo=UTC)
    assert first.labels == ("sea side",)
    assert (second.id, second.text, second.tags) == ("p2", 'A "red", old car', ("car",))
    assert (second.place, second.taken, second.labels) == (None, None, ())
    assert [post.id for post in dataset.posts("test")] == ["p2"]
    assert [dataset.count(split) for split in (None, "train", "test")] == [2, 1, 1]


def test_why_says_how_the_columns_were_read(tmp_path):
    photos(tmp_path)
    path = tmp_path / "p.csv"
    path.write_text("File Name;Beschreibung;Latitude;LNG;id\nimg/1.jpg;Ein Hund;1;2;7\n")
    assert open_dataset(path).why == (
        "Recognised as table: p.csv is a table cut at ';', its columns read as "
        "id=id, image=File Name, lat=Latitude, lon=LNG."
    )
    dataset = open_dataset(path, columns="text=Beschreibung,id=")
    assert dataset.why.startswith("Read as table, as columns were named: ")
    post = next(dataset.posts())
    assert (post.id, post.text, post.place) == ("img/1.jpg", "Ein Hund", Place(1, 2))
    assert not dataset.stable_ids


def test_columns_by_name():
    assert parse_columns(" image = path , text=my caption") == {"image": "path", "text": "my caption"}
    assert parse_columns(None) == parse_columns("") == {}
    names = ["path", "file_name", "title", "caption", "long"]
    assert assign(names, {}) == {"image": "path", "text": "caption", "lon": "long"}
    assert assign(names, {"image": "file_name"})["image"] == "file_name"
    assert assign(names, {"id": "path"}) == {
        "id": "path",
        "image": "file_name",
        "text": "caption",
        "lon": "long",
    }
    assert "text" not in assign(names, {"text": ""})


def test_mistakes_in_columns_are_told(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("picture_address,words\na.jpg,b\n")
    with pytest.raises(InputError, match="only picture_address, words: say which with --columns image=NAME"):
        open_dataset(path)
    with pytest.raises(UnknownName, match="unknown column 'picture_adress': did you mean 'picture_address'"):
        open_dataset(path, columns="image=picture_adress")
    with pytest.raises(UnknownName, match="unknown column role 'img'"):
        open_dataset(path, columns={"img": "words"})
    with pytest.raises(InputError, match="role=column was expected"):
        open_dataset(path, columns="image")
    with pytest.raises(InputError, match="only the formats 'table' and 'huggingface' have them"):
        open_dataset(tmp_path, "folder", columns="image=words")


def test_rows_of_one_id_or_picture_are_one_post(tmp_path):
    photos(tmp_path)
    path = tmp_path / "p.csv"
    path.write_text(
        "image,caption,tags\nimg/1.jpg,A dog,a\nimg/1.jpg,A hound,b\nimg/1.jpg,A dog,a\nimg/2.jpg,A cat,c\n"
    )
    posts, skipped = read(path)
    assert [(post.id, post.captions, post.tags) for post in posts] == [
        ("img/1.jpg", ("A dog", "A hound"), ("a", "b")),
        ("img/2.jpg", ("A cat",), ("c",)),
    ]
    assert skipped == []
    assert open_dataset(path).count(None) == 2


def test_two_ids_may_share_a_picture_but_not_two_pictures_an_id(tmp_path):
    photos(tmp_path)
    path = tmp_path / "p.csv"
    path.write_text(
        "id,image,text\n1,img/1.jpg,a\n2,img/1.jpg,b\n3,img/2.jpg,c\n3,img/3.jpg,d\n,img/3.jpg,e\n"
    )
    posts, skipped = read(path)
    assert [(post.id, post.image.name, post.text) for post in posts] == [
        ("1", "1.jpg", "a"),
        ("2", "1.jpg", "b"),
        ("3", "2.jpg", "c"),
    ]
    assert sorted(skipped) == [("p.csv, line 5", "another image"), ("p.csv, line 6", "no id")]


def test_rows_of_a_post_that_stand_apart_are_told(tmp_path):
    photos(tmp_path)
    path = tmp_path / "p.csv"
    path.write_text("image,text\nimg/1.jpg,a\nimg/2.jpg,b\nimg/1.jpg,c\n")
    posts, skipped = read(path)
    assert [post.captions for post in posts] == [("a",), ("b",)]
    assert skipped == [("p.csv, line 4", "repeated id")]


def test_captions_and_tags_may_be_lists(tmp_path):
    photos(tmp_path)
    row = {
        "image": "img/1.jpg",
        "captions": ["a dog", "a hound"],
        "tags": ["New York", "#dog"],
        "lat": 1,
        "lon": 2.5,
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n")
    parquet(tmp_path / "p.parquet", {key: [value] for key, value in row.items()})
    for name in ("p.jsonl", "p.parquet"):
        (post,), _ = read(tmp_path / name)
        assert (post.captions, post.tags, post.place) == (
            ("a dog", "a hound"),
            ("New York", "dog"),
            Place(1, 2.5),
        )


@pytest.mark.parametrize(
    ("lat", "lon"), [("nan", "2"), ("91", "2"), ("1", "-181"), ("1", ""), ("north", "2")]
)
def test_a_bad_place_is_dropped_and_counted_and_the_post_stays(tmp_path, lat, lon):
    photos(tmp_path)
    path = tmp_path / "p.csv"
    path.write_text(f"image,text,lat,lon\nimg/1.jpg,a,{lat},{lon}\nimg/1.jpg,b,{lat},{lon}\n")
    (post,), skipped = read(path)
    assert (post.place, post.captions) == (None, ("a", "b"))
    assert skipped == [("p.csv, line 2", "bad coordinates")]


def test_a_bad_date_is_dropped_and_counted(tmp_path):
    photos(tmp_path)
    (tmp_path / "p.csv").write_text("image,taken\nimg/1.jpg,yesterday\n")
    (post,), skipped = read(tmp_path / "p.csv")
    assert (post.taken, skipped) == (None, [("p.csv, line 2", "bad date")])


def test_pictures_outside_the_folder(tmp_path):
    write(tmp_path / "outside.jpg")
    home = photos(tmp_path / "home")
    rows = [
        "../outside.jpg",
        "img/../../outside.jpg",
        "img/../img/1.jpg",
        str(tmp_path / "outside.jpg"),
        "https://example.org/a.jpg",
        "img/missing.jpg",
        "img",
        "",
        "x" * 5000,
    ]
    (home / "p.csv").write_text("\n".join(["image,text", *(f"{row},a" for row in rows)]))
    posts, skipped = read(home / "p.csv")
    assert [post.image.resolve() for post in posts] == [home / "img/1.jpg", tmp_path / "outside.jpg"]
    assert Counter(reason for _, reason in skipped) == {
        "image outside the dataset": 2,
        "image is a web address": 1,
        "no such image": 3,
        "no image named": 1,
    }


@pytest.mark.parametrize(
    ("name", "bad", "line"),
    [
        ("p.csv", "img/2.jpg,b,too,many", 3),
        ("p.jsonl", '{"image": ', 2),
        ("p.jsonl", "[1]", 2),
        ("p.jsonl", "[" * 99_999, 2),
    ],
)
def test_a_bad_row_is_counted_and_work_goes_on(tmp_path, name, bad, line):
    photos(tmp_path)
    good = ["image,text", "img/1.jpg,a", bad, "img/3.jpg,c"]
    if name == "p.jsonl":
        good = ['{"image": "img/1.jpg", "text": "a"}', bad, '{"image": "img/3.jpg", "text": "c"}']
    (tmp_path / name).write_text("\n".join(good))
    posts, skipped = read(tmp_path / name)
    assert [post.text for post in posts] == ["a", "c"]
    assert skipped == [(f"{name}, line {line}", "bad row")]


def test_an_unclosed_quote_does_not_stop_the_reader(tmp_path):
    photos(tmp_path)
    lines = ["image,text", 'img/1.jpg,"open', *("img/2.jpg,b" for _ in range(20_000)), "img/3.jpg,c"]
    (tmp_path / "p.csv").write_text("\n".join(lines))
    posts, skipped = read(tmp_path / "p.csv")
    assert skipped[0][1] == "bad row"
    assert posts[-1].text == "c"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    photos(tmp_path)
    (tmp_path / "p.csv").write_bytes("image,text\r\nimg/1.jpg,Un café\r\n".encode(encoding))
    (post,), skipped = read(tmp_path / "p.csv")
    assert (post.text, skipped) == ("Un café", [])


def test_bars_with_spaces_after_them(tmp_path):
    """Flickr30k's captions as Kaggle has them."""
    photos(tmp_path, "1.jpg")
    (tmp_path / "results.csv").write_text(
        "image_name| comment_number| comment\n1.jpg| 0| A dog .\n1.jpg| 1| A hound .\n"
    )
    (post,), skipped = read(tmp_path / "results.csv")
    assert (post.captions, skipped) == (("A dog .", "A hound ."), [])


def test_pictures_inside_parquet(tmp_path):
    data = jpeg()
    parquet(tmp_path / "plain.parquet", {"image": [data, None], "text": ["a", "b"]})
    parquet(
        tmp_path / "hf.parquet",
        {"image": [{"bytes": data, "path": "a.jpg"}, {"bytes": None, "path": "no.jpg"}], "id": ["7", "8"]},
    )
    posts, skipped = read(tmp_path / "plain.parquet")
    assert [(post.id, post.image) for post in posts] == [("plain#1", data)]
    assert skipped == [("plain.parquet, row 2", "no image named")]
    posts, skipped = read(tmp_path / "hf.parquet")
    assert [(post.id, post.image) for post in posts] == [("7", data)]
    assert skipped == [("hf.parquet, row 2", "no such image")]


def test_parquet_dates_and_missing_numbers(tmp_path):
    photos(tmp_path)
    path = parquet(
        tmp_path / "p.parquet",
        {
            "image": ["img/1.jpg", "img/2.jpg", "img/3.jpg"],
            "taken": [datetime(2019, 7, 4), None, datetime(2020, 1, 1)],
            "lat": [1.0, None, float("nan")],
            "lon": [2.0, None, 2.0],
        },
    )
    posts, skipped = read(path)
    assert [post.taken for post in posts] == [datetime(2019, 7, 4), None, datetime(2020, 1, 1)]
    assert [post.place for post in posts] == [Place(1, 2), None, None]
    assert skipped == [("p.parquet, row 3", "bad coordinates")]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    photos(tmp_path)
    path = written(tmp_path, "parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackage, match=r"pip install 'cartolina\[table\]'"):
        open_dataset(path)


@pytest.mark.parametrize(
    ("name", "content"), [("p.parquet", b"PAR1 no"), ("p.parquet", b""), ("p.csv", b""), ("p.jsonl", b"\n")]
)
def test_a_table_that_cannot_be_read_is_told(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"is empty|not a Parquet file"):
        open_dataset(tmp_path / name)


def test_a_damaged_row_group_is_counted_and_the_next_is_read(tmp_path):
    photos(tmp_path, *(f"{n}.jpg" for n in range(6)))
    path = parquet(tmp_path / "p.parquet", {"image": [f"{n}.jpg" for n in range(6)]})
    data = bytearray(path.read_bytes())
    at = data.index(b"2.jpg") - 60  # the header of the second group's page
    data[at : at + 60] = b"\xff" * 60
    path.write_bytes(data)
    posts, skipped = read(path)
    assert [post.id for post in posts][-2:] == ["4.jpg", "5.jpg"]
    assert ("p.parquet, row 3", "bad row") in skipped


def test_too_many_splits_are_no_splits(tmp_path):
    photos(tmp_path)
    (tmp_path / "p.csv").write_text("image,split\n" + "".join(f"img/1.jpg,s{n}\n" for n in range(101)))
    with pytest.raises(InputError, match=r"--columns split= to leave it alone"):
        open_dataset(tmp_path / "p.csv")
    assert len(read(tmp_path / "p.csv", columns="split=")[0]) == 1


def test_a_folder_with_one_table_is_that_table_if_its_pictures_are_there(tmp_path):
    photos(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,text\nimg/1.jpg,a\n")
    assert open_dataset(tmp_path).format == "table"
    (tmp_path / "metadata.csv").write_text("file_name,text\nelsewhere.jpg,a\n")
    assert open_dataset(tmp_path).format == "folder"
    (tmp_path / "metadata.csv").write_text("")
    assert open_dataset(tmp_path).format == "folder"
    (tmp_path / "other.csv").write_text("file_name,text\nimg/1.jpg,a\n")
    with pytest.raises(InputError, match=r"found metadata\.csv, other\.csv"):
        open_dataset(tmp_path, "table")


def test_memory_does_not_grow_with_the_table(tmp_path):
    photos(tmp_path, "1.jpg")

    def peak(rows):
        path = tmp_path / f"{rows}.csv"
        with path.open("w") as file:
            file.write("id,image,text\n")
            file.writelines(f"{n // 2 % 7},1.jpg,caption number {n}\n" for n in range(rows))
        tracemalloc.start()
        for _ in open_dataset(path).posts():
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(8_000) < peak(1_000) + 50_000


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_delimited_text_crashes_it(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_text("image,text,lat,lon\n" + text)
    for post in open_dataset(path).posts():
        assert post.id


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=3,
)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.sampled_from(HEADER.split(",")), JSON), max_size=4))
def test_no_json_crashes_it(tmp_path_factory, rows):
    home = write(tmp_path_factory.getbasetemp() / "json" / "1.jpg").parent
    first = {"id": "first", "image": "1.jpg"}
    lines = [json.dumps(row) for row in [first, *rows, *({"image": "1.jpg"} | row for row in rows)]]
    (home / "p.jsonl").write_text("\n".join(lines))
    posts = list(open_dataset(home / "p.jsonl", columns="split=").posts())
    assert posts[0].id == "first"
    for post in posts:
        " ".join((post.id, *post.captions, *post.tags, *post.labels)).encode()
