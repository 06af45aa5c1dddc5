import bz2
import gzip
import os
import random
import tempfile
import tracemalloc
import unicodedata
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cartolina.datasets import processes, tag_counts, vocabulary, yfcc_tags
from cartolina.datasets.locsens import read_vocabulary
from cartolina.datasets.tag_counts import TagCounts, totals
from cartolina.datasets.vocabulary import (
    hashtag,
    vocabulary_of_posts,
    vocabulary_of_yfcc,
    write_vocabulary,
)
from cartolina.errors import CartolinaError, InputError
from cartolina.post import Post


def row(tags, kind="0", number=1):
    """One line as `yfcc100m_dataset` has it, without its end."""
    columns = [
        number, 4335345345 + number, "0a9b8c7d6e5f", "12345678@N00", "nick+name", "2008-01-01 12:00:00.0",
        "1231231231", "Canon+EOS", "A+title", "what+it+shows", tags, "geo:lat=48", "-2.1212", "48.1212", "16",
        "http://www.flickr.com/photos/1/2/", "http://farm3.staticflickr.com/1/2_3.jpg", "Attribution License",
        "http://creativecommons.org/licenses/by/2.0/", "2345", "3", "0a9b8c7d6e", "abc123def4", "jpg", kind,
    ]  # fmt: skip
    return "\t".join(map(str, columns))


def write(path, rows, end="\n"):
    data = end.join(rows) + end
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def naive(data, *, photos_only=False, known=None, size=100_000, drop=10):
    """The published rules, a line at a time, with a plain dictionary: (tags with counts, bad lines)."""
    counts, bad = Counter(), 0
    for line in data.split(b"\n"):
        if line in (b"", b"\r"):
            continue
        columns = line.split(b"\t")
        if len(columns) not in (23, 25) or (photos_only and columns[-1][:1] not in (b"0", b"1")):
            bad += 1
            continue
        if photos_only and columns[-1][:1] != b"0":
            continue
        for raw in columns[10 if len(columns) == 25 else 8].split(b","):
            escapes = raw.split(b"%")[1:]
            if any(len(e) < 2 or not all(c in b"0123456789abcdefABCDEF" for c in e[:2]) for e in escapes):
                continue
            try:
                text = unquote_to_bytes(raw.replace(b"+", b"")).decode()
            except UnicodeDecodeError:
                continue
            text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text.lower())
            tag = unicodedata.normalize("NFC", "".join(text.split()).replace("+", ""))
            if (
                not any(c.isprintable() for c in tag)
                or any(c.isdigit() for c in tag)
                or "," in tag
                or ";" in tag
            ):
                continue
            if known is None or tag in known:
                counts[tag] += 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].encode()))
    return ranked[drop : drop + size], bad


def pairs(made):
    return list(zip(made.tags, made.counts, strict=True))


def test_the_rules_by_hand(tmp_path):
    rows = [
        row("Beach,New+York,sea"),
        row("beach,newyork,caf%C3%A9,2008,canon350d"),
        row("beach,%E6%9D%B1%E4%BA%AC", kind="1"),
        row(""),
    ]
    path = write(tmp_path / "yfcc100m_dataset", rows)
    made = vocabulary_of_yfcc([path], drop=1, workers=1)
    assert pairs(made) == [("newyork", 2), ("café", 1), ("sea", 1), ("東京", 1)]
    assert made.dropped == {"beach": 3}
    assert (made.rows, made.used, made.with_tags, made.distinct, made.occurrences) == (4, 4, 3, 5, 8)
    assert made.left_out == {"digits": 2}
    photos = vocabulary_of_yfcc([path], drop=0, photos_only=True, workers=1)
    assert pairs(photos) == [("beach", 2), ("newyork", 2), ("café", 1), ("sea", 1)]
    assert (photos.rows, photos.used) == (4, 3)
    known = vocabulary_of_yfcc([path], drop=0, size=1, known=["New York", "SEA"], workers=1)
    assert pairs(known) == [("newyork", 2)]
    assert known.left_out == {"digits": 2, "not in the word list": 5}


