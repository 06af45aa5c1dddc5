"""Near duplicates found and false ones: `python -m benchmarks.duplicates FLICKR8K [--photos 1000]`.

Some photos are made again in seventeen ways; each copy is compared with its own photo by the rule of
`album.alike`, by looks and features and by looks alone. Then all photos of the folder are compared with each
other: what is found there are pairs nobody made, to be looked at (`--sheet`); photographers' series are among
them. The peers are each half of the rule alone, at the same threshold for bits or a cosine of `ENOUGH` + .2.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from cartolina.album.alike import ENOUGH, SURE, WEIGHT, stars
from cartolina.album.duplicates import unit_features
from cartolina.cli.console import progress
from cartolina.datasets import open_dataset
from cartolina.post import Post
from cartolina.vision import backbone
from cartolina.vision.decode import content_hash
from cartolina.vision.features import FeatureCache, extract, feature_key
from cartolina.vision.looks import BITS, HALF, look, signs

Picture = Image.Image
Change = Callable[[Picture, random.Random], tuple[Picture, int]]
"""A photo and what chance says -> another picture, and the JPEG quality it is saved with."""


def cropped(picture: Picture, share: float, chance: random.Random) -> Picture:
    """Less `share` of the width and of the height, anywhere."""
    width, height = (round(side * (1 - share)) for side in picture.size)
    left = chance.randint(0, picture.width - width)
    top = chance.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def shifted(picture: Picture, chance: random.Random) -> Picture:
    """Each channel 12 % stronger or weaker."""
    gains = [1 + chance.choice((-0.12, 0.12)) for _ in "RGB"]
    values = np.asarray(picture, np.float32) * np.array(gains, np.float32)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def marked(picture: Picture) -> Picture:
    """A light label with words in a corner."""
    marked = picture.copy()
    draw, (width, height) = ImageDraw.Draw(marked, "RGBA"), picture.size
    draw.rectangle((width * 0.55, height * 0.88, width * 0.98, height * 0.97), fill=(255, 255, 255, 150))
    draw.text((width * 0.58, height * 0.885), "(c) Photos", fill=(0, 0, 0, 255))
    return marked


def turned(picture: Picture, degrees: float) -> Picture:
    """Turned, the corners black."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="black")


