from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cartolina import text
from cartolina.errors import InputError, MissingPackage
from cartolina.text import glove
from cartolina.text.cooccurrence import RECORD, CoOccurrences, count_cooccurrences
from cartolina.text.corpus import numbered
from cartolina.text.glove import GloVe, GloVeSettings, learn_glove
from cartolina.text.pooling import inverse_document_frequency
from cartolina.text.pretrained import read_words

pytest.importorskip("numba")

SMALL = GloVeSettings(dim=16, window=3, epochs=20)

TOY = ["the cat sat on a mat", "a cat and a dog", "dog sat", "mat cat cat dog", "bird sings to dog"] * 3


def toy(window: int = 4) -> CoOccurrences:
    corpus = numbered(TOY)
    return count_cooccurrences(corpus.numbers, len(corpus.words), window)


def two_topics(texts: int = 2000) -> list[str]:
    """Sentences about the sea or about the town, never both."""
    rng = np.random.default_rng(0)
    topics = (["sea", "sand", "beach", "wave"], ["street", "car", "tower", "house"])
    return [" ".join(rng.permutation(topics[row % 2])) for row in range(texts)]


def naive_glove(counted: CoOccurrences, settings: GloVeSettings) -> tuple[np.ndarray, list[float]]:
    """GloVe as its paper writes it, number by number: only the start and the order are taken from ours."""
    rng = np.random.default_rng(settings.seed)
    rows, _ = glove._start(counted.size, settings.dim, rng)
    w, context = rows[:, 0].astype(float).tolist(), rows[:, 2].astype(float).tolist()
    w_sum = [[1.0] * settings.dim for _ in w]
    context_sum = [[1.0] * settings.dim for _ in w]
    b, c = [0.0] * len(w), [0.0] * len(w)
    b_sum, c_sum = [1.0] * len(w), [1.0] * len(w)
    losses = []
    for _ in range(settings.epochs):
        total = seen = 0.0
        for block in glove._blocks(counted.records, rng):
            for first, second, x in block.tolist():
                for i, j in dict.fromkeys([(first, second), (second, first)]):
                    weight = (x / settings.x_max) ** settings.alpha if x < settings.x_max else 1
                    off = (
                        sum(p * q for p, q in zip(w[i], context[j], strict=True)) + b[i] + c[j] - math.log(x)
                    )
                    total += weight * off**2
                    seen += 1
                    for d in range(settings.dim):
                        of_w, of_context = weight * off * context[j][d], weight * off * w[i][d]
                        w_sum[i][d] += of_w**2
                        context_sum[j][d] += of_context**2
                        w[i][d] -= settings.learning_rate * of_w / math.sqrt(w_sum[i][d])
                        context[j][d] -= settings.learning_rate * of_context / math.sqrt(context_sum[j][d])
                    b_sum[i] += (weight * off) ** 2
                    c_sum[j] += (weight * off) ** 2
                    b[i] -= settings.learning_rate * weight * off / math.sqrt(b_sum[i])
                    c[j] -= settings.learning_rate * weight * off / math.sqrt(c_sum[j])
        losses.append(total / seen)
    return np.array(w) + np.array(context), losses


def test_defaults_are_the_papers():
    s = GloVeSettings()
    assert (s.dim, s.window, s.epochs, s.learning_rate, s.x_max, s.alpha) == (400, 10, 30, 0.05, 100, 0.75)


def test_scaled_for_a_small_corpus():
    small = GloVeSettings(scale=True).for_corpus(200_000, 30_000)
    assert small == GloVeSettings(x_max=1.0, min_count=2)
    assert GloVeSettings(scale=True).for_corpus(2_000_000, 300_000) == GloVeSettings.published()
    kept = text.create("glove:scaled:x_max=10").settings.for_corpus(200_000, 30_000)
    assert (kept.x_max, kept.min_count) == (10, 2)


@pytest.mark.parametrize(
    "settings",
    [
        GloVeSettings(dim=7, epochs=4),
        GloVeSettings(dim=20, epochs=3, x_max=3, alpha=0.5, learning_rate=0.2, seed=5),
    ],
)
def test_as_the_paper_writes_it(settings, monkeypatch):
    monkeypatch.setattr(glove, "BLOCK", 8)  # several blocks, the last one not full
    counted = toy()
    vectors, losses = learn_glove(counted, settings)
    expected, expected_losses = naive_glove(counted, settings)
    assert np.abs(expected).max() > 0.01  # it has moved
    np.testing.assert_allclose(vectors, expected, rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-4)