def test_what_cannot_be_read_is_counted_by_reason(tmp_path):
    lines = [
        row("sea").encode(),
        b"only\ttwo",
        row("sky").encode() + b"\tone more",
        row("%C3", number=2).encode(),
        row("\xff").encode("latin-1"),
        row("100%25,%,%4,%zz,a%2Cb,a%3Bb,,a%0Ab,%2B").encode(),
        b"",
        row("x" * 2401).encode(),
    ]
    path = tmp_path / "yfcc100m_dataset"
    path.write_bytes(b"\n".join(lines))
    made = vocabulary_of_yfcc([path], drop=0, workers=1)
    assert pairs(made) == [("ab", 1), ("sea", 1)]
    assert made.bad_rows == {"wrong number of columns": 2}
    assert made.left_out == {
        "not UTF-8": 2, "digits": 1, "broken escape": 3, "comma or semicolon": 2, "empty": 2, "too long": 1,
    }  # fmt: skip
    assert made.rows == 7


def test_a_file_of_something_else_is_an_error(tmp_path):
    path = write(tmp_path / "yfcc100m_dataset", ["a\tb", "c\td"])
    with pytest.raises(InputError, match=r"no line has the 25 columns .*2 with wrong number of columns"):
        vocabulary_of_yfcc([path], workers=1)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert vocabulary_of_yfcc([empty], workers=1).tags == ()


CELL = st.lists(
    st.sampled_from(
        [
            b"beach", b"Beach", b"new+york", b"newyork", b"caf%C3%A9", b"%C3", b"%", b"%2", b"%GG", b"a1",
            b"\xff", b"\xc3\xa9", b"%E2%82%AC", b"e%CC%81", b"%C3%A9", b"+", b"%2C", b"a%3Bb", b"%0A",
            b"", b"%C4%B0",            b"a\rb", b"%C2%A0x", b"%C2%B2", b"a b", b"\x00", b"%2B", b"%E2%80%8B",
        ]
    )
    | st.binary(max_size=4).map(lambda b: b.replace(b"\t", b"").replace(b"\n", b"")),
    max_size=4,
).map(b",".join)  # fmt: skip
LINE = st.one_of(
    st.builds(lambda old, cell, kind: b"\t".join([b"x"] * (8 if old else 10) + [cell] + [b""] * 13 + [kind]),
              st.booleans(), CELL, st.sampled_from([b"0", b"1", b"0\r", b"", b"2"])),
    st.binary(max_size=8).map(lambda b: b.replace(b"\n", b"")),
    st.sampled_from([b"", b"\r", b"\t" * 22, b"\t" * 23, b"\t" * 24, b"\t" * 25]),
)  # fmt: skip


