"""Words of posts: spelt, kept in step, found; against bm25 by hand and plain Python."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cartolina.album import fulltext
from cartolina.album.catalogue import Catalogue
from cartolina.album.entry import Entry
from cartolina.album.fulltext import best, containing, missing, wordy
from cartolina.album.schema import MIGRATIONS
from cartolina.album.spelt import spelt
from cartolina.post import Post


def put(catalogue, *told, key=None):
    """Posts with these (captions, tags); their keys."""
    with catalogue.transaction():
        number = catalogue.source(Path("/photos"), "folder", False)[0]
        return [
            catalogue.put(
                Entry(Post(name, Path("/photos") / name, captions, tags), number, 0, 0, "", name)
            ).key
            for name, (captions, tags) in ((key or str(n), one) for n, one in enumerate(told))
        ]


@pytest.fixture
def catalogue(tmp_path):
    made = Catalogue.create(tmp_path / "album.sqlite")
    yield made
    made.close()


def captioned(catalogue, *captions):
    return put(catalogue, *(((caption,), ()) for caption in captions))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A dog's day, at ŁÓDŹ!", "a dog s day at lodz"),
        ("Straße ﬁsh ＡＢ１", "strasse fish ab1"),
        ("l’été", "l ete"),
        ("東京タワーの夜景 2019", "東 京 タ ワ ー の 夜 景 2019"),
        ("ﾊﾟﾘ", "パ リ"),
        ("서울에서", "서 울 에 서"),
        ("ทะเล", "ท ะ เ ล"),
        ("東京Tower", "東 京 tower"),
        ("\ue000 🌴 \x00", ""),
    ],
)
def test_spelt(text, words):
    assert spelt(text) == words


@example("ᴬ and ϓ")  # capitals under a form that only NFKC takes away
@given(st.text(max_size=40))
def test_what_is_spelt_stays_and_has_no_syntax(text):
    once = spelt(text)
    assert spelt(once) == once
    assert all(letter.isalnum() or ord(letter) > 127 for letter in once.replace(" ", ""))


def bm25(documents, query):
    """Okapi's with k1 1.2 and b .75, as SQLite has it; documents are lists of words."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for words in documents:
        score = 0.0
        for word in query:
            having = sum(word in other for other in documents)
            idf = max(math.log((len(documents) - having + 0.5) / (having + 0.5)), 1e-6)
            often = words.count(word)
            score += idf * often * 2.2 / (often + 1.2 * (1 - 0.75 + 0.75 * len(words) / mean))
        scores.append(score)
    return scores


def test_ranked_by_bm25_as_a_share_of_the_query(catalogue):
    captions = ["red car", "a red red house by a road", "blue car", "green field", "sea", "sand", "sky"]
    keys = captioned(catalogue, *captions)
    hits = best(catalogue, "Red CARS, and zebra", 10)
    query = ["red", "car", "zebra"]
    scores = bm25([caption.split() for caption in captions], query)
    whole = sum(math.log((7 - n + 0.5) / (n + 0.5)) for n in (2, 2, 0))
    expected = {key: score / whole for key, score in zip(keys, scores, strict=True) if score}
    assert dict(zip(hits.keys.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(expected)
    assert hits.keys[0] == keys[0]
    assert hits.scores.tolist() == sorted(hits.scores, reverse=True)


def test_a_tag_counts_more_than_a_word_of_a_caption(catalogue):
    word, tag, _ = put(catalogue, (("one beach",), ()), (("one",), ("Beach",)), (("other",), ()))
    assert best(catalogue, "beach", 9).keys.tolist() == [tag, word]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("malaga", [0]),
        ("MÁLAGA", [0]),
        ("lodz", [1]),
        ("ŁÓDŹ", [1]),
        ("東京", [2]),
        ("夜景", [2]),
        ("京東", []),
        ("바다", [3]),
        ("cycling", [4]),
        ("the", [4]),
        ("the bicycles", [4]),
        ("don't", [5]),
        ("", []),
        ("?!", []),
    ],
)
def test_what_finds_what(catalogue, query, found):
    captioned(catalogue, "Málaga", "Łódź", "東京タワーの夜景", "바다에서", "the man cycles, bicycle", "don t")
    keys = {key: n for n, key in enumerate(catalogue.all_keys().tolist())}
    assert [keys[key] for key in best(catalogue, query, 9).keys.tolist()] == found


