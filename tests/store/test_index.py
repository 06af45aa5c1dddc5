"""An index on disk: whole or not at all, measured, and believed only where it fits."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal

import numpy as np
import pytest
from test_qdrant import DIM, found, groups, state

from cartolina.errors import InputError, MissingPackage
from cartolina.store import ExactStore, Hits, Segments, index, open_exact, shard
from cartolina.store.index import Unusable, build_index, drop_index, open_index, read_index
from cartolina.store.qdrant import QdrantStore
from cartolina.store.segments import CAPACITY


def vectors(folder, n, seed=0):
    store = open_exact(folder / "vectors", DIM)
    store.upsert(np.arange(n), groups(n, seed=seed))
    return store


def build(folder, segments, base=None, samples=None):
    return build_index(folder / "index", folder / "tmp" / "staged", segments, samples or {}, base)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, exact store, index) that nobody changes."""
    folder = tmp_path_factory.mktemp("made")
    store = vectors(folder, 3000)
    return folder, store, build(folder, store.segments, samples={"captions": groups(50, seed=5)})


@pytest.fixture
def copied(made, tmp_path):
    """The same, to be damaged."""
    import shutil

    folder, _, made_index = made
    shutil.copytree(folder, tmp_path / "copy")
    segments = Segments(tmp_path / "copy" / "vectors", DIM, {0: 3000})
    return tmp_path / "copy" / "index", segments, made_index


def test_what_was_built_is_read_again_and_finds(made):
    folder, store, made_index = made
    again = read_index(folder / "index")
    assert again == made_index
    assert (again.rows, again.end, again.posts, again.graphs) == ({0: 3000}, 3000, 3000, 1)
    assert again.engine.startswith("qdrant-edge-py ")
    opened = QdrantStore(open_index(folder / "index", again, store.segments), again.end, again.effort, store)
    queries = groups(30, seed=6)
    assert found(opened.search(queries, 10), store.search(queries, 10)) > 0.98
    assert list((folder / "tmp").iterdir()) == []


def test_its_recall_is_that_of_a_naive_count(made):
    folder, store, made_index = made
    opened = QdrantStore(
        open_index(folder / "index", made_index, store.segments), made_index.end, made_index.effort, store
    )
    queries = groups(50, seed=5)
    for depth in (10, 100):
        shares = []
        for query in queries:
            scores = np.sort(store.vectors(np.arange(3000)) @ query)[::-1]
            (hits,) = opened.search(query[None], depth)
            shares.append(np.mean(hits.scores >= scores[depth - 1] - 1e-6))
        assert made_index.recall["captions"][f"at_{depth}"] == pytest.approx(np.mean(shares), abs=1e-3)
    assert made_index.recall["captions"]["queries"] == 50
    assert made_index.recall["sums"]["queries"] == 200


def test_recall_by_hand():
    right = Hits(np.array([1, 2, 3, 4]), np.array([0.9, 0.8, 0.8, 0.1], np.float32))
    other = Hits(np.array([1, 9, 5]), np.array([0.9, 0.8, 0.5], np.float32))  # 9 is as good as 2 or 3
    assert index._recall([other], [right], 2) == 1
    assert index._recall([other], [right], 3) == pytest.approx(2 / 3)
    assert index._recall([other, right], [right, right], 3) == pytest.approx(5 / 6)


def test_an_engine_that_finds_half_is_said_to_find_half_and_made_to_look_harder(tmp_path, monkeypatch):
    ask, efforts = shard.Shard.search, []

    def halved(self, query, limit, effort):
        efforts.append(effort)
        every = ask(self, query, 2 * limit, effort)
        return shard.Found(every.positions[::2], every.scores[::2])

    monkeypatch.setattr(shard.Shard, "search", halved)
    store = vectors(tmp_path, 3000)
    made_index = build(tmp_path, store.segments)
    assert made_index.recall["sums"]["at_10"] == pytest.approx(0.5, abs=0.1)
    assert made_index.effort == max(efforts) == 1024


def test_going_on_with_an_index_indexes_the_rest(tmp_path):
    store = vectors(tmp_path, 2000)
    first = build(tmp_path, store.segments)
    was = state(tmp_path / "index" / first.folder)
    store.upsert(np.arange(2000, 3500), groups(1500, seed=1))
    second = build(tmp_path, store.segments, base=first)
    assert (second.graphs, second.posts, second.end) == (2, 3500, 3500)
    assert second.folder != first.folder
    assert was
    assert not (tmp_path / "index" / first.folder).exists()
    opened = QdrantStore(
        open_index(tmp_path / "index", second, store.segments), second.end, second.effort, store
    )
    queries = np.r_[groups(20, seed=6), groups(1500, seed=1)[:20]]
    assert opened.tail == 0
    assert found(opened.search(queries, 10), store.search(queries, 10)) > 0.98


def test_more_than_a_segment_is_a_graph_each(tmp_path, monkeypatch):
    dim = 4
    store = open_exact(tmp_path / "vectors", dim)
    store.upsert(np.arange(CAPACITY + 50), groups(CAPACITY + 50, dim))
    grown = []
    monkeypatch.setattr(shard.Builder, "grow", lambda self: grown.append(self))  # graphs would take a minute
    monkeypatch.setattr(index, "_measured", lambda *_: (128, {}))
    made_index = build(tmp_path, store.segments)
    assert (len(grown), made_index.graphs, made_index.end) == (2, 2, CAPACITY + 50)