@pytest.mark.parametrize("pair", [(0, 2), (1, 1)])
@pytest.mark.parametrize("x", [0.2, 3.0, 500.0])
def test_steps_follow_the_gradient_of_the_objective(pair, x):
    from cartolina.text.glove_kernels import adagrad

    rng = np.random.default_rng(1)
    rows = np.ones((3, 4, 5), np.float32)
    rows[:, 0::2] = rng.normal(size=(3, 2, 5))
    biases = np.ones((3, 4), np.float32)
    biases[:, 0::2] = rng.normal(size=(3, 2))
    x_max, alpha, rate = 100.0, 0.75, 0.05
    ways = dict.fromkeys([pair, pair[::-1]])

    def objective(parameters: np.ndarray) -> float:
        w, context = parameters[:15].reshape(3, 5), parameters[15:30].reshape(3, 5)
        b, c = parameters[30:33], parameters[33:]
        f = min(1.0, (x / x_max) ** alpha)
        return sum(f * (w[i] @ context[j] + b[i] + c[j] - math.log(x)) ** 2 for i, j in ways)

    def flat(side: int) -> np.ndarray:
        parts = (rows[:, side], rows[:, side + 2], biases[:, side], biases[:, side + 2])
        return np.concatenate([part.ravel() for part in parts]).astype(np.float64)

    before = flat(0)
    shifts = np.eye(len(before)) * 1e-5
    slopes = [(objective(before + shift) - objective(before - shift)) / 2e-5 for shift in shifts]
    first, second = (np.array([word], np.int32) for word in pair)
    loss = adagrad(first, second, np.array([x], np.float32), rows, biases, np.float32(rate), x_max, alpha)
    assert loss == pytest.approx(objective(before), rel=1e-5)
    gradient = (before - flat(0)) * np.sqrt(flat(1)) / rate
    np.testing.assert_allclose(gradient, np.array(slopes) / 2, rtol=1e-3, atol=2e-4)
    np.testing.assert_allclose(flat(1), 1 + (np.array(slopes) / 2) ** 2, rtol=1e-4)


def test_words_used_together_come_together():
    model = GloVe(SMALL).fit(two_topics())
    unit = model.vectors / np.linalg.norm(model.vectors, axis=1, keepdims=True)
    sea, sand, car = (unit[model.rows[word]] for word in ("sea", "sand", "car"))
    assert sea @ sand > sea @ car + 0.3
    assert len(model.losses) == SMALL.epochs
    assert model.losses[-1] < model.losses[0] / 4


def test_same_seed_same_vectors():
    first, again = (GloVe(SMALL).fit(two_topics()) for _ in range(2))
    assert first.words == again.words
    np.testing.assert_array_equal(first.vectors, again.vectors)
    other = GloVe(replace(SMALL, seed=1)).fit(two_topics())
    assert not np.array_equal(first.vectors, other.vectors)


def test_memory_does_not_change_the_vectors():
    """Out of core, pairs are learnt from in the same order."""
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in row) for row in rng.zipf(1.3, (3000, 9)) % 3000]
    settings = GloVeSettings(dim=4, epochs=2, min_count=1)
    inside, outside = (GloVe(replace(settings, memory=memory)).fit(texts) for memory in (1 << 30, 1))
    np.testing.assert_array_equal(inside.vectors, outside.vectors)
    assert inside.losses == outside.losses


def test_two_threads_learn_as_well_and_the_same_each_time():
    texts = two_topics()
    one, two, again = (GloVe(replace(SMALL, workers=workers)).fit(texts) for workers in (1, 2, 2))
    assert two.losses[-1] == pytest.approx(one.losses[-1], rel=0.2, abs=1e-3)
    np.testing.assert_array_equal(two.vectors, again.vectors)
    assert two.losses == again.losses


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_threads_never_have_a_word_in_common_and_take_all_pairs(workers):
    rng = np.random.default_rng(0)
    block = np.zeros(5000, RECORD)
    block["first"], block["second"] = rng.integers(0, 90, (2, 5000))
    block["count"] = np.arange(5000)
    turns, bounds = glove._Turns.of(90, workers, rng).sorted(block)
    assert sorted(turns["count"].tolist()) == list(range(5000))
    assert (bounds[0], bounds[-1], len(bounds)) == (0, 5000, workers * (2 * workers - 1) + 1)
    for number in range(0, len(bounds) - 1, workers):
        words = [
            {*turns["first"][a:b].tolist(), *turns["second"][a:b].tolist()}
            for a, b in pairwise(bounds[number : number + workers + 1].tolist())
        ]
        assert len(set().union(*words)) == sum(map(len, words))


def test_fit_learns_the_weights_too_and_forgets_the_past():
    model = GloVe(SMALL, pooling="tf-idf").fit(["old words"])
    model.fit(iter(["sea sand", "sea", "the of"]))  # a stream is enough: texts are read once
    assert model.words[0] == "sea"  # the most frequent first
    assert model.unknown("old sea") == ["old"]
    documents = [np.array([0, 1]), np.array([0]), np.array([], np.int64)]
    np.testing.assert_allclose(model.idf, inverse_document_frequency(documents, 2))
    plain = text.word_vectors.WordVectors("plain", model.words, model.vectors).fit(
        ["sea sand", "sea", "the of"]
    )
    np.testing.assert_array_equal(model.idf, plain.idf)


