"""Backbones out of other people's libraries: torchvision, timm, open_clip, transformers.

Each loader takes (full name, what follows the prefix, input size or None, device), imports its library late,
and never downloads: weights come from a named file, from the library's own cache, or are random on request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from cartolina.errors import InputError, UnknownName, require
from cartolina.torch_libraries import import_torchvision, import_transformers
from cartolina.vision.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cartolina.vision.torch_backbone import TorchBackbone, fill, read_weights

if TYPE_CHECKING:
    import torch

__all__ = ["hf", "open_clip", "timm", "torchvision"]

Interpolation = Literal["bilinear", "bicubic", "lanczos"]


def torchvision(name: str, rest: str, size: int | None, device: str) -> TorchBackbone:
    """`torchvision:MODEL[:WEIGHTS]`: a classifier without its last linear layer.

    So GoogLeNet gives 1024 features, ResNet-50 2048 and VGG-16 4096 (fc7 after its ReLU), as in the papers.
    """
    models = import_torchvision(f"the backbone {name}").models
    model, weights = _model_and_weights(rest)
    if model not in models.list_models(module=models):
        raise UnknownName("torchvision model", model, models.list_models(module=models))
    file = None if weights == "random" else _torchvision_file(name, models.get_model_weights(model), weights)
    options: dict[str, Any] = {}
    if model in ("googlenet", "inception_v3"):  # their published weights expect these two choices
        options = {"aux_logits": False, "transform_input": True, "init_weights": False}
    module = _seeded(lambda: models.get_model(model, weights=None, **options))
    if file is not None:
        fill(module, read_weights(file), str(file))
    _behead(module, model)
    recipe = _published(models.get_model_weights(model), file).transforms().__dict__
    crop, resize = recipe["crop_size"][0], recipe["resize_size"][0]
    return _assembled(module, name, _imagenet(size or crop, "bilinear", crop / resize), device)


def timm(name: str, rest: str, size: int | None, device: str) -> TorchBackbone:
    """`timm:MODEL[:WEIGHTS]`: an image model's pooled features before the classifier."""
    import_torchvision(f"the backbone {name}")
    library = require("timm", f"the backbone {name}", "pip install timm")
    model, weights = _model_and_weights(rest)
    if not library.is_model(model):
        raise UnknownName("timm model", model, library.list_models())
    module = _seeded(lambda: library.create_model(model, pretrained=False, num_classes=0))
    if weights != "random":
        file = Path(weights) if weights else _hugging_face_file(name, module.pretrained_cfg.get("hf_hub_id"))
        fill(module, read_weights(file), str(file))
    recipe = library.data.resolve_data_config({}, model=module)
    preprocessing = Preprocessing(
        size or recipe["input_size"][-1],
        resize="crop",
        mean=_triple(255 * value for value in recipe["mean"]),
        std=_triple(255 * value for value in recipe["std"]),
        interpolation=_interpolation(recipe["interpolation"]),
        crop_fraction=recipe["crop_pct"],
    )
    return _assembled(module, name, preprocessing, device)


def open_clip(name: str, rest: str, size: int | None, device: str) -> TorchBackbone:
    """`open_clip:MODEL:WEIGHTS`: the image tower of a CLIP, whose features are its image vectors."""
    import_torchvision(f"the backbone {name}")
    library = require("open_clip", f"the backbone {name}", "pip install open_clip_torch")
    model, weights = _model_and_weights(rest)
    if model not in library.list_models():
        raise UnknownName("open_clip model", model, library.list_models())
    if not weights:
        raise InputError(_no_weights(name, "the checkpoint of a CLIP"))
    tower = _seeded(
        lambda: library.create_model(model, load_weights=False, pretrained_text=False, force_image_size=size)
    ).visual
    if weights != "random":
        visual = {
            key.removeprefix("visual."): value
            for key, value in read_weights(Path(weights)).items()
            if key.startswith("visual.")
        }
        fill(tower, visual, weights)
    recipe = tower.preprocess_cfg
    side = recipe["size"] if isinstance(recipe["size"], int) else recipe["size"][0]
    preprocessing = Preprocessing(
        side,
        resize="squash" if recipe["resize_mode"] == "squash" else "crop",
        mean=_triple(255 * value for value in recipe["mean"]),
        std=_triple(255 * value for value in recipe["std"]),
        interpolation=_interpolation(recipe["interpolation"]),
    )
    return _assembled(tower, name, preprocessing, device)


def hf(name: str, rest: str, size: int | None, device: str) -> TorchBackbone:
    """`hf:/FOLDER`: an image model of transformers with its image processor, saved by `save_pretrained`.

    Features: a CLIP's image vector; else the class token; else the mean over places.
    """
    library = import_transformers(f"the backbone {name}")
    folder = Path(rest)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} holds no config.json: expected a folder written by save_pretrained")
    try:
        model = library.AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} cannot be opened as a transformers model: {error}") from error
    return _assembled(_one_vector(model), name, _processor(folder, size), device)


def _assembled(
    module: torch.nn.Module, name: str, preprocessing: Preprocessing, device: str
) -> TorchBackbone:
    try:
        return TorchBackbone(module, name=name, preprocessing=preprocessing, device=device)
    except (RuntimeError, ValueError, AssertionError) as error:  # its first picture was refused
        raise InputError(
            f"backbone {name!r} takes no pictures of {preprocessing.size} pixels: {error}"
        ) from error


