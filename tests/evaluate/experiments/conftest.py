"""A small world of colours, drawn (drawn_world.py), and what looks at it and reads it."""

import numpy as np
import pytest
from drawn_world import dataset_of, draw
from tiny_world import COLOURS

from cartolina.evaluate.experiments.run import Run


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Nets this small are slower on several threads, and on a busy machine very much so."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def colours(tmp_path_factory):
    """100 photos to learn from and 60 to look in, of five colours."""
    root, rng = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    names = list(COLOURS)
    parts = {
        part: [draw(root, f"{part}-{n}", names[n % len(names)], rng) for n in range(count)]
        for part, count in (("train", 100), ("dev", 60))
    }
    return dataset_of(root, **parts)


@pytest.fixture(scope="session")
def backbone(tmp_path_factory):
    """The name of a backbone that sees the mean colour."""
    from tiny_world import write_space

    return f"onnx:{write_space(tmp_path_factory.mktemp('eye') / 'space') / 'backbones' / '0'}"


@pytest.fixture(scope="session")
def words(tmp_path_factory):
    """A file of word vectors, in which the colours lie far apart: the name of a model that reads it."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("words") / "words.txt"
    vectors = {word: rng.normal(size=16) for word in [*COLOURS, "thing", "kind"]}
    path.write_text(
        "".join(f"{word} {' '.join(f'{x:.5f}' for x in vector)}\n" for word, vector in vectors.items())
    )
    return f"words:{path}"


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")