@given(
    st.lists(LINE, max_size=12).map(b"\n".join),
    st.booleans(),
    st.integers(1, 400),
    st.integers(1, 60),
    st.integers(1, 2000),
    st.sampled_from([None, {"beach", "café", "newyork"}]),
)
@example(b"", False, 1, 1, 1, None)
def test_any_bytes_give_what_the_naive_rules_give(data, photos_only, span, block, memory, known):
    """However the file is cut into spans and blocks, and however little fits into memory."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(vocabulary, "_SPAN", span)
        patch.setattr(yfcc_tags, "BLOCK", block)
        patch.setattr(tag_counts, "PARTS", 3)
        path = Path(folder) / "yfcc100m_dataset"
        path.write_bytes(data)
        expected, bad = naive(data, photos_only=photos_only, known=known, drop=1, size=5)
        try:
            made = vocabulary_of_yfcc(
                [path], photos_only=photos_only, known=known, drop=1, size=5, workers=1, memory=memory
            )
        except InputError:
            assert bad == len([line for line in data.split(b"\n") if line not in (b"", b"\r")])
        else:
            assert pairs(made) == expected
            assert sum(made.bad_rows.values()) == bad


def zipf(path, rows_wanted=6000, seed=0):
    chance = random.Random(seed)
    names = ["".join(chance.choices("abcdefghij", k=6)) for _ in range(20_000)]
    rows = []
    for number in range(rows_wanted):
        ranks = [int(20_000 * chance.random() ** 4) for _ in range(chance.randrange(9))]
        rows.append(row(",".join(names[rank] for rank in ranks), number=number))
    write(path, rows)
    return path


def test_processes_and_memory_change_nothing(tmp_path, monkeypatch):
    path = zipf(tmp_path / "yfcc100m_dataset")
    expected, _ = naive(path.read_bytes())
    monkeypatch.setattr(vocabulary, "_SPAN", 200_000)
    told = []
    for workers, memory in ((1, 1 << 30), (3, 1 << 30), (2, 100_000)):
        made = vocabulary_of_yfcc([path], workers=workers, memory=memory, progress=Told(told))
        assert pairs(made) == expected
        assert made.rows == 6000
    assert told[0] >= path.stat().st_size  # all bytes were told of (where spans meet, a few twice)
    assert told[0] < 1.2 * path.stat().st_size + 20 * yfcc_tags.BLOCK


class Told:
    def __init__(self, told):
        self.told = told

    def task(self, label, total, unit):
        self.told.append(0)
        return nullcontext(self)

    def advance(self, n=1):
        self.told[-1] += n


@pytest.mark.parametrize(("suffix", "pack"), [(".bz2", bz2.compress), (".gz", gzip.compress)])
def test_packed_files_are_read_and_cut_short_ones_refused(tmp_path, suffix, pack):
    plain = zipf(tmp_path / "yfcc100m_dataset", 500)
    packed = tmp_path / f"yfcc100m_dataset{suffix}"
    packed.write_bytes(pack(plain.read_bytes()))
    assert yfcc_tags.looks_like_yfcc(packed)
    both = vocabulary_of_yfcc([packed, plain], workers=1)
    once = vocabulary_of_yfcc([plain], workers=1)
    assert both.occurrences == 2 * once.occurrences
    assert both.tags[:100] == once.tags[:100]
    packed.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(InputError, match="damaged, or was cut short"):
        vocabulary_of_yfcc([packed], workers=1)


def test_an_endless_line_is_one_bad_line(tmp_path, monkeypatch):
    monkeypatch.setattr(yfcc_tags, "LONGEST_LINE", 10_000)
    monkeypatch.setattr(yfcc_tags, "BLOCK", 1000)
    monkeypatch.setattr(vocabulary, "_SPAN", 7000)
    path = write(tmp_path / "yfcc100m_dataset", [row("sea"), "x" * 50_000, row("sea,sky")])
    made = vocabulary_of_yfcc([path], drop=0, workers=1)
    assert pairs(made) == [("sea", 2), ("sky", 1)]
    assert made.bad_rows == {"line too long": 1}
    assert made.rows == 3


def test_memory_stays_within_its_budget(tmp_path):
    def keys(n):
        return [b"tag%d" % (number % 300_000) for number in range(n, n + 1000)]

    def peak(memory):
        folder = tmp_path / str(memory)
        folder.mkdir()
        counts = TagCounts(folder, "0", lambda tags: map(bytes.upper, tags), memory)
        tracemalloc.start()
        for n in range(0, 330_000, 1000):
            counts.add(keys(n))
        counts.write_out()
        found = totals(folder, 50, memory=memory, tell=lambda done: None)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (found.distinct, found.occurrences) == (300_000, 330_000)
        assert found.most == sorted((b"TAG%d" % n, 2) for n in range(30_000))[:50]
        return most

    assert peak(1 << 21) < (1 << 21) + (2 << 20)  # open files and one batch of tags
    assert peak(1 << 30) > 20 << 20


def test_the_vocabulary_of_posts(tmp_path):
    posts = [Post("1", tags=("New York", "sea")), Post("2", tags=("newyork", "C++", "2008")), Post("3")]
    made = vocabulary_of_posts(posts, drop=0)
    assert pairs(made) == [("newyork", 2), ("c", 1), ("sea", 1)]
    assert (made.rows, made.with_tags, made.left_out) == (3, 2, {"digits": 1})


def test_a_vocabulary_is_written_and_read_back(tmp_path):
    made = vocabulary_of_posts([Post("1", tags=("sea", "東京", "ärger")), Post("2", tags=("sea",))], drop=0)
    write_vocabulary(tmp_path / "new" / "vocab.txt", made)
    assert (tmp_path / "new" / "vocab.txt").read_bytes() == "sea\närger\n東京\n".encode()
    assert read_vocabulary(tmp_path / "new" / "vocab.txt") == ["sea", "ärger", "東京"]


def test_the_word_list_must_have_words():
    with pytest.raises(InputError, match="word list has no words"):
        vocabulary_of_posts([], known=["1", "2"])
    assert hashtag(" ") == "empty"


class Failing:
    def __init__(self, number):
        self.number = number

    def do(self, task, tell):
        if task == "die":
            os._exit(9)
        raise InputError(f"bad {task}")

    def finish(self):
        return None


@pytest.mark.parametrize(("task", "error"), [("die", CartolinaError), ("line", InputError)])
def test_a_process_that_fails_or_is_killed_ends_all(task, error):
    with pytest.raises(error, match=r"was killed|bad line"):
        processes.in_processes(Failing, [task, task], workers=2, tell=lambda done: None)
