"""The only training loop: every objective of the papers differs in its batches and loss, never in this.

    fitted = fit(model, objective, Shuffled(rows, 1000), load, Settings(epochs=40), folder=run,
                 validate=lambda m: recall_of(m, held_out))

One process or many (torchrun; Lightning Fabric does the rest): each takes its share of every batch. All
randomness is a function of (seed, epoch, step, process): a run that was killed goes on from its last
checkpoint to exactly the weights it would have reached. Only process 0 writes.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cartolina.errors import CartolinaError, InputError, UnknownName
from cartolina.learn.batches import Sampler, share
from cartolina.learn.checkpoints import (
    Checkpoint,
    append_curve,
    read_checkpoint,
    trim_curve,
    write_checkpoint,
)
from cartolina.learn.optimisers import AdamW, Constant, Cosine, Ema, Sgd, Steps, Swa
from cartolina.progress import SILENT, Progress, Step

__all__ = ["Diverged", "Fitted", "Load", "Objective", "Settings", "Validate", "fabric_here", "fit", "seeded"]

Objective: TypeAlias = Callable[[nn.Module, Any], Tensor]
"""(model, batch) -> scalar loss, the mean over the batch. It must go through `model(...)` (its forward), so
that the gradients of several processes are averaged."""

Load: TypeAlias = Callable[[NDArray[np.int64], np.random.Generator], Any]
"""(rows, generator) -> batch, a tensor or a collection of them, on the CPU; the generator draws what varies
(a mirrored view, a caption, noise)."""

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
"""What `fabric_here` may reckon in; weights are float32 in each."""

Validate: TypeAlias = Callable[[nn.Module], float]
"""The model (in eval mode, no gradients) -> a number, the larger the better."""


class Diverged(CartolinaError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long and how to learn.

    `clip_norm`: the largest norm of a step's gradient (None: any). `average`: validate and keep averaged
    weights. `validate_every`: epochs between validations (the last epoch is always validated). `patience`:
    stop after this many validations without a better one (None: never). `checkpoint_seconds`: time
    between checkpoints, which are written at the end of an epoch (0: of every epoch).
    """

    epochs: int
    optimizer: AdamW | Sgd = field(default_factory=AdamW)
    schedule: Cosine | Steps | Constant = field(default_factory=Cosine)
    clip_norm: float | None = None
    average: Ema | Swa | None = None
    validate_every: int = 1
    patience: int | None = None
    checkpoint_seconds: float = field(default=60.0, compare=False, repr=False)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of a run: `epochs` run in all, the epoch (from 1) whose weights were kept, its metric (None
    without validation), the mean loss of the last epoch, and whether patience ended it."""

    epochs: int
    best_epoch: int
    best_metric: float | None
    loss: float
    early: bool


def fit(
    model: nn.Module,
    objective: Objective,
    sampler: Sampler,
    load: Load,
    settings: Settings,
    *,
    folder: Path,
    validate: Validate | None = None,
    fabric: Fabric | None = None,
    ahead: int = 0,
    progress: Progress = SILENT,
    label: str = "learning",
) -> Fitted:
    """Train `model` in place and leave the best weights in it, in eval mode, on the fabric's device.

    `folder` receives `curve.jsonl` and `checkpoint.pt`; a checkpoint of the same run found there is gone on
    from (a finished one gives its weights at once). The best weights are those of the best validation, or
    the last ones without `validate`; with `settings.average`, averaged ones. `ahead`: how many batches a
    thread of its own may load before they are needed; such a `load` draws from its generator alone.
    Raises `InputError` for a folder of another run, `Diverged` when the loss is not finite.
    """
    if settings.patience is not None and validate is None:
        raise InputError("patience was given but nothing to validate with: pass `validate` as well")
    fabric = fabric or fabric_here()
    run = _Run(model, objective, sampler, load, settings, folder, validate, fabric, ahead)
    return run.go(progress, label)


def fabric_here(device: str = "auto", precision: str = "32-true") -> Fabric:
    """A launched Fabric on `device` ("auto", "cpu", "cuda"): all processes of torchrun, else this one.

    `precision` is one of `PRECISIONS`. Raises `UnknownName`, and `InputError` for a GPU that is not there.
    """
    if precision not in PRECISIONS:
        raise UnknownName("precision", precision, PRECISIONS)
    if device not in ("auto", "cpu", "cuda"):
        raise UnknownName("device", device, ("auto", "cpu", "cuda"))
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda', but torch sees no NVIDIA GPU here: use 'auto' or 'cpu'")
    world = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=world // local,
        strategy="ddp" if world > 1 else "auto",
        precision=precision,
    )
    if world > 1:
        fabric.launch()
    return fabric


@contextmanager
def seeded(*seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Torch's random numbers inside the block follow from `seed`; outside they go on as if it had not been.

    >>> with seeded(7):
    ...     model = nn.Linear(2, 2)
    """
    cuda = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        _seed(seed)
        yield


