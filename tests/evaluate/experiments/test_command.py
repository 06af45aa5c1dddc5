"""`cartolina experiment`, as people and programs give it."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from cartolina.cli.app import app


@pytest.fixture(scope="module")
def flickr(tmp_path_factory, colours):
    """The drawn world in Flickr8k's layout."""
    root = tmp_path_factory.mktemp("flickr") / "flickr8k"
    (root / "images").mkdir(parents=True)
    lines = []
    for part, name in (("train", "train"), ("dev", "dev")):
        names = []
        for post in colours.posts(part):
            shutil.copy(post.image, root / "images" / f"{post.id}.jpg")
            names.append(f"{post.id}.jpg")
            lines += [f"{post.id}.jpg#{number}\t{said}" for number, said in enumerate(post.captions)]
        (root / f"Flickr_8k.{name}Images.txt").write_text("\n".join(names) + "\n")
    (root / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def asked(flickr, words, backbone, tmp_path_factory):
    into = tmp_path_factory.mktemp("into")

    def ask(what, *options):
        model = ("--models" if what == "queries" else "--model", words)
        given = [
            "experiment",
            what,
            "--data",
            flickr,
            *model,
            "--backbone",
            backbone,
            "--into",
            into,
            *options,
        ]
        return CliRunner().invoke(app, [str(one) for one in given], prog_name="cartolina")

    return ask


def test_queries(asked, tmp_path, words):
    page = tmp_path / "judge" / "page.html"
    told = asked("queries", "--seeds", "0", "--json", "--judge", page)
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert set(answer) == {"experiment", "settings", "rows", "ranking", "queries", "notes"}
    assert answer["experiment"] == "queries"
    assert [row["model"] for row in answer["rows"]] == [words, "chance", "ceiling"]
    assert answer["settings"]["train"] == 100
    assert "judgements" in told.stderr
    assert page.exists()
    shown = asked("queries", "--seeds", "0", "--quiet")
    assert shown.exit_code == 0
    assert "chance" in shown.stdout
    assert "red" not in shown.stdout.split("Each of the 24")[1].splitlines()[1]
    assert "yellow+car" in shown.stdout


def test_noise(asked):
    told = asked("noise", "--seeds", "0", "--levels", "0", "--captions", "1", "--losses", "mse", "--json")
    assert told.exit_code == 0, told.stderr
    rows = json.loads(told.stdout)["rows"]
    assert [(row.get("level"), row["loss"]) for row in rows] == [(0, "mse"), (100, "mse"), (None, "chance")]


def test_mistakes_are_told(asked):
    told = asked("queries", "--seeds", "0,x")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "--seeds is '0,x'; expected whole numbers" in told.stderr
    told = asked("queries", "--target", "sigmoidal")
    assert "did you mean 'sigmoid'" in told.stderr
    told = asked("queries", "--gallery", "train")
    assert "Name two with --train and --gallery" in told.stderr
    assert asked("noise", "--verdicts", "/nowhere.json").exit_code == 2
