"""Table 4 on the drawn world: wrong captions cost, and nothing is computed twice."""

import pytest
from drawn_world import SETTINGS

from cartolina.errors import InputError, UnknownName
from cartolina.evaluate.experiments import answers
from cartolina.evaluate.experiments.models import model_rows
from cartolina.evaluate.experiments.noise import noise
from cartolina.evaluate.experiments.run import Run


def run_noise(colours, words, backbone, folder, **options):
    given = {"levels": (0, 60), "captions": (1, 3), "losses": ("cross-entropy",), "seeds": (0,)} | options
    (row,) = model_rows([words])
    return noise(colours, row, run=Run(folder), backbone=backbone, settings=SETTINGS, **given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("noise")


@pytest.fixture(scope="module")
def outcome(colours, words, backbone, folder):
    return run_noise(colours, words, backbone, folder)


def test_the_more_noise_the_less_is_found(outcome):
    *rows, chance = outcome.table.rows
    by_key = {(row["captions"], row["level"]): row for row in rows}
    assert set(by_key) == {(most, level) for most in (1, 3) for level in (0, 60, 100)}
    for most in (1, 3):
        assert by_key[most, 0]["ranked"]["mean"] == 1.0
        assert by_key[most, 100]["ranked"]["mean"] < 0.8
        assert by_key[most, 100]["control"]
        assert by_key[most, 100]["recall"] < by_key[most, 0]["recall"]
        assert by_key[most, 0]["change"] is None
        assert by_key[most, 100]["change"]["mean"] == pytest.approx(by_key[most, 100]["ranked"]["mean"] - 1)
    assert chance["loss"] == "chance"
    assert chance["ranked"] == pytest.approx(0.2)


def test_the_control_falls_to_chance(colours, words, backbone, folder):
    """Eight runs of five queries, each of which finds one colour: the mean deviates from .2 by about .06."""
    outcome = run_noise(colours, words, backbone, folder, levels=(0,), captions=(3,), seeds=range(8))
    clean, control, chance = outcome.table.rows
    assert clean["ranked"]["mean"] == 1.0
    assert control["ranked"]["mean"] == pytest.approx(chance["ranked"], abs=0.2)
    assert control["recall"] == pytest.approx(chance["recall"], abs=10)


def test_it_is_resumed_and_more_levels_cost_only_themselves(
    outcome, colours, words, backbone, folder, monkeypatch
):
    learnt = []
    really = answers.learn_photo_side
    monkeypatch.setattr(
        answers,
        "learn_photo_side",
        lambda *given, **named: learnt.append(named["seed"]) or really(*given, **named),
    )
    assert run_noise(colours, words, backbone, folder).to_json() == outcome.to_json()
    assert learnt == []
    run_noise(colours, words, backbone, folder, levels=(0, 20, 60), captions=(1,))
    assert len(learnt) == 1


def test_what_cannot_be_is_refused(colours, words, backbone, folder):
    for wrong in ({"levels": (0, 100)}, {"levels": ()}, {"levels": (-1,)}, {"captions": (0,)}):
        with pytest.raises(InputError, match="given"):
            run_noise(colours, words, backbone, folder, **wrong)
    with pytest.raises(UnknownName, match="did you mean 'mse'"):
        run_noise(colours, words, backbone, folder, losses=("mae",))