def _model_and_weights(rest: str) -> tuple[str, str]:
    model, _, weights = rest.partition(":")
    return model, weights


def _seeded(make: Callable[[], Any]) -> Any:  # noqa: ANN401  (untyped libraries' modules)
    """What `make` makes, with random weights that are the same every time."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


def _behead(module: torch.nn.Module, model: str) -> None:
    """Put nothing in the place of the last linear layer."""
    import torch

    linear = [path for path, part in module.named_modules() if isinstance(part, torch.nn.Linear)]
    if not linear:
        raise InputError(
            f"torchvision's {model} does not end in a linear layer: its features are not defined here"
        )
    parent, _, last = linear[-1].rpartition(".")
    setattr(module.get_submodule(parent), last, torch.nn.Identity())


def _one_vector(model: Any) -> torch.nn.Module:  # noqa: ANN401  (transformers has no common type)
    import torch

    has_class_token = hasattr(getattr(model, "embeddings", None), "cls_token")

    class OneVector(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            if hasattr(self.model, "get_image_features"):
                found = self.model.get_image_features(pixel_values=pixels)
                return cast("torch.Tensor", getattr(found, "pooler_output", found))
            last: torch.Tensor = self.model(pixel_values=pixels).last_hidden_state
            if last.ndim == 4:
                return last.mean((2, 3))  # (B, C, H, W) -> (B, C)
            return last[:, 0] if has_class_token else last.mean(1)  # (B, T, C) -> (B, C)

    return OneVector()


def _processor(folder: Path, size: int | None) -> Preprocessing:
    """The `Preprocessing` that does what the image processor saved in `folder` does."""
    try:
        recipe = json.loads((folder / "preprocessor_config.json").read_bytes())
        # Left out, each of these means what ViT's processor takes it for.
        target, crop = recipe.get("size", 224), recipe.get("crop_size")
        to_unit = recipe.get("rescale_factor", 1 / 255) if recipe.get("do_rescale", True) else 1.0
        normalised = recipe.get("do_normalize", True)
        mean = recipe["image_mean"] if normalised else (0.0,) * 3
        std = recipe["image_std"] if normalised else (1.0,) * 3
        fraction = float(recipe.get("crop_pct") or 1.0)
        squash = isinstance(target, int) or "height" in target
        edge = target if isinstance(target, int) else target.get("height") or target["shortest_edge"]
        side = edge
        if crop and recipe.get("do_center_crop"):
            side = crop if isinstance(crop, int) else crop["height"]
            fraction, squash = min(1.0, side / edge), False
        return Preprocessing(
            size or side,
            resize="squash" if squash else "crop",
            mean=_triple(value / to_unit for value in mean),
            std=_triple(value / to_unit for value in std),
            interpolation={1: "lanczos", 2: "bilinear", 3: "bicubic"}[recipe.get("resample", 2)],  # type: ignore[arg-type]
            crop_fraction=1.0 if squash else fraction,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} has no preprocessor_config.json that says size, image_mean and image_std "
            f"(save the model's image processor there): {error!r}"
        ) from error


def _torchvision_file(name: str, published: Any, weights: str) -> Path:  # noqa: ANN401  (an enum of weights)
    """The weights file that was named, or the first published one in torch's hub cache, the default first."""
    import torch

    if weights:
        return Path(weights)
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    files = [folder / _file_name(choice) for choice in (published.DEFAULT, *published)]
    for file in files:
        if file.is_file():
            return file
    raise InputError(_no_weights(name, str(files[0])))


def _published(published: Any, file: Path | None) -> Any:  # noqa: ANN401  (an enum of weights)
    """Which published weights `file` is, by its name; the default for any other name."""
    return next((c for c in published if file is not None and _file_name(c) == file.name), published.DEFAULT)


def _file_name(choice: Any) -> str:  # noqa: ANN401
    return str(choice.url).rsplit("/", 1)[-1]


def _hugging_face_file(name: str, repository: str | None) -> Path:
    hub = require("huggingface_hub", f"the backbone {name}", "pip install huggingface_hub")
    found = hub.try_to_load_from_cache(repository, "model.safetensors") if repository else None
    if not isinstance(found, str):
        raise InputError(_no_weights(name, f"model.safetensors of {repository} in the Hugging Face cache"))
    return Path(found)


def _no_weights(name: str, expected: str) -> str:
    return (
        f"no weights for {name!r} on this machine (expected {expected}), and none are ever downloaded: "
        f"name a file, {name}:/PATH/WEIGHTS, or ask for untrained ones, {name}:random"
    )


def _imagenet(size: int, interpolation: Interpolation, fraction: float) -> Preprocessing:
    return Preprocessing(
        size,
        "crop",
        IMAGENET_MEAN,
        IMAGENET_STD,
        interpolation=interpolation,
        crop_fraction=min(1.0, fraction),
    )


def _interpolation(name: str) -> Interpolation:
    return cast("Interpolation", name) if name in ("bilinear", "bicubic", "lanczos") else "bicubic"


def _triple(values: Iterable[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)
