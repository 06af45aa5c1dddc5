"""Learning a joint space: a planted relation is found, files equal what was trained, a run goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from cartolina.errors import InputError, UnknownName
from cartolina.learn import joint
from cartolina.learn.joint import Photos, Recipe, hold_out, learn_space, validation
from cartolina.learn.recipes import BEST, FAST
from cartolina.learn.towers import Features, Tower
from cartolina.onnx_session import open_session
from cartolina.text.contract import FORMAT, write_card

SMALL = Recipe(
    heads=2,
    hidden=32,
    dim=16,
    short=24,
    batch=60,
    steps=200,
    image_dropout=(0.0, 0.1),
    text_dropout=(0.0, 0.1),
)
NOUNS = ["dog", "sea", "car", "tree", "bird", "house", "snow", "child", "boat", "horse"]
VERBS = ["red", "small", "wet", "old", "loud", "green"]


class Words:
    """A text model whose φ counts the words of NOUNS and VERBS; `fitted` is what it was shown."""

    name, dim, language = "words", len(NOUNS) + len(VERBS), "English"

    def fit(self, texts, progress=None):
        self.fitted = list(texts)
        return self

    def embed(self, texts):
        known = NOUNS + VERBS
        return np.array([[text.split().count(word) for word in known] for text in texts], np.float32)

    def save(self, folder):
        folder.mkdir(parents=True)
        write_card(folder, {"format": FORMAT, "kind": "words"})


def album(posts=120, seed=0):
    """Photos of a noun with two verbs, of which a caption says one; features are a random map of them."""
    rng = np.random.default_rng(seed)
    lay = np.random.default_rng(99).normal(size=(len(NOUNS) + len(VERBS), 40))
    noun = rng.integers(len(NOUNS), size=posts)
    verbs = np.array([rng.choice(len(VERBS), 2, replace=False) for _ in range(posts)])
    what = np.zeros((posts, len(NOUNS) + len(VERBS)))
    what[np.arange(posts), noun] = 1
    what[np.arange(posts)[:, None], len(NOUNS) + verbs] = 1
    views = what[:, None] @ lay + rng.normal(size=(posts, 2, 40)) * 0.1
    captions = [
        [f"a {VERBS[verb]} {NOUNS[n]}" for verb in pair[: 1 + number % 2]]
        for number, (n, pair) in enumerate(zip(noun, verbs, strict=True))
    ]
    return np.maximum(views, 0).astype(np.float16), captions


def recalled(folder, features, captions, rows):
    """Text to image R@5 of the files alone, computed by hand."""
    image, text = open_session(folder / "image.onnx"), folder / "text_head.onnx"
    vectors = np.sum(
        [image.run(None, {"features_0": features[rows, v].astype(np.float32)})[0] for v in (0, 1)], 0
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = []
    for place, row in enumerate(rows):
        phi = Words().embed(captions[row])
        if text.exists():
            phi = open_session(text).run(None, {"phi": phi})[0]
        phi = phi / np.linalg.norm(phi, axis=1, keepdims=True)
        scores = phi @ vectors.T
        found += [int((line >= line[place] - 1e-7).sum() <= 5) for line in scores]
    return 100 * float(np.mean(found))


def test_finds_a_planted_relation_and_writes_what_it_learnt(tmp_path):
    (features, captions), words = album(), Words()
    learned = learn_space(
        tmp_path / "space", [features], captions, words, run=tmp_path / "run", recipe=SMALL, seed=1
    )
    by_hand = recalled(tmp_path / "space", features, captions, learned.held_out)
    assert learned.validation["text_to_image"]["R@5"] == pytest.approx(by_hand, abs=0.01)
    assert learned.validation["images"] == 12
    assert learned.posts == 108
    assert learned.captions == sum(len(captions[i]) for i in range(120) if i not in learned.held_out)
    assert len(words.fitted) == learned.captions  # it never saw the captions that are held out
    # photos it has never met: of 120, chance would put 4 % of the captions' photos among the first 5
    strangers, theirs = album(seed=5)
    assert recalled(tmp_path / "space", strangers, theirs, np.arange(120)) > 35
    assert (tmp_path / "space" / "text" / "text.json").exists()
    assert json.loads((tmp_path / "run" / "curve.jsonl").read_text().splitlines()[0])["epoch"] == 1


def test_the_vectors_are_unit_rows_whose_cosine_is_the_mean_of_the_heads():
    torch.manual_seed(0)
    tower = Tower([torch.nn.Linear(4, 4) for _ in range(3)], [slice(0, 4), slice(0, 4), slice(2, 6)])
    rows = torch.randn(5, 6)
    whole, parts = tower(rows), tower.each(rows)
    torch.testing.assert_close(whole.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(whole @ whole.T, sum(part @ part.T for part in parts) / 3)


def test_features_are_rooted_with_their_sign_and_made_equally_long():
    features = Features([(4,), (1, 2)])
    rows = features(torch.tensor([[4.0, -9.0, 0.0, 1.0]]), torch.tensor([[[16.0, 9.0]]]))
    first = np.array([2, -3, 0, 1]) / np.sqrt(14) * 2
    second = np.array([4, 3]) / 5 * np.sqrt(2)
    np.testing.assert_allclose(rows[0].numpy(), [*first, *second], atol=1e-5)


def test_several_backbones_go_into_one_head(tmp_path):
    features, captions = album()
    other = np.random.default_rng(1).random((120, 2, 3, 2, 2), np.float32)
    learn_space(
        tmp_path / "space",
        [features, other],
        captions,
        Words(),
        run=tmp_path / "run",
        recipe=replace(SMALL, steps=4, fewest_epochs=2),
    )
    given = {"features_0": features[:7, 0].astype(np.float32), "features_1": other[:7, 0]}
    vectors = open_session(tmp_path / "space" / "image.onnx").run(["vector"], given)[0]
    assert vectors.shape == (7, SMALL.short + 2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("objective", ["regression", "regression:min-max", "regression:mse"])
def test_regression_puts_photos_where_their_words_lie(tmp_path, objective):
    features, captions = album()
    learned = learn_space(
        tmp_path / "space",
        [features],
        captions,
        Words(),
        run=tmp_path / "run",
        recipe=replace(SMALL, most_epochs=60),
        objective=objective,
    )
    by_hand = recalled(tmp_path / "space", features, captions, learned.held_out)
    assert learned.validation["text_to_image"]["R@5"] == pytest.approx(by_hand, abs=0.01)
    strangers, theirs = album(seed=5)
    assert recalled(tmp_path / "space", strangers, theirs, np.arange(120)) > 25


def test_a_run_that_was_cut_off_ends_in_the_same_space(tmp_path, monkeypatch):
    features, captions = album(60)
    recipe = replace(SMALL, steps=12, most_epochs=12, validate_every=2)
    whole = learn_space(tmp_path / "a", [features], captions, Words(), run=tmp_path / "ra", recipe=recipe)

    class Cut(Exception):
        pass

    settings, count = joint._settings, iter(range(1000))
    always = lambda *given: replace(settings(*given), checkpoint_seconds=0.0)  # noqa: E731
    monkeypatch.setattr(joint, "_settings", always)
    view = Photos.view

    def breaks(self, rows, views):
        if next(count) == 20:
            raise Cut
        return view(self, rows, views)

    monkeypatch.setattr(Photos, "view", breaks)
    with pytest.raises(Cut):
        learn_space(tmp_path / "b", [features], captions, Words(), run=tmp_path / "rb", recipe=recipe)
    assert not (tmp_path / "b").exists()  # nothing is written before it is learnt
    begun = len((tmp_path / "rb" / "curve.jsonl").read_text().splitlines())
    assert 0 < begun < 12
    again = learn_space(tmp_path / "b", [features], captions, Words(), run=tmp_path / "rb", recipe=recipe)
    assert again.validation == whole.validation
    feed = {"features_0": features[:9, 1].astype(np.float32)}
    one, two = (open_session(tmp_path / name / "image.onnx").run(None, feed)[0] for name in "ab")
    np.testing.assert_array_equal(one, two)


def test_validation_counts_like_a_naive_loop_and_gives_nothing_for_ties():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(6, 1, 4)).astype(np.float32)
    phi = rng.normal(size=(13, 4)).astype(np.float32)
    photos = Photos((features,), phi, np.array([0, 1, 4, 5, 8, 11, 13]))
    rows = np.array([1, 3, 4, 5])
    found = validation(torch.nn.Identity(), None, photos, rows)
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)  # noqa: E731
    owner = np.repeat(np.arange(6), np.diff(photos.starts))
    images = unit(features[rows, 0])
    mine = np.flatnonzero(np.isin(owner, rows))
    ranks = [
        int((unit(phi[m]) @ images.T > unit(phi[m]) @ images[list(rows).index(owner[m])]).sum()) for m in mine
    ]
    assert found["text_to_image"]["R@1"] == pytest.approx(100 * np.mean([r < 1 for r in ranks]), abs=0.01)
    back = []
    for place, row in enumerate(rows):
        order = sorted(mine, key=lambda m: -float(unit(phi[m]) @ images[place]))
        back.append(min(order.index(m) for m in mine if owner[m] == row))
    assert found["image_to_text"]["R@1"] == pytest.approx(100 * np.mean([r < 1 for r in back]), abs=0.01)
    assert (found["images"], found["captions"]) == (4, len(mine))
    same = Photos((np.ones((6, 1, 4), np.float32),), np.ones((13, 4), np.float32), photos.starts)
    told_nothing = validation(torch.nn.Identity(), None, same, rows)
    assert told_nothing["text_to_image"]["R@1"] == told_nothing["image_to_text"]["R@1"] == 0


def test_draws_at_most_so_many_captions_of_each_photo():
    photos = Photos((), np.arange(8, dtype=np.float32)[:, None], np.array([0, 1, 6, 8]))
    phi, owner = photos.captions(np.array([1, 0, 2]), 2, np.random.default_rng(0))
    assert owner.tolist() == [1, 1, 0, 2, 2]
    assert phi[2:].flatten().tolist() == [0, 6, 7]
    assert set(phi[:2].flatten().tolist()) < {1, 2, 3, 4, 5}


def test_holds_out_a_tenth_at_most_500_the_same_for_a_seed():
    for posts, expected in ((60, 6), (4_000, 400), (80_000, 500)):
        rest, held = hold_out(posts, 3)
        assert len(held) == expected
        assert sorted([*rest, *held]) == list(range(posts))
    assert (
        (hold_out(60, 3)[1] == held_again).all() if (held_again := hold_out(60, 3)[1]) is not None else False
    )
    assert set(hold_out(60, 4)[1]) != set(hold_out(60, 3)[1])


def test_small_albums_go_round_more_often_and_large_ones_often_enough():
    recipe = Recipe(steps=100, batch=1000, fewest_epochs=5, most_epochs=60)
    assert [recipe.epochs_for(n) for n in (50, 1000, 4000, 20_000, 500_000)] == [60, 60, 25, 5, 5]
    assert len(FAST.backbones) == 1 < len(BEST.backbones)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"captions": [["a"]] * 5, "features": [np.ones((5, 2, 3))]}, "at least 20"),
        ({"features": []}, "no backbone"),
        ({"features": [np.ones((29, 2, 3))]}, r"\(29, 2, 3\).*\(30"),
        ({"features": [np.ones((30, 3))]}, "views"),
        ({"captions": [["a"]] * 29 + [[]]}, "post 29 has no caption"),
    ],
)
def test_says_what_is_wrong_with_what_it_was_given(tmp_path, change, says):
    given = {"features": [np.ones((30, 2, 3), np.float32)], "captions": [["a"]] * 30} | change
    with pytest.raises(InputError, match=says):
        learn_space(tmp_path / "s", given["features"], given["captions"], Words(), run=tmp_path / "r")


def test_knows_its_objectives(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'regression'"):
        learn_space(
            tmp_path, [np.ones((30, 2, 3))], [["a"]] * 30, Words(), run=tmp_path, objective="regresion"
        )
