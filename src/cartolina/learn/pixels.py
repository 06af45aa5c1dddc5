"""The image encoder trained from pixels, end to end, to give φ (Learning from web data, section 3).

    encoder = open_encoder("efficientnet-lite0")              # its last block is free, the rest is frozen
    learnt = learn_pixels(into, [lambda: dataset.stream("train")], encoder, text="word2vec")
    learnt.validation["text_to_image"]["R@10"]                # on photos it has not learnt from

A step sees a random crop of each picture, mirrored every other time, and the φ of one of its captions; one
head of D outputs is pulled to it (`regression`). What comes of it is a space like any other, `into/space`,
and its backbone can be built upon: `cartolina build … --backbone onnx:into/space/backbones/0`.

What is frozen is not trained around but run as what it is: on the CPU as ONNX, on each core, four pictures a
call, while the step before is learnt from; on a GPU without gradients.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from cartolina import durable
from cartolina.errors import InputError
from cartolina.learn.batches import Shuffled
from cartolina.learn.crops import Crops
from cartolina.learn.encoders import Encoder
from cartolina.learn.finetune import Tuned
from cartolina.learn.fit import fabric_here, fit, seeded
from cartolina.learn.head_first import learn_head_first
from cartolina.learn.joint import both_ways, hold_out, mean_recall
from cartolina.learn.phi import phi_of
from cartolina.learn.pixel_recipes import PUBLISHED, PixelRecipe
from cartolina.learn.regression import PhotoSide, Regression, Target, text_side
from cartolina.learn.space_files import About, write_space
from cartolina.learn.towers import Features, perceptron
from cartolina.progress import SILENT, Progress
from cartolina.vision.backbones import Backbone, load_backbone
from cartolina.vision.onnx_backbone import CARD
from cartolina.vision.pictures import BUDGET, Stream, gather, listing
from cartolina.vision.torch_backbone import TorchBackbone

__all__ = [
    "LearntPixels",
    "PixelRegression",
    "Prepared",
    "begun",
    "head_for",
    "learn_pixels",
    "prepare",
    "trained_part",
    "validation",
]

FEWEST = 20
"""Pictures below which nothing is learnt: the held-out ones would say nothing."""

ANSWER = "learnt.json"
AHEAD = 2


@dataclass(frozen=True, slots=True)
class LearntPixels:
    """What came of it: `validation` as `joint.both_ways` gives it, on the photos that chose the epoch.

    `images`, `captions`: how many were learnt from. `skipped` counts by reason. `epochs` were run, the
    weights are those after `best_epoch`; `seconds` were spent since the call was made (again).
    """

    space: Path
    validation: dict[str, Any]
    images: int
    captions: int
    skipped: dict[str, int]
    epochs: int
    best_epoch: int
    loss: float
    seconds: float


class PixelRegression:
    """The objective: a batch is (what the model takes, φ); Eq. 2, times D where `summed`."""

    def __init__(self, target: Target, *, summed: bool) -> None:
        self.regression, self.summed = Regression(target), summed

    def __call__(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The loss, a scalar."""
        loss = self.regression(model, batch)
        return loss * batch[1].shape[1] if self.summed else loss


def learn_pixels(
    into: Path,
    parts: Sequence[Stream],
    encoder: Encoder,
    *,
    text: str = "word2vec",
    recipe: PixelRecipe = PUBLISHED,
    seed: int = 0,
    budget: int = BUDGET,
    fabric: Fabric | None = None,
    progress: Progress = SILENT,
) -> LearntPixels:
    """Train `encoder` in place to give φ of the captions of the posts in `parts`, and write `into`/space.

    `parts`: the posts to learn from, and those to validate on if there are two; else min(500, a tenth) are
    held out. `text` is a text model's name. `budget`: bytes of decoded pictures on disk (`gather`). A call
    that was stopped goes on where it was when it is repeated, and one that was done gives its answer again.
    Every process of several calls this; the first one decodes and writes, on a disk that all of them see.
    Raises `InputError` for fewer than 20 pictures with words, and for a folder of another call.
    """
    started = time.monotonic()
    fabric = fabric or fabric_here()
    first = fabric.is_global_zero
    if first:
        prepared = prepare(into, parts, encoder, text, recipe, seed, budget, fabric, progress)
    fabric.barrier()
    if not first:  # all of it lies on disk now
        prepared = prepare(into, parts, encoder, text, recipe, seed, budget, fabric, SILENT)
    if isinstance(prepared, LearntPixels):
        return prepared
    try:
        return _learn(prepared, encoder, recipe, seed, into, fabric, started, progress)
    finally:
        prepared.crops.pool.shutdown()


