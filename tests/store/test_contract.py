"""What every store must do; a new store is one more line in `STORES`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from indexed import Indexed, PartlyIndexed

from cartolina.errors import InputError
from cartolina.store import open_exact

STORES = {"exact": open_exact, "qdrant": Indexed, "qdrant and its tail": PartlyIndexed}


@pytest.fixture(params=list(STORES))
def make(request, tmp_path_factory):
    return lambda dim: STORES[request.param](tmp_path_factory.mktemp("store"), dim)


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def rows(n, dim, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, dim)))


def keys(*given):
    return np.array(given, np.int64)


def naive(vectors_by_key, query, k, allowed=None):
    """The oracle: plain Python over a dictionary."""
    scored = [
        (-np.float32(sum(float(a) * float(b) for a, b in zip(vector, query, strict=True))), key)
        for key, vector in vectors_by_key.items()
        if allowed is None or key in allowed
    ]
    return [(key, -score) for score, key in sorted(scored)[:k]]


def test_scores_are_cosines_in_descending_order(make):
    store = make(2)
    store.upsert(keys(5, 9, 2), np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32))
    (hits,) = store.search(np.array([[1, 0]], np.float32), k=3)
    assert hits.keys.tolist() == [5, 2, 9]
    np.testing.assert_allclose(hits.scores, [1, 0.6, 0], atol=1e-7)
    assert hits.keys.dtype == np.int64
    assert hits.scores.dtype == np.float32


def test_an_empty_store_has_no_hits(make):
    (hits,) = make(3).search(rows(1, 3), k=5)
    assert len(hits.keys) == len(hits.scores) == 0


@pytest.mark.parametrize(("k", "expected"), [(0, 0), (2, 2), (3, 3), (10, 3)])
def test_at_most_k_and_at_most_all(make, k, expected):
    store = make(4)
    store.upsert(keys(1, 2, 3), rows(3, 4))
    assert [len(hits.keys) for hits in store.search(rows(2, 4, seed=1), k)] == [expected] * 2


def test_no_queries_no_answers(make):
    store = make(4)
    store.upsert(keys(1), rows(1, 4))
    assert store.search(np.empty((0, 4), np.float32), 3) == []


@pytest.mark.parametrize("dim", [3, 37, 384])
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_equal_vectors_tie_and_ties_go_by_key(make, dim, batch):
    """BLAS rounds a row by where it lies in the matrix; a hit's score must not."""
    store = make(dim)
    order = np.random.default_rng(3).permutation(101).astype(np.int64)
    store.upsert(order, np.repeat(rows(1, dim), 101, axis=0))
    for hits in store.search(rows(batch, dim, seed=1), k=11):
        assert hits.keys.tolist() == list(range(11))
        assert len(set(hits.scores.tolist())) == 1


def test_a_score_is_the_same_alone_in_a_batch_and_filtered(make):
    store = make(96)
    vectors, queries = rows(300, 96), rows(9, 96, seed=1)
    store.upsert(np.arange(300), vectors)
    together = store.search(queries, k=300)
    for query, hits in zip(queries, together, strict=True):
        (alone,) = store.search(query[None], k=300)
        assert alone.keys.tolist() == hits.keys.tolist()
        assert alone.scores.tolist() == hits.scores.tolist()
        (few,) = store.search(query[None], k=300, allowed=hits.keys[5:25])
        assert few.keys.tolist() == hits.keys[5:25].tolist()
        assert few.scores.tolist() == hits.scores[5:25].tolist()


def test_upsert_replaces(make):
    store = make(2)
    store.upsert(keys(1, 2), np.array([[1, 0], [0, 1]], np.float32))
    store.upsert(keys(2, 3), np.array([[1, 0], [0, 1]], np.float32))
    (hits,) = store.search(np.array([[1, 0]], np.float32), k=9)
    assert hits.keys.tolist() == [1, 2, 3]
    np.testing.assert_allclose(hits.scores, [1, 1, 0], atol=1e-7)
    assert len(store) == 3


def test_deleted_keys_are_never_found_and_may_come_back(make):
    store = make(2)
    store.upsert(keys(1, 2), np.array([[1, 0], [0, 1]], np.float32))
    store.delete(keys(1, 77))
    query = np.array([[1, 0]], np.float32)
    assert store.search(query, k=9)[0].keys.tolist() == [2]
    assert store.search(query, k=9, allowed=keys(1))[0].keys.tolist() == []
    store.upsert(keys(1), np.array([[1, 0]], np.float32))
    assert store.search(query, k=1)[0].keys.tolist() == [1]


