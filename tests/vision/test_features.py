import random
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from vision_photos import MeanColour, mean_colour, photo

from cartolina.errors import UnknownName
from cartolina.vision import features as module
from cartolina.vision.cache import FeatureCache, feature_key
from cartolina.vision.decode import content_hash, open_rgb
from cartolina.vision.features import extract

PHOTOS = [photo(n, (16, 16)) for n in range(30)]


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "features", MeanColour.shape)


def got(cache, photos, view="plain"):
    return cache.get([feature_key(content_hash(data), view) for data in photos])


def test_features_of_every_photo_in_order(cache):
    backbone = MeanColour()
    found = list(extract(enumerate(PHOTOS), [backbone], [cache]))
    assert found == [(n, content_hash(data)) for n, data in enumerate(PHOTOS)]
    expected = np.stack([mean_colour(data) for data in PHOTOS])
    np.testing.assert_allclose(got(cache, PHOTOS), expected, atol=1e-3)
    assert backbone.seen == 30


def test_order_holds_when_some_photos_are_slow(cache, monkeypatch):
    def slow(data, at_least):
        time.sleep(random.Random(data).random() / 100)
        return open_rgb(data, at_least)

    monkeypatch.setattr(module, "open_rgb", slow)
    monkeypatch.setattr(module, "available_cores", lambda: 5)
    monkeypatch.setattr(module, "_PHOTOS_PER_COMMIT", 7)
    assert [n for n, _ in extract(enumerate(PHOTOS), [MeanColour()], [cache])] == list(range(30))


def test_the_mirror_swaps_left_and_right(cache):
    list(extract(enumerate(PHOTOS), [MeanColour()], [cache], views=("plain", "mirror")))
    np.testing.assert_array_equal(got(cache, PHOTOS, "mirror"), got(cache, PHOTOS)[:, ::-1])


def test_an_unknown_view():
    with pytest.raises(UnknownName, match="mirror"):
        list(extract([], [MeanColour()], [], views=("miror",)))


def test_a_second_run_infers_and_decodes_nothing(cache, monkeypatch):
    list(extract(enumerate(PHOTOS), [MeanColour()], [cache]))
    backbone = MeanColour()
    monkeypatch.setattr(module, "open_rgb", None)
    assert len(list(extract(enumerate(PHOTOS), [backbone], [cache]))) == 30
    assert backbone.seen == 0


def test_a_new_view_or_backbone_infers_only_what_is_missing(cache, tmp_path):
    list(extract(enumerate(PHOTOS[:10]), [MeanColour()], [cache]))
    first, second = MeanColour(), MeanColour(32)
    other = FeatureCache(tmp_path / "other", second.shape)
    list(extract(enumerate(PHOTOS), [first, second], [cache, other]))
    assert (first.seen, second.seen) == (20, 30)
    again = MeanColour()
    list(extract(enumerate(PHOTOS), [again], [cache], views=("plain", "mirror")))
    assert len(cache) == 60


def test_each_photo_is_decoded_once_for_all(cache, tmp_path, monkeypatch):
    decoded = []

    def counting(data, at_least):
        decoded.append(at_least)
        return open_rgb(data, at_least)

    monkeypatch.setattr(module, "open_rgb", counting)
    other = FeatureCache(tmp_path / "other", MeanColour.shape)
    list(
        extract(enumerate(PHOTOS), [MeanColour(), MeanColour(32)], [cache, other], views=("plain", "mirror"))
    )
    assert decoded == [32] * 30
    np.testing.assert_allclose(got(cache, PHOTOS), got(other, PHOTOS), atol=0.2)


@pytest.mark.parametrize("commit", [1, 256])
def test_the_same_content_is_inferred_once(cache, monkeypatch, commit):
    monkeypatch.setattr(module, "_PHOTOS_PER_COMMIT", commit)
    backbone = MeanColour()
    order = [n for _ in range(4) for n in range(10)] + [3] * 20
    found = list(extract(((n, PHOTOS[n]) for n in order), [backbone], [cache]))
    assert found == [(n, content_hash(PHOTOS[n])) for n in order]
    assert backbone.seen == len(cache) == 10


def test_bad_photos_are_skipped_in_turn_with_their_reason(cache, tmp_path):
    bad = [b"no photo", b"", tmp_path / "gone.jpg", PHOTOS[0][:60], b"no photo"]
    mixed = [item for pair in zip(PHOTOS[:5], bad, strict=True) for item in pair] + [PHOTOS[9]]
    told = []
    run = extract(enumerate(mixed), [MeanColour()], [cache], on_skip=lambda *what: told.append(what))
    assert [n for n, _ in run] == [0, 2, 4, 6, 8, 10]
    assert [(n, reason) for n, reason, _ in told] == [
        (1, "not an image"),
        (3, "empty file"),
        (5, "no such image"),
        (7, "truncated image"),
        (9, "not an image"),
    ]
    assert str(tmp_path / "gone.jpg") in told[2][2]
    assert len(list(extract(enumerate(mixed), [MeanColour()], [cache]))) == 6  # nobody listens


def test_features_are_durable_when_their_photo_is_yielded(cache, monkeypatch):
    monkeypatch.setattr(module, "_PHOTOS_PER_COMMIT", 8)
    for _, content in extract(enumerate(PHOTOS), [MeanColour()], [cache]):
        other = FeatureCache(cache.folder, cache.shape)  # as another process would see it
        assert feature_key(content, "plain") in other
        other.close()


def test_items_are_taken_as_they_are_needed(cache, monkeypatch):
    monkeypatch.setattr(module, "_PHOTOS_PER_COMMIT", 1)
    monkeypatch.setattr(module, "available_cores", lambda: 1)
    taken = []

    def stream():
        for n in range(10_000):
            taken.append(n)
            yield n, PHOTOS[n % 30]

    run = extract(stream(), [MeanColour()], [cache])
    for _ in range(50):
        next(run)
    assert len(taken) < 100
    run.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("features")]


def test_a_broken_backbone_is_not_swallowed(cache):
    class Broken(MeanColour):
        def __call__(self, pixels):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        list(extract(enumerate(PHOTOS), [Broken()], [cache]))


def test_nothing_to_do(cache):
    assert list(extract([], [MeanColour()], [cache])) == []


def test_progress_counts_every_photo(cache):
    class Listener:
        def __init__(self):
            self.tasks, self.done = [], 0

        @contextmanager
        def task(self, label, total, unit):
            self.tasks.append((label, total, unit))
            yield self

        def advance(self, n=1):
            self.done += n

        def note(self, message):
            pass

        def say(self, message):
            pass

    listener = Listener()
    list(extract(enumerate([*PHOTOS, b"bad"]), [MeanColour()], [cache], progress=listener, total=31))
    assert (listener.tasks, listener.done) == ([("features", 31, "images")], 31)
