"""`learn pixels` as people give it: drawn pictures, a network from nothing, and an album that uses it."""

import json

import numpy as np
import pytest
from PIL import Image

from cartolina.album import Album
from cartolina.datasets import open_dataset
from cartolina.vision import backbone

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (40, 50, 210)}


@pytest.fixture
def table(tmp_path):
    """A table of 36 pictures that say their colour, one of them cut short; a file of words."""
    (tmp_path / "words.txt").write_text("3 3\nred 2 0 -1\ngreen -1 2 0\nblue 0 -1 2\n")
    rng = np.random.default_rng(0)
    rows = ["image,text"]
    for number in range(36):
        colour = list(COLOURS)[number % 3]
        noisy = np.clip(rng.normal(0, 10, (24, 24, 3)) + COLOURS[colour], 0, 255)
        Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,a {colour} wall")
    (tmp_path / "5.png").write_bytes((tmp_path / "5.png").read_bytes()[:100])
    (tmp_path / "posts.csv").write_text("\n".join(rows))
    return tmp_path / "posts.csv"


def test_learns_answers_again_and_is_searched_with(cartolina, table, tmp_path):
    into = tmp_path / "into"
    asked = ["learn", "pixels", table, "--into", into, "--text", f"words:{tmp_path / 'words.txt'}"]
    asked += ["--from-scratch", "--backbone", "small@16", "--recipe", "scaled", "--epochs", 3, "--batch", 8]
    done = cartolina(*asked, "--device", "cpu", "--json")
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["skipped"] == {"truncated image": 1}
    assert (answer["images"], answer["captions"], answer["epochs"]) == (32, 32, 3)
    assert set(answer["validation"]["text_to_image"]) == {"R@1", "R@5", "R@10"}
    assert backbone(answer["backbone"], "cpu").shape == (256,)

    again = cartolina(*asked, "--device", "cpu")
    assert "32 photos, 32 captions" in again.stdout
    assert f"--backbone onnx:{into / 'space' / 'backbones' / '0'}" in again.stdout
    assert cartolina(*asked, "--seed", 1).exit_code == 2

    with Album.create(tmp_path / "A") as album:
        album.activate(into / "space")
        album.add(open_dataset(table))
        hits = list(album.search("red", by="picture"))[:5]
        assert {hit.post.text for hit in hits} == {"a red wall"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--recipe", "publshed"], "did you mean 'published'"),
        (["--precision", "16"], "unknown precision '16'"),
        (["--target", "sigmoidal"], "did you mean 'sigmoid'"),
        (["--validate", "dev"], "needs --split"),
        (["--split", "dev"], "unknown split 'dev'"),
        (["--backbone", "onnx:/x.onnx"], "cannot learn"),
        (["--backbone", "small"], "only learn from scratch"),
        (["--device", "gpu"], "unknown device 'gpu'"),
    ],
)
def test_says_what_is_wrong_before_any_work(cartolina, table, tmp_path, options, said):
    done = cartolina("learn", "pixels", table, "--into", tmp_path / "into", *options)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "into").exists()
