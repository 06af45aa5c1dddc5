"""The loop: what it computes, and that neither a kill nor a second process changes it."""

import json
import math
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cartolina.errors import InputError
from cartolina.learn.batches import Shuffled, share
from cartolina.learn.checkpoints import append_curve, read_curve, trim_curve
from cartolina.learn.fit import Diverged, Settings, fit, seeded
from cartolina.learn.optimisers import AdamW, Constant, Cosine, Ema, Sgd, Steps, Swa

X = np.random.default_rng(0).normal(size=(48, 3)).astype(np.float32)
Y = (X @ np.array([1.0, -2.0, 0.5], np.float32))[:, None]
PLAIN = Settings(epochs=6, optimizer=Sgd(lr=0.05, momentum=0.0), schedule=Constant())


def load(rows, generator):
    return torch.from_numpy(X[rows]), torch.from_numpy(Y[rows])


def squares(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


def linear(seed=1):
    with seeded(seed):
        return nn.Linear(3, 1)


def dropped(seed=1):
    """A model whose steps depend on torch's random numbers and that has a buffer that moves."""
    with seeded(seed):
        # No bias before the norm: its gradient would be rounding alone, which Adam would make into steps.
        first = nn.Linear(3, 8, bias=False)
        return nn.Sequential(first, nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


def noisy(rows, generator):
    x, y = load(rows, generator)
    return x + torch.from_numpy(generator.normal(size=x.shape).astype(np.float32)) * 0.1, y


def sampler(batch_size=12):
    return Shuffled(np.arange(48), batch_size, seed=3)


def test_gives_the_weights_of_a_loop_written_by_hand(tmp_path):
    model, twin = linear(), linear()
    fitted = fit(model, squares, sampler(), load, PLAIN, folder=tmp_path)
    weight = twin.weight.detach().numpy()[0].astype(np.float64)
    bias = twin.bias.item()
    losses = []
    for epoch in range(6):
        losses.append([])
        for rows in sampler()(epoch):
            error = X[rows] @ weight + bias - Y[rows, 0]
            losses[-1].append(np.mean(error**2))
            weight = weight - 0.05 * 2 * (error[:, None] * X[rows]).mean(0)
            bias = bias - 0.05 * 2 * error.mean()
    np.testing.assert_allclose(model.weight.detach().numpy()[0], weight, atol=1e-5)
    assert fitted.loss == pytest.approx(np.mean(losses[-1]), rel=1e-4)
    curve = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in curve] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in curve] == [4, 8, 12, 16, 20, 24]
    np.testing.assert_allclose([line["loss"] for line in curve], np.mean(losses, axis=1), rtol=1e-4)
    assert not model.training


def test_leaves_torchs_own_random_numbers_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(dropped(), squares, sampler(), noisy, PLAIN, folder=tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_other_seeds_give_other_weights_and_the_same_seed_the_same(tmp_path):
    def weights(name, seed):
        model = dropped()
        settings = Settings(epochs=2, optimizer=AdamW(lr=0.01), schedule=Constant(), seed=seed)
        fit(model, squares, sampler(), noisy, settings, folder=tmp_path / name)
        return model[0].weight.detach()

    assert torch.equal(weights("a", 1), weights("b", 1))
    assert not torch.equal(weights("c", 1), weights("d", 2))


@pytest.mark.parametrize("ahead", [1, 3, 9])
def test_loading_ahead_changes_nothing(tmp_path, ahead):
    seen = []

    def watched(rows, generator):
        seen.append(rows.tolist())
        return noisy(rows, generator)

    plain, model = dropped(), dropped()
    fit(plain, squares, sampler(), noisy, PLAIN, folder=tmp_path / "plain")
    fit(model, squares, sampler(), watched, PLAIN, folder=tmp_path / "ahead", ahead=ahead)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), model.parameters(), strict=True))
    assert seen == [rows.tolist() for epoch in range(6) for rows in sampler()(epoch)]


def test_what_goes_wrong_while_loading_ahead_is_told_and_ends_the_thread(tmp_path):
    def broken(rows, generator):
        raise InputError("no such row")

    with pytest.raises(InputError, match="no such row"):
        fit(linear(), squares, sampler(), broken, PLAIN, folder=tmp_path, ahead=2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("average", [None, Ema(0.9), Swa(0.4)])
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path, average):
    settings = Settings(epochs=5, optimizer=AdamW(lr=0.01), average=average, checkpoint_seconds=0)

    def validate(model):
        return -float(squares(model, load(np.arange(10), None)))

    whole = dropped()
    one = fit(whole, squares, sampler(), noisy, settings, folder=tmp_path / "whole", validate=validate)

    calls = 0

    def breaks(rows, generator):
        nonlocal calls
        calls += 1
        if calls == 14:  # in the fourth epoch
            raise Interrupted
        return noisy(rows, generator)

    with pytest.raises(Interrupted):
        fit(dropped(), squares, sampler(), breaks, settings, folder=tmp_path / "cut", validate=validate)
    again = dropped(seed=99)  # where it begins no longer matters
    two = fit(again, squares, sampler(), noisy, settings, folder=tmp_path / "cut", validate=validate)
    assert calls == 14
    assert one == two
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    curves = [read_curve(tmp_path / folder) for folder in ("whole", "cut")]
    for line in curves[0] + curves[1]:
        line.pop("seconds")
    assert curves[0] == curves[1]