def _seed(seed: tuple[int, ...]) -> None:
    torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]))


class _Run:
    """The state of one `fit`."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        sampler: Sampler,
        load: Load,
        settings: Settings,
        folder: Path,
        validate: Validate | None,
        fabric: Fabric,
        ahead: int,
    ) -> None:
        self.ahead = ahead
        self.model, self.objective, self.sampler, self.load = model, objective, sampler, load
        self.settings, self.folder, self.validate, self.fabric = settings, folder, validate, fabric
        self.optimizer = settings.optimizer.build(model)
        self.base_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.wrapped, self.stepper = fabric.setup(model, self.optimizer)
        self.average: AveragedModel | None = settings.average.build(model) if settings.average else None
        self.name = _fingerprint(model, sampler, settings)
        self.epoch = self.stale = self.best_epoch = 0
        self.finished = self.early = False
        self.best: dict[str, Tensor] | None = None
        self.best_metric: float | None = None
        self.loss = math.nan

    def go(self, progress: Progress, label: str) -> Fitted:
        """Train, validate and write until done; then put the best weights into the model."""
        settings, first = self.settings, self.fabric.is_global_zero
        self.resume()
        steps = len(self.sampler)
        written = time.monotonic()
        with (
            seeded(settings.seed, device=self.fabric.device),
            (progress if first else SILENT).task(label, settings.epochs * steps, "steps") as bar,
        ):
            bar.advance(self.epoch * steps)
            while not self.finished:
                started = time.monotonic()
                self.train_epoch(bar)
                metric = self.validated()
                self.epoch += 1
                self.judge(metric)
                self.finished = self.early or self.epoch >= settings.epochs
                if first:
                    self.record(metric, time.monotonic() - started)
                    if self.finished or time.monotonic() - written >= settings.checkpoint_seconds:
                        write_checkpoint(self.folder, self.checkpoint())
                        written = time.monotonic()
        self.fabric.barrier()
        if self.best is not None:
            self.model.load_state_dict(self.best)
        self.model.eval()
        return Fitted(self.epoch, self.best_epoch, self.best_metric, self.loss, self.early)

    def train_epoch(self, bar: Step) -> None:
        """One pass over the sampler's batches; `self.loss` becomes its mean loss over all processes."""
        settings, fabric, epoch = self.settings, self.fabric, self.epoch
        steps, total = len(self.sampler), 0.0
        self.wrapped.train()
        for step, loaded in enumerate(self.batches(epoch)):
            factor = settings.schedule(epoch * steps + step, settings.epochs * steps)
            for group, rate in zip(self.optimizer.param_groups, self.base_rates, strict=True):
                group["lr"] = rate * factor
            _seed(self.seed(epoch, step))  # dropout draws from torch's global generator: no other way in
            batch = fabric.to_device(loaded())
            loss = self.objective(self.wrapped, batch)
            self.stepper.zero_grad()
            fabric.backward(loss)
            if settings.clip_norm is not None:
                fabric.clip_gradients(
                    self.wrapped, self.stepper, max_norm=settings.clip_norm, error_if_nonfinite=False
                )
            self.stepper.step()
            value = loss.item()
            if not math.isfinite(value):
                raise Diverged(
                    f"the loss became {value} at epoch {epoch + 1}, step {step + 1}: "
                    "lower the learning rate, or look for numbers that are not finite among the inputs"
                )
            total += value
            if self.average is not None and settings.average is not None:
                done = (epoch * steps + step + 1) / (settings.epochs * steps)
                if settings.average.due(done, ends_epoch=step + 1 == steps):
                    self.average.update_parameters(self.model)
            bar.advance()
            bar.note(f"epoch {epoch + 1}, loss {value:.3f}{self.best_note()}")
        mean = torch.tensor(total / steps, dtype=torch.float64)
        self.loss = float(fabric.all_reduce(mean, reduce_op="mean"))

    def seed(self, epoch: int, step: int) -> tuple[int, ...]:
        """What all randomness of a step follows from."""
        return (self.settings.seed, epoch, step, self.fabric.global_rank)

    def batches(self, epoch: int) -> Iterator[Callable[[], Any]]:
        """What gives each batch of this process when it is called, loaded `ahead` of time where asked."""

        def task(step: int, rows: NDArray[np.int64]) -> Callable[[], Any]:
            mine = share(rows, self.fabric.global_rank, self.fabric.world_size)
            return lambda: self.load(mine, np.random.default_rng(self.seed(epoch, step)))

        tasks = (task(step, rows) for step, rows in enumerate(self.sampler(epoch)))
        if not self.ahead:
            yield from tasks
            return
        pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        waiting: deque[Future[Any]] = deque()
        try:
            for one in tasks:
                waiting.append(pool.submit(one))
                if len(waiting) > self.ahead:
                    yield waiting.popleft().result
            while waiting:
                yield waiting.popleft().result
        finally:
            pool.shutdown(cancel_futures=True)

    def best_note(self) -> str:
        """What the bar says of the best validation so far."""
        return "" if self.best_metric is None else f", best {self.best_metric:.4g}"

    def candidate(self) -> nn.Module:
        """The model whose weights are kept: the average once it has begun, else the model."""
        average = self.average
        return average.module if average is not None and int(average.n_averaged) else self.model

    def validated(self) -> float | None:
        """The metric after this epoch, or None where none is due; process 0 computes, all learn it."""
        due = (self.epoch + 1) % self.settings.validate_every == 0 or self.epoch + 1 == self.settings.epochs
        if self.validate is None or not due:
            return None
        metric = 0.0
        if self.fabric.is_global_zero:
            candidate = self.candidate().eval()
            with torch.no_grad():
                metric = float(self.validate(candidate))
        return float(self.fabric.broadcast(metric))

    def judge(self, metric: float | None) -> None:
        """Keep the weights if they are the best so far; decide whether patience is at its end."""
        better = self.validate is None or (
            metric is not None and (self.best_metric is None or metric > self.best_metric)
        )
        if better:
            last = self.epoch >= self.settings.epochs
            if self.validate is not None or last:  # without validation only the last weights count
                self.best = deepcopy(self.candidate().state_dict())
            self.best_metric, self.best_epoch, self.stale = metric, self.epoch, 0
        elif metric is not None:
            self.stale += 1
            self.early = self.settings.patience is not None and self.stale >= self.settings.patience

    def record(self, metric: float | None, seconds: float) -> None:
        """Add this epoch to the curve."""
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        line: dict[str, float | int | None] = {
            "epoch": self.epoch,
            "step": self.epoch * len(self.sampler),
            "loss": self.loss,
            "lr": rate,
            "seconds": round(seconds, 3),
        }
        append_curve(self.folder, line if metric is None else {**line, "metric": metric})

    def checkpoint(self) -> Checkpoint:
        """All that `resume` needs."""
        return Checkpoint(
            run=self.name,
            epoch=self.epoch,
            finished=self.finished,
            early=self.early,
            loss=self.loss,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            average=None if self.average is None else self.average.state_dict(),
            best=self.best,
            best_metric=self.best_metric,
            best_epoch=self.best_epoch,
            stale=self.stale,
        )

    def resume(self) -> None:
        """Go on from the folder's checkpoint, if there is one."""
        first = self.fabric.is_global_zero
        if first:
            self.folder.mkdir(parents=True, exist_ok=True)
        self.fabric.barrier()
        saved = read_checkpoint(self.folder, self.name)
        if saved is not None:
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            if self.average is not None and saved["average"] is not None:
                self.average.load_state_dict(saved["average"])
            self.best, self.best_metric = saved["best"], saved["best_metric"]
            self.best_epoch, self.stale = saved["best_epoch"], saved["stale"]
            self.epoch, self.loss = saved["epoch"], saved["loss"]
            self.finished, self.early = saved["finished"], saved["early"]
        if first:
            trim_curve(self.folder, self.epoch)


def _fingerprint(model: nn.Module, sampler: Sampler, settings: Settings) -> str:
    """What tells a run from another: its settings, the batches of its first epoch, its model's shapes."""
    shapes = [(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items()]
    digest = hashlib.blake2b(f"{settings} {sampler} {shapes}".encode(), digest_size=16)
    for rows in sampler(0):
        digest.update(rows.tobytes())
    return digest.hexdigest()
