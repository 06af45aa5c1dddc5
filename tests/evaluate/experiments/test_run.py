"""Cells: computed once, whole or not at all, and never taken for another's."""

import json

import pytest

from cartolina.errors import InputError
from cartolina.evaluate.experiments.run import Run, digest


def test_a_cell_is_computed_once(run):
    calls = []

    def compute():
        calls.append(1)
        return {"top": ("a", "b"), "recall": 0.5}

    first = run.cell("queries", {"seed": 0}, compute)
    assert first == {"top": ["a", "b"], "recall": 0.5}  # as a resumed run reads it
    assert Run(run.folder).cell("queries", {"seed": 0}, compute) == first
    assert len(calls) == 1
    assert run.cell("queries", {"seed": 1}, compute) == first
    assert run.cell("noise", {"seed": 0}, compute) == first
    assert len(calls) == 3


def test_a_killed_computation_leaves_no_cell_and_its_learning(run):
    key = {"seed": 0}

    def killed():
        run.learning(key).mkdir(parents=True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.cell("queries", key, killed)
    assert not run.has("queries", key)
    assert run.learning(key).exists()  # the fit goes on from it
    run.cell("queries", key, dict)
    assert run.has("queries", key)
    assert not run.learning(key).exists()


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"key": {"seed": 9}, "value": {"a": 1}}'])
def test_a_spoilt_cell_is_computed_again(run, spoilt):
    run.cell("queries", {"seed": 0}, lambda: {"a": 1})
    (path,) = (run.folder / "cells").iterdir()
    path.write_text(spoilt)
    assert run.cell("queries", {"seed": 0}, lambda: {"a": 2}) == {"a": 2}
    assert json.loads(path.read_text())["value"] == {"a": 2}


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        Run(tmp_path / "taken")


def test_digests_tell_keys_apart_whatever_their_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
