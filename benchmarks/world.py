"""An everyday album at size, made from some thousand captioned photos.

`python -m benchmarks.world FLICKR8K FOLDER [--posts 80000]`. Each photo comes again and again as another:
cropped elsewhere, sometimes mirrored, lighter or darker, compressed otherwise, so that neither bytes nor
looks are those of its siblings. What goes with it differs likewise, as in a folder that has grown for years:

    2014/2014-07 Lisbon/IMG_002113.jpg        EXIF: the date in most, a place near a real town in half
    2014/2014-07 Lisbon/IMG_002113.txt        a caption beside two photos of five
    2014/2014-07 Lisbon/IMG_002114.jpg        embedded XMP with a caption and tags in two of five more
    2014/2014-07 Lisbon/IMG_002115.jpg        nothing but the picture in the rest

Everything follows from a post's number, so a world that was stopped is gone on with, and made again is the
same. A photo is written after its sidecar and renamed into place: what is there is whole.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

from cartolina.cli.console import progress
from cartolina.datasets import open_dataset
from cartolina.datasets.xmp_writer import Words, merged
from cartolina.geo import Gazetteer
from cartolina.onnx_session import available_cores
from cartolina.post import Place, Post

PLACES = (
    "Lisbon Porto Madrid Barcelona Seville Paris Lyon Nice London Edinburgh Dublin Brussels Amsterdam "
    "Hamburg Berlin Munich Vienna Salzburg Zurich Milan Rome Naples Palermo Rimini Venice Ljubljana "
    "Zagreb Athens Istanbul Budapest Prague Warsaw Copenhagen Oslo Stockholm Helsinki Reykjavik Marrakesh "
    "Cairo Nairobi Tokyo Kyoto Hanoi Bangkok Singapore Sydney Auckland Honolulu Vancouver Montreal Boston "
    "Chicago Havana Lima"
)

SIDE = 224
COMMON = (
    "a an and are at by for from front her his in into is it its near next of off on one onto other out over "
    "the their them there three through to together two under up while with wearing who behind down as"
)


@dataclass(frozen=True)
class Scene:
    """A photo and what can be said of it."""

    image: Path
    captions: tuple[str, ...]


def make_world(photos: Path, folder: Path, posts: int, first: int = 0) -> None:
    """Write the posts numbered from `first` on below `folder`; those that are there already are left."""
    scenes = [
        Scene(post.image, post.captions)
        for post in open_dataset(photos).stream(None)
        if isinstance(post, Post) and isinstance(post.image, Path)
    ]
    with Gazetteer.open() as gazetteer:
        towns = [found[0] for found in map(gazetteer.find, PLACES.split()) if found]
    places = [(town.name, town.lat, town.lon) for town in towns]
    numbers = range(first, first + posts)
    write = partial(write_post, folder, scenes, places)
    with (
        progress(quiet=False).task("world", posts, "posts") as step,
        ProcessPoolExecutor(available_cores()) as pool,
    ):
        for _ in pool.map(write, numbers, chunksize=256):
            step.advance()


def write_post(
    folder: Path, scenes: list[Scene], places: list[tuple[str, float, float]], number: int
) -> None:
    """The photo of one number, and what lies beside it."""
    # A trip is one town in one month; its photos are numbered through.
    trip = random.Random(number // 120)
    town, lat, lon = trip.choice(places)
    year, month = trip.randint(2004, 2025), trip.randint(1, 12)
    path = folder / f"{year}" / f"{year}-{month:02} {town}" / f"IMG_{number:06}.jpg"
    if path.exists():
        return
    chance = random.Random(f"post {number}")
    scene = scenes[number % len(scenes)]
    caption = chance.choice(scene.captions)
    exif = Image.Exif()
    if chance.random() < 0.95:
        day, hour, minute = chance.randint(1, 28), chance.randint(7, 21), chance.randint(0, 59)
        exif.get_ifd(0x8769)[36867] = f"{year}:{month:02}:{day:02} {hour:02}:{minute:02}:00"
    if chance.random() < 0.5:
        exif.get_ifd(0x8825).update(gps(lat + chance.gauss(0, 0.05), lon + chance.gauss(0, 0.05)))
    path.parent.mkdir(parents=True, exist_ok=True)
    kind, xmp = chance.random(), b""
    if kind < 0.4:
        path.with_suffix(".txt").write_text(caption + "\n")
    elif kind < 0.8:
        words = [word for word in re.findall(r"[a-z]{3,}", caption.lower()) if word not in COMMON.split()]
        tags = tuple(dict.fromkeys([*chance.sample(words, min(3, len(words))), town.lower()]))
        xmp = merged(None, Words(tags=tags, captions=(caption,)))
    staged = path.with_suffix(f".{os.getpid()}.tmp")
    again(scene.image, chance).save(staged, "JPEG", quality=chance.randint(60, 90), exif=exif, xmp=xmp)
    staged.replace(path)


def again(photo: Path, chance: random.Random) -> Image.Image:
    """Another picture of the same scene."""
    with Image.open(photo) as opened:
        picture = opened.convert("RGB")
    share = chance.uniform(0.6, 0.9)
    width, height = round(picture.width * share), round(picture.height * chance.uniform(share, 0.95))
    left, top = chance.randint(0, picture.width - width), chance.randint(0, picture.height - height)
    picture = picture.crop((left, top, left + width, top + height)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    if chance.random() < 0.4:
        picture = ImageOps.mirror(picture)
    return ImageEnhance.Brightness(picture).enhance(chance.uniform(0.75, 1.25))


def gps(lat: float, lon: float) -> dict[int, object]:
    """A place as EXIF has it."""
    place = Place(max(-90.0, min(90.0, lat)), (lon + 180) % 360 - 180)

    def degrees(value: float) -> tuple[int, int, float]:
        minutes, seconds = divmod(abs(value) * 3600, 60)
        return int(minutes) // 60, int(minutes) % 60, round(seconds, 2)

    south, west = place.lat < 0, place.lon < 0
    return {1: "NS"[south], 2: degrees(place.lat), 3: "EW"[west], 4: degrees(place.lon)}


def main() -> None:
    """Make a world."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.world", description=__doc__)
    parser.add_argument("photos", type=Path, help="a Flickr8k folder")
    parser.add_argument("folder", type=Path, help="where the world goes")
    parser.add_argument("--posts", type=int, default=80_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    given = parser.parse_args()
    make_world(given.photos, given.folder, given.posts, given.first)


if __name__ == "__main__":
    main()
