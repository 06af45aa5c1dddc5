"""MIRFlickr-25K and InstaCities1M in small, in their layout, with drawn pictures: a colour is a theme."""

import sys
from pathlib import Path

import numpy as np
from tiny_world import COLOURS

from photo_files import write

sys.path.insert(0, str(Path(__file__).parents[2] / "datasets"))

import published_files

THEMES = {"red": "flower", "green": "tree", "blue": "sea", "yellow": "sunset", "purple": "night"}
"""What photos of a colour show."""


def shade(colour, rng):
    """About that colour; no two the same."""
    return tuple(int(c) for c in np.clip(np.array(COLOURS[colour]) + rng.integers(-25, 26, 3), 0, 255))


def mirflickr(root, count=100):
    """Photos im1 … of the five colours in turn, tagged by theme and by a number that some share.

    Every photo is labelled with its theme; every second red one as a strong flower, and every green one as a
    (weak) flower too. Photo 1 has a rare tag only, photo 2 no label: neither takes part.
    """
    rng = np.random.default_rng(0)
    colours = [list(COLOURS)[n % 5] for n in range(count)]
    tags = [[THEMES[colour], f"shared{n % 4}"] for n, colour in enumerate(colours)]
    tags[0] = ["rare"]
    concepts = {theme: [] for theme in THEMES.values()} | {"flower_r1": []}
    for n, colour in enumerate(colours):
        if n != 1:
            concepts[THEMES[colour]].append(n + 1)
            if colour == "green":
                concepts["flower"].append(n + 1)
            if colour == "red" and n % 10 == 0:
                concepts["flower_r1"].append(n + 1)
    published_files.mirflickr(root, tags, concepts)
    for n, colour in enumerate(colours, 1):
        write(root / "mirflickr" / f"im{n}.jpg", colour=shade(colour, rng))
    return root


def instacities(root, count=60, cities=("london", "newyork")):
    """Photos of cities, each of its own colour, whose captions name the city."""
    rng = np.random.default_rng(0)
    published_files.instacities(root, count, cities)
    for city, colour in zip(cities, COLOURS, strict=False):
        for number in range(1000, 1000 + count):
            caption = root / "captions_resized_1M/cities_instagram" / city / f"{number}.txt"
            caption.write_text(f"a {colour} thing in #{city}")
            write(
                root / "img_resized_1M/cities_instagram" / city / f"{number}.jpg", colour=shade(colour, rng)
            )
    return root


def word_file(path, words, dim=16):
    """The name of a model that reads random vectors for `words`."""
    rng = np.random.default_rng(2)
    rows = [f"{word} {' '.join(f'{x:.5f}' for x in rng.normal(size=dim))}\n" for word in words]
    path.write_text("".join(rows))
    return f"words:{path}"
