"""Transfer between two drawn collections: what both have is found, what only one has is not."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_world import SETTINGS, dataset_of, draw

from cartolina.errors import InputError
from cartolina.evaluate.experiments.collection import read_halves, read_two
from cartolina.evaluate.experiments.models import model_rows
from cartolina.evaluate.experiments.run import Run
from cartolina.evaluate.experiments.transfer import transfer

BOTH = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


def collection(root, name, colours, rng):
    """60 photos to learn from and 48 to look in, of some colours."""
    folder = root / name
    parts = {
        part: [draw(folder, f"{name}-{part}-{n}", colours[n % len(colours)], rng) for n in range(count)]
        for part, count in (("train", 60), ("test", 48))
    }
    return dataset_of(folder, **parts)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, words, backbone, folder):
    root, rng = tmp_path_factory.mktemp("two"), np.random.default_rng(0)
    one = collection(root, "all", BOTH, rng)
    other = collection(root, "some", ("red", "purple"), rng)
    both = read_two(one, other, Run(folder), backbone=backbone)
    return transfer(both, model_rows([words]), run=Run(folder), settings=SETTINGS)


def rows_of(outcome):
    return {(row["test"], row.get("train", row["model"])): row for row in outcome.table.rows}


def test_home_is_found_and_elsewhere_what_was_seen_there(outcome):
    rows = rows_of(outcome)
    assert list(rows) == [
        ("all", "all"), ("all", "some"), ("all", "chance"), ("all", "ceiling"),
        ("some", "some"), ("some", "all"), ("some", "chance"), ("some", "ceiling"),
    ]  # fmt: skip
    assert rows["all", "all"]["ranked_simple"]["mean"] == pytest.approx(1.0)
    assert rows["all", "chance"]["ranked_simple"] == pytest.approx(0.25)
    # Who learnt from red and purple alone finds red among four colours, and not all the others.
    assert rows["all", "some"]["ranked_simple"]["mean"] < 0.9
    assert rows["all", "some"]["behind"]["mean"] < -0.1
    assert rows["all", "all"]["behind"] is None
    assert outcome.settings["ranked"]["all"] == {"simple": 4, "complex": 0}


def test_the_control_does_not_see_and_table_1_is_there(outcome):
    rows = rows_of(outcome)
    assert rows["all", "all"]["control"] < 0.8  # four colours, found as blocks or not at all
    assert rows["all", "chance"]["control"] == pytest.approx(0.25)
    assert rows["all", "ceiling"]["all"] == 0  # nothing of Table 1 is in a world of colours
    assert "car" in rows["all", "all"]["unknown"]
    assert any("does not know" in note for note in outcome.notes)
    assert outcome.to_json()["rows"][0]["ranked_complex"]["mean"] is None  # no pair of colours is there


def test_a_resumed_run_learns_nothing_again(outcome, tmp_path_factory, words, backbone, folder, monkeypatch):
    from cartolina.evaluate.experiments import grid

    monkeypatch.setattr(grid, "learn_photo_side", lambda *_, **__: pytest.fail("it was learnt before"))
    root, rng = tmp_path_factory.mktemp("again"), np.random.default_rng(0)
    one = collection(root, "all", BOTH, rng)
    other = collection(root, "some", ("red", "purple"), rng)
    both = read_two(one, other, Run(folder), backbone=backbone)
    again = transfer(both, model_rows([words]), run=Run(folder), settings=SETTINGS)
    assert again.to_json() == outcome.to_json()


def test_a_dataset_is_cut_in_two_by_theme(tmp_path, run, backbone):
    rng = np.random.default_rng(0)
    said = {"red": "a dog in a field", "blue": "two men play football"}
    posts = [
        replace(draw(tmp_path, f"{colour}{n}", colour, rng), captions=(caption,))
        for n in range(21)
        for colour, caption in said.items()
    ]
    silent = replace(draw(tmp_path, "silent", "green", rng), captions=())
    nature, people = read_halves(dataset_of(tmp_path, all=[*posts, silent]), run, backbone=backbone)
    assert all(name.startswith("red") for name in (*nature.train.ids, *nature.gallery.ids))
    assert all(name.startswith("blue") for name in (*people.train.ids, *people.gallery.ids))
    assert (len(nature.train), len(nature.gallery)) == (15, 6)
    assert not set(nature.train.ids) & set(nature.gallery.ids)


def test_too_little_and_twice_the_same_are_told(tmp_path, run, backbone, colours):
    rng = np.random.default_rng(0)
    few = dataset_of(tmp_path, all=[draw(tmp_path, f"p{n}", "red", rng) for n in range(3)])
    with pytest.raises(InputError, match="3 captioned photos; two halves by theme need 14"):
        read_halves(few, run, backbone=backbone)
    with pytest.raises(InputError, match="given twice"):
        read_two(colours, colours, run, backbone=backbone)