def test_unknown_words():
    model = GloVe(SMALL).fit(two_topics())
    assert model.unknown("a lighthouse by the sea") == ["lighthouse"]
    np.testing.assert_array_equal(model.embed(["lighthouse"]), np.zeros((1, 16)))
    assert model.nearest("towr") == "tower"


def test_rare_words_are_left_out_and_their_neighbours_close_up():
    model = GloVe(GloVeSettings(dim=4, epochs=1, window=1, min_count=2)).fit(["sea gull sand", "sand sea"])
    assert sorted(model.words) == ["sand", "sea"]


def test_saved_in_our_format(tmp_path):
    model = GloVe(SMALL, pooling="tf-idf").fit(two_topics(100))
    model.save(tmp_path)
    loaded = text.load(tmp_path)
    assert loaded.name == "glove"
    np.testing.assert_array_equal(loaded.embed(["sea sand", "car"]), model.embed(["sea sand", "car"]))


def test_saved_as_text(tmp_path):
    model = GloVe(SMALL).fit(two_topics(100))
    model.save_text(tmp_path / "words.txt")
    line = (tmp_path / "words.txt").read_text().splitlines()[0].split(" ")
    assert line[0] == model.words[0]
    assert len(line) == 17
    loaded = read_words(tmp_path / "words.txt")
    assert loaded.words == model.words
    np.testing.assert_array_equal(loaded.vectors, model.vectors)


class Heard:
    """A progress that remembers its tasks: label, total, unit, what was done, the last note."""

    def __init__(self) -> None:
        self.tasks: list[list] = []

    @contextmanager
    def task(self, label, total, unit):
        self.tasks.append([label, total, unit, 0, ""])
        yield self

    def advance(self, n=1):
        self.tasks[-1][3] += n

    def note(self, message):
        self.tasks[-1][4] = message

    def say(self, message):
        raise AssertionError(message)


def test_progress_tells_words_and_nonzeros(monkeypatch):
    monkeypatch.setattr(glove, "BLOCK", 8)
    heard = Heard()
    model = GloVe(replace(SMALL, epochs=3)).fit(["sea sand sea wave", "sand wave the"], heard)
    assert heard.tasks == [
        ["reading words", None, "words", 6, ""],
        ["co-occurrences", 8, "words", 8, ""],  # the ends of two texts counted in
        # Three epochs of sea-sea, and of three pairs both ways.
        ["glove, 3 epochs", 21, "non-zeros", 21, f"epoch 3, loss {model.losses[-1]:.4f}"],
    ]


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingPackage, match=r"'numba': pip install 'cartolina\[text\]'"):
        GloVe(SMALL).fit(["sea sand"])


def test_no_disk_to_keep_what_was_compiled(monkeypatch):
    import numba

    from cartolina.text.glove_kernels import _compiled

    njit = numba.njit

    def without_disk(*, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")  # as numba does
        return njit(**options)

    monkeypatch.setattr(numba, "njit", without_disk)

    def twice(x: float) -> float:
        return 2 * x

    assert _compiled(twice)(4.0) == 8


def test_by_name():
    model = text.create("glove", pooling="sum", seed=3, workers=2)
    assert (model.name, model.dim, model.settings.seed, model.settings.workers) == ("glove", 400, 3, 2)
    named = text.create("glove:dim=100:epochs=15:x_max=10").settings
    assert (named.dim, named.epochs, named.x_max, named.alpha) == (100, 15, 10, 0.75)


@pytest.mark.parametrize("texts", [[], ["", "the of", "!!"]])
def test_nothing_to_learn_from(texts):
    with pytest.raises(InputError, match=f"the {len(texts)} given hold no words"):
        GloVe(SMALL).fit(texts)


def test_every_word_too_rare():
    with pytest.raises(InputError, match="seen 3 times"):
        GloVe(replace(SMALL, min_count=3)).fit(["sea sand"])


@pytest.mark.parametrize("texts", [["sea"], ["sea", "sand", "sea"]])
def test_words_that_never_meet(texts):
    with pytest.raises(InputError, match="stand together"):
        GloVe(SMALL).fit(texts)


def test_divergence_is_said():
    with pytest.raises(InputError, match="learning_rate below 1e"):
        GloVe(replace(SMALL, learning_rate=1e20)).fit(two_topics(50))


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"window": -1}, {"learning_rate": 0}, {"memory": 0}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        GloVeSettings(**wrong)


def test_not_fitted(tmp_path):
    with pytest.raises(InputError, match="call fit"):
        GloVe().embed(["sea"])
    with pytest.raises(InputError, match="call fit"):
        GloVe().save(tmp_path)
    with pytest.raises(InputError, match="call fit"):
        GloVe().save_text(tmp_path / "words.txt")
