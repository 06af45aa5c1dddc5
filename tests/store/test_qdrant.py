"""What only the store with an index has: candidates that may be missed, a tail, rows without an owner."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile

import numpy as np
import pytest
from indexed import end_of, files_of, indexed, shard_of

from cartolina.store import open_exact
from cartolina.store.qdrant import QdrantStore
from cartolina.store.shard import Builder, Shard, ShardError

N, DIM = 6000, 32


def groups(n, dim=DIM, seed=0):
    """(n, dim) unit rows about a hundred centres."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((100, dim))
    rows = centres[random.integers(100, size=n)] + 0.7 * random.standard_normal((n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An exact store of `N` vectors under keys three apart, and a shard of them."""
    folder = tmp_path_factory.mktemp("built")
    store = open_exact(folder / "vectors", DIM)
    store.upsert(3 * np.arange(N), groups(N))
    return store, shard_of(folder / "index", store.segments)


@pytest.fixture
def pair(built):
    """(exact, qdrant) over the same rows, free to be changed: rows are appended to another folder."""
    exact, shard = built
    return exact, QdrantStore(shard, N, 128, exact)


def found(hits, right):
    """The share of the right keys that were found."""
    shares = [len(np.intersect1d(a.keys, b.keys)) / len(b.keys) for a, b in zip(hits, right, strict=True)]
    return np.mean(shares)


@pytest.mark.parametrize("k", [1, 10, 300])
def test_finds_what_the_reference_finds_with_its_scores(pair, k):
    exact, store = pair
    queries = groups(40, seed=5)
    hits, right = store.search(queries, k), exact.search(queries, k)
    assert found(hits, right) > 0.98
    scores = [dict(zip(one.keys.tolist(), one.scores.tolist(), strict=True)) for one in right]
    for one, of in zip(hits, scores, strict=True):
        assert len(one.keys) == k
        said = dict(zip(one.keys.tolist(), one.scores.tolist(), strict=True))
        assert all(of.get(key, score) == score for key, score in said.items())


def test_the_engine_is_asked(pair, monkeypatch):
    exact, store = pair
    monkeypatch.setattr(exact, "search", None)  # nobody may look at everything
    hits = store.search(groups(3, seed=5), 10, 3 * np.arange(0, N, 2))
    assert [len(one.keys) for one in hits] == [10, 10, 10]


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_filters_let_the_same_posts_through(pair, share):
    exact, store = pair
    allowed = 3 * np.random.default_rng(3).permutation(N)[: int(share * N)]
    queries = groups(20, seed=6)
    hits, right = store.search(queries, 10, allowed), exact.search(queries, 10, allowed)
    assert found(hits, right) > 0.98
    assert all(np.isin(one.keys, allowed).all() for one in hits)


@pytest.mark.parametrize("k", [10, 100])
def test_a_filter_of_all_that_is_far_is_answered_exactly(pair, k):
    exact, store = pair
    (query,) = groups(1, seed=7)
    (everything,) = exact.search(query[None], N)
    far = everything.keys[N // 2 :]
    (hits,), (right,) = store.search(query[None], k, far), exact.search(query[None], k, far)
    assert hits.keys.tolist() == right.keys.tolist()
    assert hits.scores.tolist() == right.scores.tolist()


def small(tmp_path, vectors, keys=None):
    exact = open_exact(tmp_path / "vectors", vectors.shape[1])
    exact.upsert(np.arange(len(vectors)) if keys is None else keys, vectors)
    return indexed(tmp_path / "index", exact), exact


def test_what_comes_after_the_index_is_found_at_once(tmp_path):
    store, exact = small(tmp_path, groups(2000))
    (query,) = groups(1, seed=8)
    near = exact.search(query[None], 1)[0].scores[0]
    store.upsert(np.array([7000, 7001]), np.stack([query, groups(1, seed=9)[0]]))
    assert (store.tail, len(store)) == (2, 2002)
    (hits,) = store.search(query[None], 5)
    assert hits.keys[0] == 7000
    assert hits.scores[1] == near
    store.upsert(np.array([3]), query[None])  # a post of the index moves into the tail
    assert store.search(query[None], 5)[0].keys.tolist()[:2] == [3, 7000]
    assert (store.search(query[None], 2000)[0].keys == 3).sum() == 1


def test_rows_without_an_owner_are_passed_over_however_near(tmp_path):
    store, exact = small(tmp_path, groups(2000))
    (query,) = groups(1, seed=8)
    nearest = exact.search(query[None], 60)[0].keys
    store.delete(nearest)
    (hits,) = store.search(query[None], 10)
    assert len(hits.keys) == 10
    assert not np.isin(hits.keys, nearest).any()
    assert hits.keys.tolist() == store._rows.exact().search(query[None], 10)[0].keys.tolist()


def test_among_many_equals_the_first_keys_win(tmp_path):
    vectors = groups(3000)
    same = np.random.default_rng(1).permutation(3000)[:400]
    vectors[same] = vectors[same[0]]
    store, _ = small(tmp_path, vectors)
    (hits,) = store.search(vectors[same[:1]], 25)
    assert hits.keys.tolist() == np.sort(same)[:25].tolist()


def test_several_graphs_in_one_index(tmp_path):
    exact = open_exact(tmp_path / "vectors", DIM)
    exact.upsert(np.arange(3000), groups(3000))
    (tmp_path / "index").mkdir()
    builder = Builder(tmp_path / "index", DIM)
    positions, rows = next(exact.segments.blocks())
    for start in range(0, 3000, 1000):
        assert list(builder.insert(positions[start : start + 1000], rows[start : start + 1000])) == [1000]
        builder.grow()
    files = builder.finish()
    assert sum(name.endswith("tq_vectors.dat") for name in files) >= 3
    store = QdrantStore(Shard(tmp_path / "index", files), 3000, 128, exact)
    queries = groups(20, seed=4)
    assert found(store.search(queries, 10), exact.search(queries, 10)) > 0.98


def test_when_the_engine_gives_up_everything_is_looked_at(pair, monkeypatch):
    exact, store = pair
    queries = groups(3, seed=5)

    def give_up(*_):
        raise ShardError("the engine gave up: index out of bounds")

    monkeypatch.setattr(store._shard, "search", give_up)
    right = exact.search(queries, 10)
    assert [one.keys.tolist() for one in store.search(queries, 10)] == [one.keys.tolist() for one in right]
    assert "index out of bounds" in store.trouble


def test_a_graph_that_is_not_all_reached_is_not_believed(pair, monkeypatch):
    exact, store = pair
    ask = store._shard.search
    monkeypatch.setattr(
        store._shard, "search", lambda *asked: type(ask(*asked))(*(part[:15] for part in ask(*asked)))
    )
    queries = groups(3, seed=5)
    right = exact.search(queries, 10)
    assert [one.keys.tolist() for one in store.search(queries, 10)] == [one.keys.tolist() for one in right]


def state(folder):
    """Every file's name, bytes and time."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path, path.read_bytes(), path.stat().st_mtime_ns) for path in files]


def test_reading_writes_nothing_and_leaves_nothing_behind(tmp_path, monkeypatch):
    exact = open_exact(tmp_path / "vectors", DIM)
    exact.upsert(np.arange(2000), groups(2000))
    files = files_of(tmp_path / "index", exact.segments)
    before = state(tmp_path / "index")
    views = tmp_path / "views"
    views.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(views))
    shards = [Shard(tmp_path / "index", files) for _ in range(3)]
    assert list(views.iterdir()) == []
    for shard in shards:
        store = QdrantStore(shard, end_of(exact.segments), 128, exact)
        assert len(store.search(groups(2, seed=3), 10)[0].keys) == 10
    del shards, shard, store
    assert state(tmp_path / "index") == before


def answer_and_stay(folder, files, channel):
    shard = Shard(folder, files)
    channel.send(shard.search(groups(1, seed=3)[0], 10, 128).positions.tolist())
    channel.recv()


def test_any_number_of_processes_read_at_once(tmp_path):
    exact = open_exact(tmp_path / "vectors", DIM)
    exact.upsert(np.arange(2000), groups(2000))
    files = files_of(tmp_path / "index", exact.segments)
    spawn = multiprocessing.get_context("spawn")
    readers = []
    for _ in range(3):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=answer_and_stay, args=(tmp_path / "index", files, theirs))
        process.start()
        theirs.close()
        readers.append((process, ours))
    answers = [ours.recv() for _, ours in readers]  # all of them have it open now
    shutil.rmtree(tmp_path / "index")  # … and go on reading what is deleted
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 10
    for process, ours in readers:
        ours.send("go")
        process.join()
        assert process.exitcode == 0