def _learn(
    prepared: Prepared,
    encoder: Encoder,
    recipe: PixelRecipe,
    seed: int,
    into: Path,
    fabric: Fabric,
    started: float,
    progress: Progress,
) -> LearntPixels:
    """From the first step to the answer."""
    first = fabric.is_global_zero
    crops, rest, held_out = prepared.crops, prepared.rest, prepared.held_out
    head, model = begun(prepared, encoder, recipe, seed, into, fabric, progress)
    fitted = fit(
        model,
        PixelRegression(recipe.target, summed=recipe.summed),
        Shuffled(rest, min(recipe.batch, len(rest)), seed),
        crops,
        recipe.settings(seed, from_scratch=encoder.from_scratch),
        folder=into / "run",
        validate=lambda trained: mean_recall(validation(trained, crops, held_out, recipe)),
        fabric=fabric,
        ahead=AHEAD,
        progress=progress,
    )
    starts = crops.phi.starts
    learnt = LearntPixels(
        space=into / "space",
        validation=fabric.broadcast(validation(model, crops, held_out, recipe) if first else {}),
        images=len(rest),
        captions=int((starts[rest + 1] - starts[rest]).sum()),
        skipped=dict(prepared.skipped),
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        loss=fitted.loss,
        seconds=round(time.monotonic() - started, 1),
    )
    model.cpu()
    if first:
        write(into, encoder, head, crops, recipe, learnt)
        answer = asdict(learnt) | {"space": "space", "asked": prepared.asked}
        durable.write_bytes(into / ANSWER, json.dumps(answer, indent=1).encode())
        rmtree(into / "work")
        (into / "run" / "checkpoint.pt").unlink()  # the curve stays; what was learnt is in the space
    fabric.barrier()
    return learnt


def validation(
    model: nn.Module, crops: Crops, rows: NDArray[np.int64], recipe: PixelRecipe
) -> dict[str, Any]:
    """R@1, R@5 and R@10 both ways among photos `rows`, of which the middle is seen, every caption a query."""
    device = next(model.parameters()).device
    side = PhotoSide(model.eval(), recipe.target)
    vectors = []
    with torch.no_grad():
        for start in range(0, len(rows), recipe.batch):
            seen = crops.middles(rows[start : start + recipe.batch])
            vectors.append(side(seen.to(device)).float().cpu())
        phi, owner = crops.phi.all_of(rows)
        words = text_side(recipe.target) or nn.functional.normalize
        texts: Tensor = words(torch.from_numpy(phi))
    return both_ways(torch.cat(vectors).numpy(), texts.numpy(), owner)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is on disk before the first step; `asked` tells this call from others."""

    asked: str
    crops: Crops
    rest: NDArray[np.int64]
    held_out: NDArray[np.int64]
    skipped: Counter[str]


def prepare(
    into: Path,
    parts: Sequence[Stream],
    encoder: Encoder,
    text: str,
    recipe: PixelRecipe,
    seed: int,
    budget: int,
    fabric: Fabric,
    progress: Progress,
) -> Prepared | LearntPixels:
    """What the first step needs, or the answer where it was given before."""
    work = into / "work"
    posts = listing(parts, progress)
    said = f"{encoder.name} {encoder.free} {text} {recipe} {seed} {len(parts)} {posts.digest}"
    asked = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    if (into / ANSWER).exists():
        learnt = _answered(into, asked)
        rmtree(work, ignore_errors=True)  # where a call was stopped after its answer
        return learnt
    _claim(work / "asked", asked)
    squares = encoder.stored(round(encoder.preprocessing.size * recipe.zoom))
    gathered = gather(posts, work, squares, budget=budget, progress=progress)
    rest, held_out = hold_out(len(gathered.captions), seed)
    if len(parts) > 1:
        rest, held_out = (np.flatnonzero(gathered.part == part) for part in (0, 1))
    if len(gathered.captions) < FEWEST or not len(rest) or not len(held_out):
        skipped = ", ".join(f"{count} × {reason}" for reason, count in gathered.skipped.items())
        raise InputError(
            f"{len(rest)} readable pictures with words were found to learn from and {len(held_out)} to "
            f"validate on{f' ({skipped})' if skipped else ''}; learning needs {FEWEST} in all, some of each"
        )
    phi = phi_of(gathered.captions, rest, text, work, seed=seed, progress=progress)
    trunk = on_cores(encoder, work / "trunk") if fabric.device.type == "cpu" else None
    return Prepared(asked, Crops(gathered.pictures, phi, encoder, trunk), rest, held_out, gathered.skipped)


def begun(
    prepared: Prepared,
    encoder: Encoder,
    recipe: PixelRecipe,
    seed: int,
    into: Path,
    fabric: Fabric,
    progress: Progress = SILENT,
) -> tuple[nn.Module, nn.Module]:
    """The head and the whole that is trained, as they are before the first step from pixels."""
    crops = prepared.crops
    with seeded(seed):
        head = head_for(encoder, crops.phi.rows.shape[1], recipe)
    model = trained_part(encoder, head, crops.trunk)
    if recipe.head_epochs and not encoder.from_scratch:
        learn_head_first(
            head,
            encoder.tail if crops.trunk is not None else encoder.module,
            crops,
            prepared.rest,
            PixelRegression(recipe.target, summed=recipe.summed),
            recipe.head_settings(seed),
            batch=recipe.batch,
            folder=into / "work" / "head",
            fabric=fabric,
            progress=progress,
        )
    return head, model


def _claim(marker: Path, asked: str) -> None:
    """See that what a stopped call left is gone on with by the same call only."""
    if marker.exists():
        if marker.read_text() != asked:
            raise InputError(
                f"{marker.parent.parent} holds what a stopped call with other posts or options left: give "
                "that call again, or another folder"
            )
    else:
        marker.parent.mkdir(parents=True, exist_ok=True)
        durable.write_bytes(marker, asked.encode())


def _answered(into: Path, asked: str) -> LearntPixels:
    try:
        answer = json.loads((into / ANSWER).read_bytes())
        same = answer.pop("asked") == asked
        learnt = LearntPixels(**answer | {"space": into / answer["space"]})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{into / ANSWER} cannot be read ({error}): give another folder") from error
    if not same:
        raise InputError(f"{into} holds what was learnt from other posts or otherwise: give another folder")
    return learnt


def on_cores(encoder: Encoder, folder: Path) -> Backbone | None:
    """The frozen part as ONNX, one call a core: some ten times as fast there as torch's modules."""
    if encoder.trunk is None:
        return None
    trunk = TorchBackbone(encoder.trunk, name="trunk", preprocessing=encoder.preprocessing, device="cpu")
    if (folder / CARD).exists():
        known = load_backbone(folder, "cpu")
        if known.fingerprint == trunk.fingerprint:
            return known
    trunk.save(folder)
    return load_backbone(folder, "cpu")