def test_nothing_to_index(tmp_path):
    with pytest.raises(InputError, match="no vector to index"):
        build(tmp_path, Segments(tmp_path / "vectors", DIM, {}))


def test_dropped(copied):
    folder, _, _ = copied
    assert drop_index(folder)
    assert not folder.exists()
    assert not drop_index(folder)
    assert read_index(folder) is None


@pytest.mark.parametrize("how", ["missing", "cut", "altered"])
def test_a_damaged_index_is_told_or_does_not_matter(copied, how):
    """Of any file; what is only linked is not read through, and whatever it does to the engine is caught."""
    folder, segments, made_index = copied
    right = ExactStore(segments, np.arange(3000), np.arange(3000))
    queries = groups(5, seed=6)
    expected = [hits.keys.tolist() for hits in right.search(queries, 10)]
    for name in made_index.files:
        path = folder / made_index.folder / name
        kept = path.read_bytes()
        if not kept:
            continue
        if how == "missing":
            path.unlink()
        else:
            wrong = bytes(255 - byte for byte in kept[: len(kept) // 2])
            path.write_bytes(wrong if how == "cut" else wrong + kept[len(kept) // 2 :])
        if how == "altered" and path.name in shard.LINKED:
            try:
                opened = open_index(folder, made_index, segments)
            except Unusable:
                pass
            else:
                store = QdrantStore(opened, made_index.end, made_index.effort, right)
                hits = store.search(queries, 10)
                assert all(len(one.keys) == 10 for one in hits)
                if store.trouble:
                    assert [one.keys.tolist() for one in hits] == expected
        else:
            with pytest.raises(Unusable, match="is damaged"):
                open_index(folder, made_index, segments)
        path.write_bytes(kept)
    open_index(folder, made_index, segments)  # whole again


@pytest.mark.parametrize(
    "said",
    ["", "[]", "{}", "null", "{", '{"format": 2}', '{"format": 1}', '{"format": 1, "rows": {"a": 1}}'],
)
def test_an_index_json_that_is_none(copied, said):
    folder, _, _ = copied
    (folder / "index.json").write_text(said)
    with pytest.raises(Unusable, match=r"cannot be read|has format 2"):
        read_index(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folder": "../elsewhere"}, "lies elsewhere"),
        ({"folder": ""}, "lies elsewhere"),
        ({"rows": {}}, "covers nothing"),
        ({"unheard_of": 1}, "cannot be read"),
        ({"files": None}, "cannot be read"),
    ],
)
def test_an_index_json_of_somebody_else(copied, changes, message):
    folder, _, _ = copied
    said = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(said | changes))
    with pytest.raises(Unusable, match=message):
        read_index(folder)


def test_a_file_outside_is_not_opened(copied):
    folder, segments, made_index = copied
    made_index.files["../../vectors/0000.npy"] = {"bytes": 1}
    try:
        with pytest.raises(Unusable, match="outside of itself"):
            open_index(folder, made_index, segments)
    finally:
        del made_index.files["../../vectors/0000.npy"]


def test_another_engine_or_none(copied, monkeypatch):
    folder, segments, made_index = copied
    monkeypatch.setattr(shard, "engine_version", lambda: "9.9.9")
    with pytest.raises(Unusable, match=r"was made by qdrant-edge-py .*9\.9\.9 is installed"):
        open_index(folder, made_index, segments)
    monkeypatch.setattr(index, "engine_version", lambda: None)
    with pytest.raises(Unusable, match="not installed") as caught:
        open_index(folder, made_index, segments)
    assert caught.value.remedy == "pip install 'cartolina[scale]'"


def test_without_the_package_the_message_is_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "qdrant_edge", None)
    with pytest.raises(MissingPackage, match=r"pip install 'cartolina\[scale\]'"):
        build(tmp_path, vectors(tmp_path, 10).segments)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({0: 2999}, "lie elsewhere"),  # taken back: from a backup
        ({1: 3000}, "lie elsewhere"),  # compacted
        ({}, "lie elsewhere"),
    ],
)
def test_of_rows_that_are_not_there(copied, rows, message):
    folder, segments, made_index = copied
    with pytest.raises(Unusable, match=message):
        open_index(folder, made_index, Segments(segments.folder, DIM, rows))


def test_of_other_rows_in_the_same_place(copied, tmp_path):
    folder, _, made_index = copied
    other = vectors(tmp_path / "other", 3000, seed=1)
    with pytest.raises(Unusable, match="of other vectors"):
        open_index(folder, made_index, other.segments)


def build_until_killed(folder, when, base):
    """Kills itself at one of the moments a build has."""
    segments = Segments(folder / "vectors", DIM, {0: 3100 if base else 3000})

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    if when == "growing":
        shard.Builder.grow = die
    elif when == "measuring":
        index._measured = die
    elif when == "renamed":
        index.write_bytes = die
    elif when == "swapped":
        index.rmtree = die
    build(folder, segments, read_index(folder / "index") if base else None)


@pytest.mark.parametrize("base", [True, False])
@pytest.mark.parametrize("when", ["growing", "measuring", "renamed", "swapped"])
def test_killed_there_is_the_old_index_or_the_new_one(copied, when, base):
    folder, segments, made_index = copied
    if base:
        segments.append(groups(100, seed=2))
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=build_until_killed, args=(folder.parent, when, base))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    now = read_index(folder)
    assert (now.folder != made_index.folder) == (when == "swapped")
    open_index(folder, now, segments)
