"""`cartolina data`: stats, convert, vocab, split."""

import json

import pytest

from photo_files import write

CSV = """id,image,caption,tags,lat,lon,split
1,a/1.jpg,A red boat,"New York,sea",41.9,12.5,train
2,a/2.jpg,The sea,"sea,2008",48.857,2.352,train
3,b/3.jpg,Snow,snow,,,test
4,b/gone.jpg,Lost,sea,,,test
"""


def line(tags, kind="0"):
    return "\t".join([*map(str, range(10)), tags, "", "12.5", "41.9", *map(str, range(14, 24)), kind]) + "\n"


@pytest.fixture
def table(tmp_path):
    for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg"):
        write(tmp_path / name)
    (tmp_path / "posts.csv").write_text(CSV)
    return tmp_path / "posts.csv"


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "yfcc100m_dataset"
    path.write_text(line("Sea,New+York") + line("sea,2008") + line("sea,film", "1") + "broken\n")
    return path


def test_stats(cartolina, table):
    shown = cartolina("data", "stats", table)
    assert shown.exit_code == 0
    assert "train 2, test 2" in shown.stdout
    found = json.loads(cartolina("data", "stats", table, "--json", "--most", "1").stdout)
    assert (found["posts"], found["captions"], found["words"], found["with_place"]) == (3, 3, 6, 2)
    assert (found["tags"], found["distinct_tags"], found["most_tags"]) == (5, 4, {"sea": 2})
    assert found["bounds"] == [41.9, 2.352, 48.857, 12.5]
    assert (found["skipped"], found["splits"]) == ({"no such image": 1}, {"train": 2, "test": 2})
    assert (found["first"], found["format"]) == (None, "table")
    assert json.loads(cartolina("data", "stats", table, "--json", "--split", "test").stdout)["posts"] == 1
    wrong = cartolina("data", "stats", table, "--split", "tset")
    assert wrong.exit_code == 2
    assert "did you mean 'test'" in wrong.stderr


def test_vocab_of_a_raw_file(cartolina, raw, tmp_path):
    into = tmp_path / "vocab.txt"
    done = cartolina("data", "vocab", raw, "--into", into, "--drop", 0, "--workers", 1, "--json")
    assert done.exit_code == 0
    assert into.read_text() == "sea\nfilm\nnewyork\n"
    assert json.loads(done.stdout) == {
        "vocabulary": str(into), "tags": 3, "least": 1, "dropped": {}, "rows": 4, "used": 3, "with_tags": 3,
        "occurrences": 5, "distinct": 3, "bad_rows": {"wrong number of columns": 1},
        "left_out": {"digits": 1},
    }  # fmt: skip
    again = cartolina("data", "vocab", raw, "--into", into)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    (tmp_path / "words.txt").write_text("New York\nfilm\n\n")
    chosen = ("--words", tmp_path / "words.txt", "--photos-only", "--drop", 0, "--force", "--workers", 1)
    shown = cartolina("data", "vocab", tmp_path, "--into", into, *chosen)
    assert shown.exit_code == 0
    assert into.read_text() == "newyork\n"
    assert "not in the word list 2" in shown.stdout


def test_vocab_known_to_word_vectors(cartolina, raw, tmp_path):
    into = tmp_path / "vocab.txt"
    for name, text in {
        "glove.txt": "sea .1 .2\nfilm .3 .4\n",
        "words.vec": "2 2\nsea .1 .2\nfilm .3 .4\n",
    }.items():
        (tmp_path / name).write_text(text)
        done = cartolina(
            "data", "vocab", raw, "--into", into, "--words", tmp_path / name, "--drop", 1, "--force"
        )
        assert done.exit_code == 0
        assert into.read_text() == "film\n"


def test_vocab_of_another_dataset(cartolina, table, tmp_path):
    into = tmp_path / "vocab.txt"
    assert cartolina("data", "vocab", table, "--into", into, "--drop", 0, "--size", 2).exit_code == 0
    assert into.read_text() == "sea\nnewyork\n"
    gone = cartolina("data", "vocab", tmp_path / "gone", "--into", into, "--force")
    assert gone.exit_code == 2
    assert "does not exist" in gone.stderr
    both = cartolina("data", "vocab", table, table, "--into", into, "--force")
    assert both.exit_code == 2
    assert "give one dataset" in both.stderr


def test_convert(cartolina, table, tmp_path):
    done = cartolina("data", "convert", table, "--to", "jsonl", "--into", tmp_path / "new.jsonl", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "into": str(tmp_path / "new.jsonl"), "to": "jsonl", "posts": 3, "left_out": {"no such image": 1},
    }  # fmt: skip
    found = json.loads(cartolina("data", "stats", tmp_path / "new.jsonl", "--json").stdout)
    assert (found["posts"], found["splits"]) == (3, {"train": 2, "test": 1})
    shown = cartolina(
        "data", "convert", table, "--to", "folder", "--into", tmp_path / "tree", "--split", "test"
    )
    assert shown.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "tree").iterdir()) == ["3.jpg", "3.jpg.json", "3.jpg.txt"]
    wrong = cartolina("data", "convert", table, "--to", "shard", "--into", tmp_path / "new")
    assert wrong.exit_code == 2
    assert "did you mean 'shards'" in wrong.stderr
    full = cartolina("data", "convert", table, "--to", "folder", "--into", tmp_path / "tree")
    assert full.exit_code == 2
    assert "is there already" in full.stderr


def test_split(cartolina, table, tmp_path):
    done = cartolina("data", "split", table, "--into", tmp_path / "lists", "--test", 1, "--val", 1, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "folder": str(tmp_path / "lists"), "test": 1, "val": 1, "train": 1, "groups": 1, "left_out": {},
    }  # fmt: skip
    ids = [(tmp_path / f"lists/{name}.txt").read_text() for name in ("test", "val", "train")]
    assert sorted(ids) == ["1\n", "2\n", "3\n"]
    (tmp_path / "vocab.txt").write_text("sea\n")
    chosen = ("--locsens", "--vocab", tmp_path / "vocab.txt", "--in-order", "--test", 0.5, "--val", 0)
    shown = cartolina("data", "split", table, "--into", tmp_path / "more", *chosen)
    assert shown.exit_code == 0
    assert "no place 1" in shown.stdout
    assert (tmp_path / "more/test.txt").read_text() == "1\n"
    assert (tmp_path / "more/train.txt").read_text() == "2\n"
    wrong = cartolina("data", "split", table, "--into", tmp_path / "x", "--by", "town")
    assert wrong.exit_code == 2
    assert "Known: city, folder, label" in wrong.stderr
    alone = cartolina("data", "split", table, "--into", tmp_path / "x", "--locsens")
    assert alone.exit_code == 2
    assert "go together" in alone.stderr