def test_a_finished_run_gives_its_weights_without_a_step(tmp_path):
    model, again = linear(), linear(seed=9)
    first = fit(model, squares, sampler(), load, PLAIN, folder=tmp_path)

    def never(rows, generator):
        raise AssertionError("a batch was loaded")

    assert fit(again, squares, sampler(), never, PLAIN, folder=tmp_path) == first
    assert torch.equal(model.weight, again.weight)


def test_refuses_the_folder_of_another_run(tmp_path):
    fit(linear(), squares, sampler(), load, PLAIN, folder=tmp_path)
    others = [
        (linear(), sampler(), Settings(epochs=7, optimizer=PLAIN.optimizer, schedule=Constant())),
        (linear(), Shuffled(np.arange(47), 12, seed=3), PLAIN),
        (nn.Linear(3, 2), sampler(), PLAIN),
    ]
    for model, batches, settings in others:
        with pytest.raises(InputError, match="another folder"):
            fit(model, squares, batches, load, settings, folder=tmp_path)


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_fit import *

torch.set_num_threads(1)

def slow(rows, generator):
    time.sleep(0.02)
    return noisy(rows, generator)

settings = Settings(epochs=12, optimizer=AdamW(lr=0.01), average=Ema(0.9), checkpoint_seconds=0)
fit(dropped(), squares, sampler(), slow, settings, folder=Path({folder!r}))
"""


def test_survives_kill_9(tmp_path):
    folder = tmp_path / "run"
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(folder))
    child = subprocess.Popen([sys.executable, "-c", script])
    try:
        while len(read_curve(folder)) < 3:
            assert child.poll() is None
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert 3 <= len(read_curve(folder)) < 12
    settings = Settings(epochs=12, optimizer=AdamW(lr=0.01), average=Ema(0.9), checkpoint_seconds=0)
    resumed, whole = dropped(), dropped()
    fit(resumed, squares, sampler(), noisy, settings, folder=folder)
    fit(whole, squares, sampler(), noisy, settings, folder=tmp_path / "whole")
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor)
    assert [line["epoch"] for line in read_curve(folder)] == list(range(1, 13))


def test_stops_early_and_keeps_the_best_weights(tmp_path):
    metrics = iter([0.1, 0.5, 0.3, 0.5, 0.9])
    seen = []

    def validate(model):
        assert not model.training
        assert not torch.is_grad_enabled()
        seen.append(model.weight.detach().clone())
        return next(metrics)

    model = linear()
    settings = Settings(epochs=50, optimizer=Sgd(lr=0.05), schedule=Constant(), patience=2)
    fitted = fit(model, squares, sampler(), load, settings, folder=tmp_path, validate=validate)
    assert (fitted.epochs, fitted.best_epoch, fitted.best_metric, fitted.early) == (4, 2, 0.5, True)
    assert torch.equal(model.weight, seen[1])
    assert [line["metric"] for line in read_curve(tmp_path)] == [0.1, 0.5, 0.3, 0.5]


def test_validates_every_so_often_and_always_at_the_end(tmp_path):
    count = 0

    def validate(model):
        nonlocal count
        count += 1
        return float(count)

    settings = Settings(epochs=7, schedule=Constant(), validate_every=3)
    fitted = fit(linear(), squares, sampler(), load, settings, folder=tmp_path, validate=validate)
    assert [line["epoch"] for line in read_curve(tmp_path) if "metric" in line] == [3, 6, 7]
    assert fitted.best_epoch == 7


def test_averages_are_those_of_a_naive_loop(tmp_path):
    def run(name, average):
        model = linear()
        steps = []
        settings = Settings(epochs=4, optimizer=Sgd(lr=0.05), schedule=Constant(), average=average)

        def spying(rows, generator):
            steps.append(model.weight.detach().clone())
            return load(rows, generator)

        fit(model, squares, sampler(), spying, settings, folder=tmp_path / name)
        return model.weight.detach(), steps

    last, _ = run("last", None)
    ema, steps = run("ema", Ema(0.8))
    after = [*steps[1:], last]  # the weights after each step
    expected = after[0]
    for weight in after[1:]:
        expected = 0.8 * expected + 0.2 * weight
    torch.testing.assert_close(ema, expected)
    swa, _ = run("swa", Swa(start=0.25))  # the ends of epochs 2, 3 and 4
    torch.testing.assert_close(swa, (after[7] + after[11] + after[15]) / 3)


def test_a_loss_that_is_not_finite_is_an_error(tmp_path):
    settings = Settings(epochs=40, optimizer=Sgd(lr=1e6), schedule=Constant())
    with pytest.raises(Diverged, match="learning rate"):
        fit(linear(), squares, sampler(), load, settings, folder=tmp_path)


def test_patience_needs_a_validation(tmp_path):
    with pytest.raises(InputError, match="validate"):
        fit(linear(), squares, sampler(), load, Settings(epochs=1, patience=1), folder=tmp_path)


def test_clips_the_gradient(tmp_path):
    model, before = linear(), linear()
    settings = Settings(epochs=1, optimizer=Sgd(lr=1.0, momentum=0), schedule=Constant(), clip_norm=0.01)
    fit(model, squares, Shuffled(np.arange(48), 48), load, settings, folder=tmp_path)
    moved = torch.cat([(model.weight - before.weight).flatten(), model.bias - before.bias])
    assert float(moved.norm().detach()) == pytest.approx(0.01, rel=1e-3)


def test_tells_its_progress(tmp_path):
    class Listener:
        def __init__(self):
            self.done, self.notes = 0, []

        def advance(self, n=1):
            self.done += n

        def note(self, message):
            self.notes.append(message)

        def say(self, message):
            raise AssertionError(message)

        def task(self, label, total, unit):
            from contextlib import nullcontext

            assert (label, total, unit) == ("learning", 24, "steps")
            return nullcontext(self)

    listener = Listener()
    fitted = fit(linear(), squares, sampler(), load, PLAIN, folder=tmp_path, progress=listener)
    assert listener.done == 24
    assert listener.notes[-1].startswith("epoch 6, loss 0.")
    assert fitted.epochs == 6


# Samplers, schedules, groups, the curve's file.


def test_an_epoch_has_each_row_once_and_epochs_differ():
    batches = Shuffled(np.arange(100, 150), 12, seed=1)
    first, second = list(batches(0)), list(batches(1))
    assert [len(b) for b in first] == [12, 12, 12, 12, 2]
    assert len(batches) == 5
    assert sorted(np.concatenate(first)) == list(range(100, 150))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(list(batches(0))))


@pytest.mark.parametrize(("rows", "batch", "sizes"), [(50, 12, [12] * 4), (5, 12, [5]), (24, 12, [12, 12])])
def test_drops_the_last_batch_unless_it_is_the_only_one(rows, batch, sizes):
    batches = Shuffled(np.arange(rows), batch, drop_last=True)
    assert [len(b) for b in batches(0)] == sizes
    assert len(batches) == len(sizes)


def test_samplers_refuse_nothing():
    with pytest.raises(InputError, match="0 rows"):
        Shuffled(np.arange(0), 3)
    with pytest.raises(InputError, match="at least 1"):
        Shuffled(np.arange(4), 0)


def test_shares_are_disjoint_and_even():
    batch = np.arange(11)
    shares = [share(batch, rank, 3) for rank in range(3)]
    assert [len(s) for s in shares] == [3, 3, 3]
    assert sorted(np.concatenate(shares)) == list(range(9))
    with pytest.raises(InputError, match="split among 12"):
        share(batch, 0, 12)


def test_schedules_by_hand():
    cosine = Cosine(warmup=4, floor=0.1)
    assert [cosine(s, 14) for s in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert cosine(4, 14) == 1.0
    assert cosine(9, 14) == pytest.approx(0.55)  # half-way: the middle of 1 and 0.1
    assert cosine(14, 14) == pytest.approx(0.1)
    assert [Steps(every=10, factor=0.1)(s, 99) for s in (0, 9, 10, 25)] == pytest.approx([1, 1, 0.1, 0.01])
    assert Constant()(7, 9) == 1.0
    assert math.isfinite(Cosine(warmup=20)(3, 4))


def test_the_rate_follows_the_schedule_and_the_factors(tmp_path):
    model = nn.ModuleDict({"tail": nn.Linear(3, 3), "head": nn.Linear(3, 1)})
    optimizer = AdamW(lr=0.1, weight_decay=0.5, lr_factors=(("tail", 0.1),)).build(model)
    groups = {id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    assert groups[id(model["tail"].weight)] == (pytest.approx(0.01), 0.5)
    assert groups[id(model["tail"].bias)] == (pytest.approx(0.01), 0.0)
    assert groups[id(model["head"].weight)] == (0.1, 0.5)
    settings = Settings(epochs=2, optimizer=Sgd(lr=0.05), schedule=Steps(every=4, factor=0.5))
    fit(linear(), squares, sampler(), load, settings, folder=tmp_path)
    assert [line["lr"] for line in read_curve(tmp_path)] == [0.05, 0.025]


def test_frozen_parameters_are_left_out():
    model = linear()
    model.bias.requires_grad_(False)
    optimizer = Sgd().build(model)
    assert [p is model.weight for g in optimizer.param_groups for p in g["params"]] == [True]


def test_a_torn_line_of_the_curve_is_forgotten(tmp_path):
    for epoch in (1, 2, 3):
        append_curve(tmp_path, {"epoch": epoch})
    with (tmp_path / "curve.jsonl").open("a") as file:
        file.write('{"epoch": 4, "lo')
    assert [line["epoch"] for line in read_curve(tmp_path)] == [1, 2, 3]
    trim_curve(tmp_path, 2)
    assert (tmp_path / "curve.jsonl").read_text() == '{"epoch": 1}\n{"epoch": 2}\n'
