"""What only the exact store has: segments on disk, holes, compaction."""

from __future__ import annotations

import numpy as np
import pytest

from cartolina.errors import AlbumError
from cartolina.store import ExactStore, Segments, open_exact
from cartolina.store.segments import CAPACITY


def rows(n, dim=2, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def reopened(store, keys=None):
    keys = store.keys if keys is None else keys
    segments = Segments(store.segments.folder, store.dim, store.segments.rows)
    return ExactStore(segments, keys, store.positions_of(keys))


def test_opened_again_from_what_the_owner_kept(tmp_path):
    store = open_exact(tmp_path, 2)
    vectors = rows(5)
    store.upsert(np.array([4, 3, 2, 1, 0]), vectors)
    again = reopened(store)
    np.testing.assert_array_equal(again.vectors(np.array([0, 4])), vectors[[4, 0]])
    assert again.search(vectors[2:3], 1)[0].keys.tolist() == [2]


def test_numpy_reads_a_segment_as_it_stands(tmp_path):
    store = open_exact(tmp_path, 2)
    vectors = rows(7)
    store.upsert(np.arange(3), vectors[:3])
    np.testing.assert_array_equal(np.load(tmp_path / "0000.npy"), vectors[:3])
    store.upsert(np.arange(3, 7), vectors[3:])
    np.testing.assert_array_equal(np.load(tmp_path / "0000.npy"), vectors)


def test_more_than_a_segment(tmp_path):
    vectors = rows(CAPACITY + 100)
    store = open_exact(tmp_path, 2)
    store.upsert(np.arange(CAPACITY - 10), vectors[: CAPACITY - 10])
    store.upsert(np.arange(CAPACITY - 10, CAPACITY + 100), vectors[CAPACITY - 10 :])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000.npy", "0001.npy"]
    assert store.segments.rows == {0: CAPACITY, 1: 100}
    wanted = np.array([3, CAPACITY - 1, CAPACITY, CAPACITY + 99])
    np.testing.assert_array_equal(reopened(store).vectors(wanted), vectors[wanted])
    (hits,) = store.search(vectors[CAPACITY + 50 : CAPACITY + 51], 5)
    assert hits.keys.tolist() == np.argsort(-(vectors @ vectors[CAPACITY + 50]), kind="stable")[:5].tolist()


def test_rows_nobody_was_told_of_are_overwritten(tmp_path):
    store = open_exact(tmp_path, 2)
    store.upsert(np.arange(2), rows(2))
    told = dict(store.segments.rows)
    store.upsert(np.arange(2, 9), rows(7, seed=1))  # … and the writer is killed before it tells
    again = ExactStore(Segments(tmp_path, 2, told), np.arange(2), np.arange(2))
    again.upsert(np.array([5]), np.array([[0, 1]], np.float32))
    np.testing.assert_array_equal(np.load(tmp_path / "0000.npy"), np.r_[rows(2), [[0, 1]]])
    assert again.search(np.array([[0, 1]], np.float32), 9)[0].keys.tolist()[0] == 5


def test_a_reader_keeps_its_view_while_a_writer_appends(tmp_path):
    writer = open_exact(tmp_path, 2)
    writer.upsert(np.arange(4), rows(4))
    reader = reopened(writer)
    before = reader.search(rows(1, seed=3), 9)[0]
    writer.upsert(np.arange(4, 40), rows(36, seed=2))
    writer.delete(np.arange(2))
    after = reader.search(rows(1, seed=3), 9)[0]
    assert before.keys.tolist() == after.keys.tolist()
    assert before.scores.tolist() == after.scores.tolist()


def test_compaction_leaves_no_hole_and_the_same_answers(tmp_path):
    store = open_exact(tmp_path, 2)
    vectors = rows(50)
    store.upsert(np.arange(50), vectors)
    store.delete(np.arange(0, 50, 2))
    store.upsert(np.array([1]), vectors[:1])
    assert store.holes == 26
    compact = store.compacted()
    assert (compact.holes, len(compact), compact.segments.rows) == (0, 25, {1: 25})
    query = rows(1, seed=5)
    old, new = store.search(query, 50)[0], compact.search(query, 50)[0]
    assert old.keys.tolist() == new.keys.tolist()
    assert old.scores.tolist() == new.scores.tolist()
    compact.segments.drop_unnamed()
    assert [path.name for path in tmp_path.iterdir()] == ["0001.npy"]
    compact.upsert(np.array([90]), vectors[:1])
    assert reopened(compact).search(vectors[:1], 1)[0].keys.tolist() == [1]


def test_nothing_left_after_compaction(tmp_path):
    store = open_exact(tmp_path, 2)
    store.upsert(np.arange(5), rows(5))
    store.delete(np.arange(5))
    compact = store.compacted()
    assert (len(compact), compact.segments.rows) == (0, {})
    assert compact.search(rows(1), 3)[0].keys.tolist() == []


def test_a_cut_file_is_told_not_read(tmp_path):
    store = open_exact(tmp_path, 2)
    store.upsert(np.arange(50), rows(50))
    path = tmp_path / "0000.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(AlbumError, match="too short for the 50 vectors"):
        reopened(store).search(rows(1), 1)


def test_memory_of_a_batch_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("cartolina.store.exact.SCORES_AT_ONCE", 100)
    store = open_exact(tmp_path, 4)
    store.upsert(np.arange(40), rows(40, 4))
    queries = rows(9, 4, seed=1)
    expected = np.argsort(-(queries @ rows(40, 4).T), axis=1)[:, :3]
    assert [hits.keys.tolist() for hits in store.search(queries, 3)] == expected.tolist()