CHANGES: dict[str, Change] = {
    "recompressed, quality 50": lambda p, _: (p, 50),
    "recompressed, quality 20": lambda p, _: (p, 20),
    "half the size": lambda p, _: (p.resize((p.width // 2, p.height // 2), Image.Resampling.LANCZOS), 90),
    "a quarter of the size": lambda p, _: (p.resize((p.width // 4, p.height // 4)), 90),
    "cropped by 5 %": lambda p, chance: (cropped(p, 0.05, chance), 90),
    "cropped by 10 %": lambda p, chance: (cropped(p, 0.10, chance), 90),
    "cropped by 20 %": lambda p, chance: (cropped(p, 0.20, chance), 90),
    "20 % brighter": lambda p, _: (ImageEnhance.Brightness(p).enhance(1.2), 90),
    "20 % darker": lambda p, _: (ImageEnhance.Brightness(p).enhance(0.8), 90),
    "30 % more contrast": lambda p, _: (ImageEnhance.Contrast(p).enhance(1.3), 90),
    "colours shifted": lambda p, chance: (shifted(p, chance), 90),
    "grey": lambda p, _: (ImageOps.grayscale(p), 90),
    "mirrored": lambda p, _: (ImageOps.mirror(p), 90),
    "a label in the corner": lambda p, _: (marked(p), 90),
    "a white border of 4 %": lambda p, _: (ImageOps.expand(p, round(p.width * 0.04), "white"), 90),
    "turned by 1°": lambda p, _: (turned(p, 1), 90),
    "turned by 2°": lambda p, _: (turned(p, 2), 90),
}


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__)
    parser.add_argument("source", type=Path, help="a Flickr8k folder")
    parser.add_argument("--photos", type=int, default=1000, help="how many are made again")
    parser.add_argument("--among", type=int, help="compare only so many with each other (default: all)")
    parser.add_argument("--sheet", type=Path, help="draw the pairs that nobody made")
    parser.add_argument("--keep", type=Path, help="a folder where features stay for the next run")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    images = [
        post.image
        for post in open_dataset(given.source).stream(None)
        if isinstance(post, Post) and isinstance(post.image, Path)
    ][: given.among]
    with tempfile.TemporaryDirectory() as temporary:
        answer = measure(images, given.photos, given.keep or Path(temporary), given.sheet)
    if given.json:
        print(json.dumps(answer))
        return
    for name, row in answer["found"].items():
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in row.values()) + " |")
    print(f"\n{answer['among']:,} photos compared with each other: {answer['pairs']}")


def measure(images: list[Path], photos: int, keep: Path, sheet: Path | None) -> dict[str, Any]:
    """Recalls by change in percent, and what is found among the photos as they are."""
    originals: list[Path | bytes] = list(images)
    chosen = random.Random(0).sample(range(len(images)), min(photos, len(images)))
    made: list[Path | bytes] = []
    kinds, owners = [], []
    for number in chosen:
        chance = random.Random(images[number].name)
        with Image.open(images[number]) as opened:
            picture = opened.convert("RGB")
        for kind, change in CHANGES.items():
            changed, quality = change(picture, chance)
            out = BytesIO()
            changed.save(out, "JPEG", quality=quality)
            made.append(out.getvalue())
            kinds.append(kind)
            owners.append(number)
    rows, features = described(originals + made, keep)
    count, owner = len(originals), np.array(owners)
    even = np.einsum("nd,nd->n", rows[owner, :HALF], rows[count:, :HALF])
    odd = np.einsum("nd,nd->n", rows[owner, HALF:], rows[count:, HALF:])
    bits = (BITS - even - np.abs(odd)) / 2
    cosine = np.einsum("nd,nd->n", features[owner], features[count:])
    by = {
        "both": (bits <= SURE) | (cosine - WEIGHT * bits / 64 >= ENOUGH),
        "looks": bits <= SURE,
        "strict": (BITS - even - odd) / 2 <= SURE,
        "cosine": cosine >= ENOUGH + 0.2,
    }
    each = np.array(kinds)
    found = {
        kind: {name: round(100 * float(hit[each == kind].mean()), 1) for name, hit in by.items()}
        for kind in CHANGES
    }
    seen = np.ones(count, bool)
    pairs = {}
    for name, strict, use in (("both", False, seen), ("looks", False, ~seen), ("strict", True, seen)):
        groups = stars(
            rows[:count], use, lambda wanted: features[wanted], progress(quiet=True), strict=strict
        )
        pairs[name] = sum(len(others) for _, others in groups)
        if name == "both" and sheet is not None:
            draw(sheet, images, [(best, other, str(like)) for best, rest in groups for other, like in rest])
    return {"found": found, "among": count, "pairs": pairs}


def described(pictures: list[Path | bytes], keep: Path) -> tuple[np.ndarray, np.ndarray]:
    """Hashes as ±1 (N, 128) and unit features (N, F); a flat picture is a mistake here."""
    shown = progress(quiet=False)
    hashes = []
    with shown.task("looking", len(pictures), "photos") as step:
        for picture in pictures:
            hashes.append(look(picture).bits or bytes(BITS // 8))
            step.advance()
    model = backbone("efficientnet-lite0", device="cpu")
    cache = FeatureCache(keep / "features", model.shape)
    for _ in extract(((p, p) for p in pictures), [model], [cache], total=len(pictures), progress=shown):
        pass
    keys = [feature_key(content_hash(picture), "plain") for picture in pictures]
    features = unit_features(cache.get(keys))
    cache.close()
    return signs(hashes), features


def draw(sheet: Path, images: list[Path], pairs: list[tuple[int, int, str]]) -> None:
    """Two pictures a pair, side by side."""
    from cartolina.figures.sheet import Tile, save_sheet

    tiles = [
        Tile(images[number], images[number].name, said)
        for best, other, said in pairs
        for number in (best, other)
    ]
    save_sheet(sheet, tiles, "found among the photos as they are")


if __name__ == "__main__":
    main()