SYNTAX = [
    '"',
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "NEAR(a b)",
    "*",
    "^",
    "captions:",
    "{captions}",
    "-",
    "+",
    "(",
    ")",
    "a*",
]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*SYNTAX, "red", "car"]), max_size=8).map(" ".join) | st.text(max_size=20))
def test_what_a_person_writes_is_never_syntax(catalogue, text):
    if not len(catalogue):
        captioned(catalogue, "red car and blue", "not near", "a")
    words = {word for word in spelt(text).split() if word not in fulltext.STOP_WORDS} or set(
        spelt(text).split()
    )
    expected = {
        key
        for key, caption in zip(
            catalogue.all_keys().tolist(), ["red car and blue", "not near", "a"], strict=True
        )
        if words & set(caption.split())
    }
    if words <= {"red", "car", "a", "and", "or", "not", "near", "captions"}:
        assert set(best(catalogue, text, 9).keys.tolist()) == expected
    else:  # letters, which may stem to anything
        best(catalogue, text, 9)
    containing(catalogue, text, [1])
    missing(catalogue, text)


def test_a_page_of_text_is_a_query_too(catalogue):
    (key, *_) = captioned(catalogue, "word7", "other")
    page = " ".join(f"word{n}" for n in range(5000))
    assert best(catalogue, page, 9).keys.tolist() == [key]
    assert containing(catalogue, page, [key]) == set()


def test_negated_words_need_all_of_them(catalogue):
    keys = captioned(catalogue, "red car", "red house", "car")
    assert containing(catalogue, "the red cars", keys) == {keys[0]}
    assert containing(catalogue, "red", keys[1:]) == {keys[1]}


def test_words_that_nobody_wrote(catalogue):
    captioned(catalogue, "red car", "東京")
    assert missing(catalogue, "a red zebra, Zebra 京東 東京") == ["zebra", "京東"]


def test_who_has_any_words(catalogue):
    keys = put(catalogue, (("red",), ()), ((), ("tag",)), (("?",), ()), ((), ()))
    assert wordy(catalogue, keys) == set(keys[:2])


def test_only_the_allowed_and_those_that_are_there(catalogue, monkeypatch):
    keys = captioned(catalogue, *["red car"] * 6)
    with catalogue.transaction():
        catalogue.change("UPDATE posts SET offline = 'now' WHERE key = ?", keys[0])
    assert best(catalogue, "car", 9).keys.tolist() == keys[1:]
    for few in (4096, 1):
        monkeypatch.setattr(fulltext, "FEW", few)
        assert best(catalogue, "car", 9, np.array(keys[2:4])).keys.tolist() == keys[2:4]
        assert best(catalogue, "car", 9, np.array([], np.int64)).keys.tolist() == []


def test_all_that_tie_with_the_last_are_there(catalogue):
    keys = captioned(
        catalogue, "car car", *["red car"] * 50, *["some more words and a car"] * 3, *["sea"] * 80
    )
    assert best(catalogue, "car", 10).keys.tolist() == keys[:51]
    assert best(catalogue, "car", 52).keys.tolist() == keys[:52]