def head_for(encoder: Encoder, dim: int, recipe: PixelRecipe) -> nn.Module:
    """Features (N, *shape) -> ψ (N, dim)."""
    if recipe.head == "perceptron":
        features = Features([encoder.shape])
        return nn.Sequential(features, perceptron(features.width, recipe.hidden, dim, recipe.dropout))
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(encoder.shape), dim))


def trained_part(encoder: Encoder, head: nn.Module, trunk: Backbone | None) -> nn.Module:
    """What is trained: of the trunk's activations where it runs elsewhere, else of pixels."""
    if encoder.from_scratch:
        return nn.Sequential(OrderedDict(tail=encoder.tail, head=head))
    return Tuned(encoder.tail, head, trunk=encoder.trunk if trunk is None else None)


def write(
    into: Path, encoder: Encoder, head: nn.Module, crops: Crops, recipe: PixelRecipe, learnt: LearntPixels
) -> None:
    """The space, whole or not at all."""
    backbone = TorchBackbone(
        encoder.module.cpu(),
        name=f"{encoder.name}:{'scratch' if encoder.from_scratch else 'tuned'}",
        preprocessing=encoder.shown(crops.pictures.squares.size),
        device="cpu",
    )
    found = learnt.validation
    share = f"{found['text_to_image']['R@10']:.0f} % of the captions of {found['images']} held-out photos"
    parts = {(): "no part", ("all",): "all", ("scratch",): "all, from scratch"}.get(encoder.free)
    about = About(
        how="regression" if recipe.target == "sigmoid" else f"regression:{recipe.target}",
        why=f"learnt from pixels ({parts or ', '.join(encoder.free)} of {encoder.name}); {share} find theirs "
        "among the first ten",
        posts=learnt.images,
        captions=learnt.captions,
        validation=found,
    )
    staged = into / "work" / "space"
    rmtree(staged, ignore_errors=True)
    write_space(
        staged,
        about,
        text_model=crops.phi.text,
        backbones=[backbone],
        image_head=PhotoSide(head, recipe.target),
        text_head=text_side(recipe.target),
    )
    rmtree(into / "space", ignore_errors=True)  # of a call that was stopped before it had said its answer
    staged.rename(into / "space")
    durable.fsync_folder(into)
