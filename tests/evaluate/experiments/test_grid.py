"""The loop that the tables share: a cell a seed, then one whose photos learn from other photos' words."""

import numpy as np
import pytest
from drawn_world import SETTINGS

from cartolina.evaluate.experiments import grid
from cartolina.evaluate.experiments.gallery import read_photos
from cartolina.evaluate.experiments.models import model_rows


@pytest.fixture
def train(colours, run, backbone):
    return read_photos(colours, "train", run, backbone=backbone)


def test_in_the_control_no_photo_learns_from_its_own_words(train, words, run, monkeypatch):
    given = []

    def learn(features, said, *, seed, **_):
        given.append((seed, features is train.features, said))
        return "space"

    monkeypatch.setattr(grid, "learn_photo_side", learn)
    asked = []

    def ask(space, model):
        asked.append((space, model.name))
        return {"number": len(asked)}

    rows = model_rows([words])
    options = {"run": run, "key": {"what": 1}, "seeds": (3, 4), "settings": SETTINGS}
    found = grid.cells("made", train, rows, ask, **options)
    assert found == {rows[0]: [{"number": 1}, {"number": 2}, {"number": 3}]}
    assert [seed for seed, _, _ in given] == [3, 4, 3]
    assert all(own_features for _, own_features, _ in given)
    own, _, control = (said for _, _, said in given)
    assert np.array_equal(np.diff(control.starts), np.diff(own.starts))
    assert sorted(map(tuple, control.phi.tolist())) == sorted(map(tuple, own.phi.tolist()))
    assert not np.array_equal(control.phi, own.phi)
    again = grid.cells("made", train, rows, ask, **options)
    assert again == found
    assert len(asked) == 3
    other = grid.cells("made", train, rows, ask, **(options | {"key": {"what": 2}}))
    assert len(asked) == 6
    assert other != found


def test_texts_of_unknown_words_are_told():
    vectors = np.array([[0.0, 1.0], [0.0, 0.0], [-1.0, 0.0]], np.float32)
    assert grid.unread(["one", "two", "three"], vectors) == ["two"]