documents = st.lists(
    st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=5).map(
        lambda w: " ".join(f"word{x}" for x in w)
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents, st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=4), st.integers(1, 8), st.data())
def test_the_best_are_the_best_of_those_with_the_rarer_words(
    tmp_path_factory, captions, letters, depth, data
):
    """Whatever is passed over has none of the rarest words, of which there are enough."""
    words = [f"word{letter}" for letter in sorted(letters)]
    made = Catalogue.create(tmp_path_factory.mktemp("a") / "album.sqlite")
    keys = captioned(made, *captions)
    among = data.draw(
        st.none() | st.sets(st.sampled_from(keys), min_size=1).map(lambda s: np.array(sorted(s)))
    )
    hits = best(made, " ".join(words), depth, among)
    made.close()
    scores = dict(zip(keys, bm25([caption.split() for caption in captions], words), strict=True))
    whole = sum(bm25_idf(captions, word) for word in words)
    allowed = set(keys if among is None else among.tolist())
    matching = {key for key in allowed if scores[key] > 0}
    given_scores = dict(zip(hits.keys.tolist(), hits.scores.tolist(), strict=True))
    assert set(given_scores) <= matching
    assert given_scores == pytest.approx({key: scores[key] / whole for key in given_scores}, rel=1e-4)
    assert len(hits.keys) >= min(depth, len(matching))
    if len(hits.keys) < depth:
        assert set(given_scores) == matching
    rarest = min(
        (word for word in words if any(word in c for c in captions)),
        key=lambda w: having(captions, w),
        default="",
    )
    last = hits.scores[-1] if len(hits.keys) else 0
    for key in matching - set(given_scores):
        caption = captions[keys.index(key)]
        assert scores[key] / whole <= last * 1.0001 or rarest not in caption.split()


def having(captions, word):
    return sum(word in caption.split() for caption in captions)


def bm25_idf(captions, word):
    n = having(captions, word)
    return max(math.log((len(captions) - n + 0.5) / (n + 0.5)), 1e-6)


def in_step(catalogue):
    """Whether the index is exactly what the posts' captions and tags say."""
    catalogue._connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    told = catalogue.rows("SELECT * FROM wording WHERE captions != '' OR tags != '' ORDER BY key")
    return told == catalogue.rows("SELECT rowid, captions, tags FROM words ORDER BY rowid")


def test_the_index_is_in_step_whatever_happens(catalogue):
    first, second = put(catalogue, (("one", "two"), ("x",)), (("three",), ()))
    assert in_step(catalogue)
    put(catalogue, (("four", ""), ("y", "z")), key="0")
    assert in_step(catalogue)
    assert best(catalogue, "one", 9).keys.tolist() == []
    assert best(catalogue, "four y", 9).keys.tolist() == [first]
    put(catalogue, ((), ()), key="0")
    assert in_step(catalogue)
    assert wordy(catalogue, [first, second]) == {second}
    with catalogue.transaction():
        catalogue.change("INSERT INTO tags VALUES (?, 0, 'late', 'late')", first)
        catalogue.index_words([first])
    assert best(catalogue, "late", 9).keys.tolist() == [first]
    with catalogue.transaction():
        catalogue.remove([first, second])
    assert in_step(catalogue)
    assert catalogue.rows("SELECT count(*) FROM words") == [(0,)]


def test_an_album_of_format_1_migrates_with_its_words(tmp_path):
    path = tmp_path / "album.sqlite"
    old = sqlite3.connect(path)
    old.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1;")
    old.execute("INSERT INTO sources VALUES (1, '/photos', 'folder', 0, '')")
    for key in (1, 2, 3):
        old.execute(
            "INSERT INTO posts (key, id, source, source_id, image, within, content_hash, size, mtime, "
            "digest, added) VALUES (?, ?, 1, ?, '', '', '', 0, 0, '', '')",
            (key, str(key), str(key)),
        )
    old.executemany(
        "INSERT INTO captions (key, position, text) VALUES (?, ?, ?)",
        [(1, 1, "Second, MÁLAGA"), (1, 0, "first"), (2, 0, "")],
    )
    old.execute("INSERT INTO tags VALUES (3, 0, '#Łódź', 'łódź')")
    old.commit()
    old.close()
    migrated = Catalogue(path)
    migrated.migrate()
    assert in_step(migrated)
    assert migrated.rows("SELECT rowid, captions, tags FROM words") == [
        (1, f"first {chr(0xE000)} second malaga", ""),
        (3, "", "lodz"),
    ]
    assert best(migrated, "malaga", 9).keys.tolist() == [1]
    assert put(migrated, (("new",), ()), key="9") == [4]
    assert best(migrated, "new", 9).keys.tolist() == [4]
    migrated.close()
