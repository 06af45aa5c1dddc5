import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartolina.errors import InputError
from cartolina.vision import cache as module
from cartolina.vision.cache import FeatureCache, feature_key


def rows(*values: float) -> np.ndarray:
    """Features of shape (2, 3), each full of one value."""
    return np.stack([np.full((2, 3), value, np.float32) for value in values])


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "features", (2, 3))


def test_what_was_put_is_got_in_the_order_asked(cache):
    cache.put(["a", "b", "c"], rows(1, 2, 3))
    np.testing.assert_array_equal(cache.get(["c", "a", "c"]), rows(3, 1, 3))
    assert cache.get(["a"]).dtype == np.float32
    assert cache.get([]).shape == (0, 2, 3)
    assert ("a" in cache, "d" in cache, len(cache)) == (True, False, 3)


def test_a_missing_key_is_named(cache):
    with pytest.raises(KeyError, match="nowhere"):
        cache.get(["nowhere"])


def test_a_key_keeps_its_first_features_and_one_row(cache):
    cache.put(["a"], rows(1))
    cache.put(["b", "a", "b"], rows(2, 9, 8))
    np.testing.assert_array_equal(cache.get(["a", "b"]), rows(1, 2))
    assert (cache.folder / "0000.f16").stat().st_size == 2 * 6 * 2


def test_a_second_opening_finds_everything(cache):
    cache.put(["a"], rows(1.5))
    cache.close()
    again = FeatureCache(cache.folder, (2, 3))
    again.put(["b"], rows(2.5))
    np.testing.assert_array_equal(again.get(["a", "b"]), rows(1.5, 2.5))


def test_another_shape_is_refused(cache):
    with pytest.raises(InputError, match=r"\[2, 3\].*expected.*\[6\]"):
        FeatureCache(cache.folder, (6,))
    with pytest.raises(InputError, match="expected"):
        cache.put(["a"], np.zeros((1, 6), np.float32))


def test_numbers_that_half_precision_cannot_hold(cache):
    cache.put(["a", "b"], rows(1e9, -1e9))
    np.testing.assert_array_equal(cache.get(["a", "b"]), rows(65504, -65504))
    for bad in (np.nan, np.inf):
        with pytest.raises(InputError, match="finite"):
            cache.put(["c"], rows(bad))
    assert "c" not in cache


def test_shards_fill_up_and_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SHARD_BYTES", 4 * 6 * 2)  # four rows
    cache = FeatureCache(tmp_path, (2, 3))
    keys = [f"k{n}" for n in range(11)]
    cache.put(keys[:3], rows(*range(3)))
    cache.put(keys[3:], rows(*range(3, 11)))
    np.testing.assert_array_equal(cache.get(keys[::-1]), rows(*range(11))[::-1])
    assert [f.stat().st_size // 12 for f in sorted(tmp_path.glob("*.f16"))] == [4, 4, 3]


def test_what_a_killed_writer_left_is_overwritten(cache):
    cache.put(["a"], rows(1))
    with (cache.folder / "0000.f16").open("ab") as file:
        file.write(b"\x7f" * 17)  # a row and a bit, not indexed
    np.testing.assert_array_equal(cache.get(["a"]), rows(1))
    cache.put(["b"], rows(2))
    np.testing.assert_array_equal(cache.get(["a", "b"]), rows(1, 2))
    assert (cache.folder / "0000.f16").stat().st_size == 24


def test_a_write_that_fails_leaves_nothing(cache, monkeypatch):
    cache.put(["a"], rows(1))

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fsync", full_disk)
        with pytest.raises(OSError, match="No space"):
            cache.put(["b"], rows(2))
    assert "b" not in cache
    cache.put(["b"], rows(3))
    np.testing.assert_array_equal(cache.get(["a", "b"]), rows(1, 3))


def test_rows_are_on_disk_before_they_are_indexed(cache, monkeypatch):
    indexed_at_fsync = []
    real = module.os.fsync

    def fsync(descriptor):
        with sqlite3.connect(cache.folder / "index.sqlite") as other:
            indexed_at_fsync.append(other.execute("SELECT COUNT(*) FROM features").fetchone()[0])
        other.close()
        real(descriptor)

    monkeypatch.setattr(module.os, "fsync", fsync)
    cache.put(["a"], rows(1))
    assert indexed_at_fsync
    assert set(indexed_at_fsync) == {0}


def put_some(folder, start):
    cache = FeatureCache(folder, (2, 3))
    for n in range(start, start + 40):
        cache.put([f"k{n}"], rows(n))
    cache.close()


def test_two_processes_and_many_threads_may_write(tmp_path):
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=put_some, args=(tmp_path, 20))
    other.start()
    cache = FeatureCache(tmp_path, (2, 3))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cache.put([f"k{n}"], rows(n)), range(40)))
    other.join()
    assert other.exitcode == 0
    np.testing.assert_array_equal(cache.get([f"k{n}" for n in range(60)]), rows(*range(60)))
    assert (tmp_path / "0000.f16").stat().st_size == 60 * 12


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.text("ab", max_size=3), st.floats(-9, 9, width=16)), max_size=6), max_size=5
    )
)
def test_like_a_dict_that_keeps_the_first(tmp_path_factory, batches):
    cache = FeatureCache(tmp_path_factory.mktemp("cache"), (2, 3))
    expected = {}
    for batch in batches:
        keys = [key for key, _ in batch]
        cache.put(keys, rows(*(value for _, value in batch)) if batch else np.empty((0, 2, 3)))
        for key, value in batch:
            expected.setdefault(key, value)
    assert len(cache) == len(expected)
    np.testing.assert_array_equal(
        cache.get(list(expected)), rows(*expected.values()) if expected else np.empty((0, 2, 3))
    )
    cache.close()


def test_more_keys_than_one_question_may_name(tmp_path):
    cache = FeatureCache(tmp_path, (1,))
    keys = [feature_key(f"{n:032x}", "plain") for n in range(1200)]
    cache.put(keys, np.arange(1200, dtype=np.float32)[:, None])
    np.testing.assert_array_equal(cache.get(keys)[:, 0], np.arange(1200))
