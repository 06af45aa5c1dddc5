"""`experiment transfer|mirflickr|cities` from the command line, on drawn sets in the authentic layouts."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluate" / "experiments"))

from drawn_sets import THEMES, instacities, mirflickr, word_file


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Folders of both sets, a model that reads their words, and the run's folder."""
    root = tmp_path_factory.mktemp("drawn")
    words = [*THEMES.values(), "london", "newyork", "red", "green", "thing"]
    return (
        mirflickr(root / "MIRFlickr"),
        instacities(root / "InstaCities1M", 40),
        word_file(root / "w.txt", words),
        root / "run",
    )


@pytest.fixture
def experiment(cartolina, drawn, space):
    """Run an experiment on what was drawn."""

    def run(name, *args, ok=True):
        given = ("--models", drawn[2], "--backbone", f"onnx:{space / 'backbones' / '0'}", "--into", drawn[3])
        done = cartolina("experiment", name, *args, *given, "--quiet")
        assert (done.exit_code == 0) is ok, done.output
        return done

    return run


def test_mirflickr_prints_map_and_each_concept(experiment, drawn):
    asked = ("mirflickr", "--data", drawn[0], "--protocol", "classes", "--at-least", "10")
    text = experiment(*asked).stdout
    assert "MAP of 38" in text
    assert "plant_life" in text
    assert "chance" in text
    told = json.loads(experiment(*asked, "--json").stdout)
    assert told["experiment"] == "mirflickr"
    assert told["settings"]["labels"] == "MIRFlickr's annotators"
    assert {row["concept"] for row in told["concepts"]} > {"sea", "sea*"}
    assert told["concepts"][0]["chance"] is None  # no animals are there


def test_cities_prints_top_100_and_ap(experiment, drawn):
    told = json.loads(experiment("cities", "--data", drawn[1], "--json").stdout)
    row, chance, ceiling = told["rows"]  # 64 photos are a batch: how well they are learnt is not asked here
    assert 0 < row["ap"] <= ceiling["ap"] == 100
    assert chance["top"] == ceiling["top"] == row["top"]
    assert [of["city"] for of in told["cities"]] == ["london", "newyork"]
    made = json.loads(experiment("cities", "--data", drawn[1], "--strength", "0.5", "--json").stdout)
    assert "controlled set" in made["settings"]["data"]
    assert made["rows"][-1]["model"] == "who knows the rule"


def test_transfer_goes_both_ways_or_cuts_one_in_two(experiment, drawn):
    told = json.loads(experiment("transfer", "--data", drawn[1], "--themes", "--json").stdout)
    assert [(row["test"], row.get("train")) for row in told["rows"]] == [
        ("nature", "nature"), ("nature", "people"), ("nature", None), ("nature", None),
        ("people", "people"), ("people", "nature"), ("people", None), ("people", None),
    ]  # fmt: skip
    for wrong in ((), ("--themes",), ("--train", drawn[1]), ("--data", drawn[1])):
        assert "--train A --test B" in experiment("transfer", *wrong, ok=False).stderr


def test_what_cannot_be_is_told_before_anything_is_read(experiment, drawn, tmp_path):
    wrong = experiment("mirflickr", "--data", tmp_path / "nowhere", "--protocol", "tag", ok=False)
    assert "did you mean 'tags'" in wrong.stderr
    assert (
        "only of 'tags'"
        in experiment("mirflickr", "--data", drawn[0], "--protocol", "classes", "--strict", ok=False).stderr
    )
    assert (
        "--asking FILE" in experiment("mirflickr", "--data", drawn[0], "--protocol", "zhang", ok=False).stderr
    )