@pytest.mark.parametrize("allowed", [0, 1, 5, 60, 199, 200])
def test_only_allowed_keys_however_many(make, allowed):
    store = make(8)
    vectors = rows(200, 8)
    store.upsert(np.arange(200) * 3, vectors)
    chosen = np.random.default_rng(1).permutation(200)[:allowed] * 3
    (query,) = rows(1, 8, seed=2)
    (hits,) = store.search(query[None], k=10, allowed=np.r_[chosen, 1, 100_000])
    expected = naive(dict(zip((np.arange(200) * 3).tolist(), vectors, strict=True)), query, 10, set(chosen))
    assert hits.keys.tolist() == [key for key, _ in expected]


def test_a_key_allowed_twice_is_found_once(make):
    store = make(2)
    store.upsert(np.arange(50), np.repeat(unit([[1, 1]]), 50, axis=0))
    assert store.search(unit([[1, 0]]), k=3, allowed=keys(4, 4, 4))[0].keys.tolist() == [4]


@pytest.mark.parametrize(
    ("given_keys", "vectors", "message"),
    [
        (keys(1), np.array([[np.nan, 1]], np.float32), "not finite"),
        (keys(1), np.array([[np.inf, 1]], np.float32), "not finite"),
        (keys(1), np.array([[0, 0]], np.float32), "length 0"),
        (keys(1), np.array([[3, 4]], np.float32), "length 5"),
        (keys(1), np.array([[1, 0, 0]], np.float32), r"\(N, 2\)"),
        (keys(1), np.array([1, 0], np.float32), r"\(N, 2\)"),
        (keys(1, 2), np.array([[1, 0]], np.float32), "2 keys for 1"),
        (keys(1, 1), np.array([[1, 0], [0, 1]], np.float32), "repeated"),
        (keys(-1), np.array([[1, 0]], np.float32), "0 or more"),
        (np.array([0.5]), np.array([[1, 0]], np.float32), "integers"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_changes_nothing(make, given_keys, vectors, message):
    store = make(2)
    store.upsert(keys(1), np.array([[1, 0]], np.float32))
    with pytest.raises(InputError, match=message):
        store.upsert(given_keys, vectors)
    (hits,) = store.search(np.array([[1, 0]], np.float32), k=5)
    assert (hits.keys.tolist(), hits.scores.tolist()) == ([1], [1.0])


@pytest.mark.parametrize("query", [[[np.nan, 0]], [[1, 0, 0]], [1, 0]])
def test_queries_that_mean_nothing_are_refused(make, query):
    with pytest.raises(InputError):
        make(2).search(np.array(query, np.float32), k=1)


operations = st.lists(
    st.one_of(
        st.tuples(st.just("upsert"), st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True)),
        st.tuples(st.just("delete"), st.lists(st.integers(0, 30), max_size=12)),
    ),
    max_size=12,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations, st.integers(1, 12), st.none() | st.sets(st.integers(0, 40)), st.integers(0, 2**32 - 1))
def test_any_history_answers_like_a_dictionary(make, history, k, allowed, seed):
    store, expected = make(3), {}
    random = np.random.default_rng(seed)
    choices = unit([[1, 0, 0], [0, 1, 0], [1, 1, 0], [1, -1, 1], [2, 3, 4]])  # few, so that there are ties
    for action, some in history:
        if action == "upsert":
            vectors = choices[random.integers(len(choices), size=len(some))]
            store.upsert(keys(*some), vectors)
            expected |= dict(zip(some, vectors, strict=True))
        else:
            store.delete(keys(*some))
            expected = {key: vector for key, vector in expected.items() if key not in some}
    assert len(store) == len(expected)
    query = unit(random.standard_normal((1, 3)))
    (hits,) = store.search(query, k, None if allowed is None else keys(*allowed))
    wanted = naive(expected, query[0], k, allowed)
    assert hits.keys.tolist() == [key for key, _ in wanted]
    np.testing.assert_allclose(hits.scores, [score for _, score in wanted], atol=1e-6)
