"""`learn …`: networks trained from pixels, beside albums."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartolina.cli.console import progress
from cartolina.cli.failures import explained
from cartolina.cli.options import KEPT, Columns, Format, Json, Quiet, Source, Split

if TYPE_CHECKING:
    from cartolina.learn.pixel_recipes import PixelRecipe
    from cartolina.learn.pixels import LearntPixels

__all__ = ["app"]

app = typer.Typer(
    help="Train networks on photos and their words.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _learn() -> None:
    pass


@app.command(
    epilog="""\b
Examples:
  cartolina learn pixels flickr8k --into encoder --split train --recipe scaled
  cartolina learn pixels photos.csv --into encoder --text minilm --free all
  cartolina learn pixels photos.csv --into net --from-scratch --backbone small@64 --epochs 20
  cartolina build ~/Photos holidays.album --backbone onnx:encoder/space/backbones/0
  torchrun --nproc-per-node 4 -m cartolina learn pixels photos.csv --into encoder --precision bf16-mixed
"""
)
def pixels(
    source: Source,
    into: Annotated[
        Path, typer.Option(help="The folder for what is learnt; a call that was stopped goes on from it.")
    ],
    text: Annotated[
        str, typer.Option(help="What gives φ: word2vec, minilm, glove-6b-50d, words:FILE, hf:FOLDER…")
    ] = "word2vec",
    backbone: Annotated[
        str | None,
        typer.Option(
            help="efficientnet-lite0 (default), …-lite2, torchvision:googlenet, timm:…; with --from-scratch "
            "small@SIZE (default small@96)."
        ),
    ] = None,
    free: Annotated[
        str | None,
        typer.Option(
            help="The parts that learn, to the last: _blocks.15,_conv_head,_bn1; all; none (a head only). "
            "Default: the last block."
        ),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Random weights, and everything learns.")
    ] = False,
    recipe: Annotated[
        str,
        typer.Option(help="published (the papers' numbers) or scaled (for thousands of photos)."),
    ] = "published",
    target: Annotated[
        str | None, typer.Option(help="sigmoid (Eq. 2, default), min-max (the released code's) or mse.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="How often each photo is seen.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos a step (120), of all processes.")] = None,
    rate: Annotated[float | None, typer.Option(help="The learning rate (0.001).")] = None,
    format: Format = "auto",  # noqa: A002  (the option is called so)
    columns: Columns = None,
    split: Split = None,
    validate: Annotated[
        str | None,
        typer.Option(help="The part that chooses the epoch (default: a tenth of SPLIT, at most 500 photos)."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[str, typer.Option(help="32-true, bf16-mixed or 16-mixed.")] = "32-true",
    cache: Annotated[float, typer.Option(min=0, help="Gigabytes of decoded photos on disk.")] = 4.0,
    seed: Annotated[int, typer.Option(help="What chance begins with.")] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train an image encoder from pixels to give the vectors of words (Learning from web data).

    Random crops and mirrors of every photo are pulled to φ of its captions; what is below the free parts is
    frozen. The folder gets a space that photos and words can be searched with, whose backbone `build` takes.
    """
    with explained(KEPT):
        from cartolina.datasets import open_dataset
        from cartolina.errors import TRAIN, InputError, require

        for package in ("torch", "lightning_fabric"):
            require(package, "learning from pixels", TRAIN)
        if validate is not None and split in (None, validate):
            raise InputError(f"--validate {validate} needs --split, with another part to learn from")
        from cartolina.learn.encoders import SMALL, open_encoder
        from cartolina.learn.fit import fabric_here
        from cartolina.learn.pixels import learn_pixels

        chosen = _recipe(recipe, target, epochs, batch, rate)
        fabric = fabric_here(device, precision)
        shown = progress(quiet=quiet or not fabric.is_global_zero)
        dataset = open_dataset(source, format, columns)
        for part in (split, validate):
            dataset.check_split(part)
        shown.say(dataset.why)
        streams = [partial(dataset.stream, part) for part in (split, validate)[: 1 + (validate is not None)]]
        name = backbone or (SMALL if from_scratch else "efficientnet-lite0")
        parts = None if free is None else () if free == "none" else tuple(free.split(","))
        encoder = open_encoder(name, free=parts, from_scratch=from_scratch, seed=seed)
        learnt = learn_pixels(
            into,
            streams,
            encoder,
            text=text,
            recipe=chosen,
            seed=seed,
            budget=int(cache * (1 << 30)),
            fabric=fabric,
            progress=shown,
        )
        if fabric.is_global_zero:
            _show(learnt, into, as_json=json)


def _recipe(
    name: str, target: str | None, epochs: int | None, batch: int | None, rate: float | None
) -> PixelRecipe:
    from dataclasses import replace

    from cartolina.errors import UnknownName
    from cartolina.learn.pixel_recipes import RECIPES
    from cartolina.learn.regression import TARGETS

    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    if target is not None and target not in TARGETS:
        raise UnknownName("regression target", target, TARGETS)
    recipe = RECIPES[name]
    asked: dict[str, Any] = {"target": target, "epochs": epochs, "batch": batch}
    if rate is not None:
        asked["optimizer"] = replace(recipe.optimizer, lr=rate)
    return replace(recipe, **{key: value for key, value in asked.items() if value is not None})


def _show(learnt: LearntPixels, into: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    from cartolina.cli.output import plain, screen, table_of_facts, write_json

    backbone = f"onnx:{learnt.space / 'backbones' / '0'}"
    if as_json:
        write_json(asdict(learnt) | {"backbone": backbone})
        return
    found = learnt.validation
    rows = [
        ("learnt from", f"{learnt.images:,} photos, {learnt.captions:,} captions"),
        ("epochs", f"{learnt.epochs}, the best was {learnt.best_epoch}"),
        *((f"skipped: {reason}", f"{count:,}") for reason, count in sorted(learnt.skipped.items())),
    ]
    for way, said in (("text_to_image", "words → photo"), ("image_to_text", "photo → words")):
        recalls = " · ".join(f"{name} {value:.1f}" for name, value in found[way].items())
        rows.append((said, f"{recalls}  ({found['images']:,} photos, which chose the epoch)"))
    rows.append(("space", str(learnt.space)))
    table_of_facts(rows)
    screen().print(f"An album with it: cartolina build PHOTOS ALBUM --backbone {plain(backbone)}")
