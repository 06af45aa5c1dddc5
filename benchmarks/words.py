"""What written words add and cost: `python -m benchmarks.words FLICKR8K [--album BUILT] [--json]`.

Quality: an album of the development part's 1,000 photos, searched in the space of an album learnt from the
training part (built first unless `--album` gives one). Some of the photos are said to have some of their
captions, and one of the others is the query for each: R@1, R@5 and R@10 of the photo by picture, by words and
by both, also for the photos with words and for those without, which fusion must not bury. The peer is the
fusion as it was published, every list weighing the same ("plain").

Speed: an album of 80,000 posts, each with the five captions of a photo and a vector, asked 200 captions that
it does not hold; milliseconds of a whole search by each way, the model that reads the query included. The
peer is the search by picture alone.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartolina.album.album import Album
from cartolina.album.build import build
from cartolina.album.catalogue import Catalogue
from cartolina.album.entry import Entry
from cartolina.album.fusion import RANK
from cartolina.datasets import Dataset, open_dataset
from cartolina.metrics import DEPTHS, recalls
from cartolina.post import Post
from cartolina.query import Text
from cartolina.settings import BY
from cartolina.store import open_exact

# (how many captions a photo has that has any, which share of the photos has)
SETTINGS = ((1, 1.0), (2, 1.0), (4, 1.0), (1, 1 / 3), (2, 1 / 3), (4, 1 / 3), (1, 0.1))
WAYS = ("picture", "words", "plain", "both")
DEEP = 300
NOT_FOUND = 10**6
LARGE = 80_000


def main() -> None:
    """Print a table a setting, or with --json one list of rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.words", description=__doc__)
    parser.add_argument("source", type=Path, help="a Flickr8k folder")
    parser.add_argument("--album", type=Path, help="an album learnt from its training part")
    parser.add_argument("--split", default="dev", help="what is looked for (test only when all is settled)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    posts = list(open_dataset(given.source).posts(given.split))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="cartolina-words-") as folder:
        built = given.album or Path(folder, "built")
        if given.album is None:
            build(given.source, built, split="train").close()
        with gallery(built, Path(folder, "album")) as album:
            for captions, share in SETTINGS:
                asked, has_words = enter(album, posts, captions, share)
                for way, ranks in ranked(album, posts, asked).items():
                    row = as_row(captions, share, way, ranks, has_words)
                    rows.append(row)
                    if not given.json:
                        print(as_line(row), flush=True)
        row = speed(
            built, Path(folder, "large"), list(open_dataset(given.source).posts("train")), asked[:200]
        )
        rows.append(row)
        if not given.json:
            print("\n".join(f"{name:>16} {value}" for name, value in row.items()))
    if given.json:
        print(json.dumps(rows))


def gallery(built: Path, path: Path) -> Album:
    """An album without posts that has learnt what the album at `built` has."""
    album = Album.create(path)
    with Album.open(built) as learnt:
        assert learnt.space is not None
        shutil.copytree(built / "features", path / "features")
        album.activate(learnt.space.folder)
    return album


def enter(
    album: Album, posts: list[Post], captions: int, share: float
) -> tuple[list[str], NDArray[np.bool_]]:
    """Give the album the photos with some of their words; the query (N,) for each, and which have words."""
    told, asked, has_words = [], [], []
    for number, post in enumerate(posts):
        chance = random.Random(number)
        shuffled = chance.sample(post.captions, len(post.captions))
        has_words.append(chance.random() < share)
        asked.append(shuffled[-1])
        told.append(replace(post, captions=tuple(shuffled[:captions] if has_words[-1] else ())))

    def stream(split: str | None) -> Iterator[Post]:
        return iter(told)

    root = Path(str(posts[0].image)).parent
    album.add(Dataset("words", root, "of the benchmark", (), stream, lambda split: len(told), True))
    return asked, np.array(has_words)


def ranked(album: Album, posts: list[Post], asked: list[str]) -> dict[str, NDArray[np.int64]]:
    """The rank (N,) of each query's photo, by each of the ways."""
    ranks: dict[str, list[int]] = {way: [] for way in WAYS}
    for post, query in zip(posts, asked, strict=True):
        lists = {by: ids(album, query, by) for by in ("picture", "words", "both")}
        lists["plain"] = plainly_fused(lists["picture"], lists["words"])
        for way, found in lists.items():
            ranks[way].append(found.index(post.id) + 1 if post.id in found else NOT_FOUND)
    return {way: np.array(found) for way, found in ranks.items()}


def ids(album: Album, query: str, by: str) -> list[str]:
    return [hit.id for hit in album.search(Text(query), DEEP, by)]


def plainly_fused(*lists: list[str]) -> list[str]:
    """Reciprocal rank fusion as it was published."""
    parts: dict[str, float] = {}
    for one in lists:
        for rank, name in enumerate(one, start=1):
            parts[name] = parts.get(name, 0.0) + 1 / (RANK + rank)
    return sorted(parts, key=lambda name: -parts[name])


def speed(built: Path, path: Path, posts: list[Post], asked: list[str]) -> dict[str, Any]:
    """Milliseconds a search takes in an album of `LARGE` posts, and what its words weigh on disk."""
    with gallery(built, path) as album:
        assert album.space is not None
        fingerprint, dim = album.space.folder.name, album.space.dim
    catalogue, chance = Catalogue(path / "album.sqlite"), random.Random(0)
    with catalogue.transaction():
        source, _ = catalogue.source(path, "words", True)
        for number in range(LARGE):
            post = replace(chance.choice(posts), id=str(number))
            catalogue.put(Entry(post, source, 0, 0, "", str(number)))
        space = catalogue.space(fingerprint, dim)
        store = open_exact(path / "spaces" / fingerprint / "vectors", dim)
        vectors = np.random.default_rng(0).standard_normal((LARGE, dim), dtype=np.float32)
        keys = catalogue.all_keys()
        store.upsert(keys, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        catalogue.place(space, store.segments.rows, keys, store.positions_of(keys))
    size = catalogue.rows("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'words%'")[0][0]
    catalogue.close()
    took: dict[str, list[float]] = {by: [] for by in BY}
    with Album.open(path) as album:
        for query in ("warm", *asked):
            for by in BY:
                started = time.perf_counter()
                album.search(Text(query), 10, by)
                took[by].append(1000 * (time.perf_counter() - started))
    found: dict[str, Any] = {"posts": LARGE, "words_mb": round(size / 1e6, 1)}
    for by, times in took.items():
        found[f"{by} p50 ms"], found[f"{by} p95 ms"] = np.quantile(times[1:], [0.5, 0.95]).round(1).tolist()
    return found | {"ratio": round(found["both p50 ms"] / found["picture p50 ms"], 2)}


def as_row(
    captions: int, share: float, way: str, ranks: NDArray[np.int64], has_words: NDArray[np.bool_]
) -> dict[str, Any]:
    groups = {"all": ranks, "with_words": ranks[has_words], "without_words": ranks[~has_words]}
    rounded: Callable[[NDArray[np.int64]], dict[str, float]] = lambda some: {  # noqa: E731
        name: round(value, 1) for name, value in recalls(some).items()
    }
    found = {name: rounded(some) for name, some in groups.items() if len(some)}
    return {"captions": captions, "share": round(share, 2), "by": way, **found}


def as_line(row: dict[str, Any]) -> str:
    """A row for people: R@1/5/10 of all, of those with words, of those without."""
    groups = ("all", "with_words", "without_words")
    cells = [
        "/".join(f"{row[name][f'R@{k}']:.1f}" for k in DEPTHS) if name in row else "-" for name in groups
    ]
    first, second, third = (f"{cell:>16}" for cell in cells)
    return f"{row['captions']} captions for {row['share']:4.0%}  {row['by']:>8} {first} {second} {third}"


if __name__ == "__main__":
    main()
