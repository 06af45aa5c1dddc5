"""Table 2 on a drawn world of colours: real files, a real backbone, real learning."""

import pytest
from drawn_world import SETTINGS
from tiny_world import COLOURS

from cartolina.errors import InputError
from cartolina.evaluate.experiments.gallery import splits_of
from cartolina.evaluate.experiments.models import model_rows
from cartolina.evaluate.experiments.queries import queries


def answer(colours, words, backbone, run, **options):
    given = {"seeds": (0, 1), "settings": SETTINGS} | options
    return queries(colours, model_rows([words]), run=run, backbone=backbone, **given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def answered(colours, words, backbone, folder):
    from cartolina.evaluate.experiments.run import Run

    return answer(colours, words, backbone, Run(folder))  # computed once: later ones are resumed


def test_colours_are_found_and_chance_and_ceiling_stand_beside(answered):
    asked = {row["query"]: row for row in answered.more["queries"].rows}
    (label,) = asked["red"]["precision"]
    for name in COLOURS:
        assert asked[name]["relevant"] == 12  # 60 photos of five colours
        assert asked[name]["chance"] == pytest.approx(0.2)
        assert asked[name]["precision"][label] == 1.0
    assert asked["car"]["ceiling"] == asked["car"]["precision"][label] == 0.0
    main, chance, ceiling = answered.table.rows
    assert main["ranked_simple"]["mean"] == pytest.approx(1.0)
    assert chance["ranked_simple"] == pytest.approx(0.2)
    assert ceiling["ranked_simple"] == 1.0
    assert chance["recall"] == pytest.approx(100 / 6)
    assert main["learnt"] == "elsewhere"


def test_with_the_photos_exchanged_less_is_found(answered):
    """To chance only in the mean over many: of five colours one is found by luck (see test_noise)."""
    main, chance, _ = answered.table.rows
    assert main["control"] < 0.8 < main["ranked_simple"]["mean"]
    assert chance["control"] == pytest.approx(0.2)


def test_what_a_model_does_not_know_is_told(answered):
    main = answered.table.rows[0]
    assert main["unknown"]["yellow+car"] == ["car"]
    assert "red" not in main["unknown"]
    assert any("does not know: bag, beach" in note for note in answered.notes)
    assert main["unreadable"] == 24


def test_a_resumed_run_computes_nothing_again(answered, colours, words, backbone, folder, monkeypatch):
    from cartolina.evaluate.experiments import answers
    from cartolina.evaluate.experiments.run import Run

    monkeypatch.setattr(answers, "learn_photo_side", lambda *_, **__: pytest.fail("it was learnt before"))
    again = answer(colours, words, backbone, Run(folder))
    assert again.to_json() == answered.to_json()


def test_verdicts_win_over_the_rule(answered, colours, words, backbone, folder):
    from cartolina.evaluate.experiments.run import Run

    reds = {("red", f"dev-{n}"): False for n in range(0, 60, 5)}
    judged = answer(colours, words, backbone, Run(folder), verdicts=reds)
    asked = {row["query"]: row for row in judged.more["queries"].rows}
    assert asked["red"]["relevant"] == 0
    assert set(asked["red"]["precision"].values()) == {0.0}
    assert judged.settings["verdicts"] == 12


def test_parts_are_found_or_asked_for(colours, backbone, words, run):
    assert splits_of(colours, None, None) == ("train", "dev")
    with pytest.raises(InputError, match="Name two with --train and --gallery"):
        splits_of(colours, "dev", "dev")
    with pytest.raises(InputError, match="unknown split 'tset'"):
        splits_of(colours, None, "tset")


def test_models_learnt_here_are_ranked_among_themselves(colours, words, backbone, run):
    rows = model_rows([words, "lda:topics=8:passes=40:min_count=1:chunk=50", "word2vec:dim=8:min_count=1"])
    found = queries(colours, rows, run=run, backbone=backbone, seeds=(0,), settings=SETTINGS)
    by_name = {row["family"]: row for row in found.table.rows[:-2]}
    assert {name: row["target"] for name, row in by_name.items()} == {
        "words": "sigmoid",
        "lda": "itself",
        "word2vec": "sigmoid",
    }
    assert by_name["lda"]["ranked_simple"]["mean"] >= 0.6  # a topic a colour, learnt as a share of itself
    ranked = found.more["ranking"].rows
    assert [(row["learnt"], row["place"]) for row in ranked] == [("here", 1), ("here", 2), ("elsewhere", 1)]
    assert {row["family"] for row in ranked[:2]} == {"lda", "word2vec"}
    assert ranked[0]["all"]["mean"] >= ranked[1]["all"]["mean"]
    first, second = (row["family"] for row in ranked[:2])
    told = (f"Learnt here, {first} is first", f"ahead of {second}")
    assert any(note.startswith(told[0]) and told[1] in note for note in found.notes), found.notes
