"""An everyday album at size: `python -m benchmarks.everyday FLICKR8K --into DIR [--posts 80000]`.

A world of photos is made below DIR (`benchmarks.world`; some 13 KB a photo, seven minutes for 80,000), then
it is built, added to, read again with nothing changed and searched, as commands in processes of their own.
What is there already (photos, a finished build) is used again, so that a run that was stopped goes on;
`--fresh` builds anew. DIR must not hold anything else.

Every figure stands beside a peer or a limit taken in the same run: decoding and ONNX Runtime alone for
looking at photos (`benchmarks.features`), `find` and a walk that asks for every file's size and time for
reading a folder again, a bare NumPy product with argpartition for a search.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.features import measure, seconds
from benchmarks.memory import run
from benchmarks.startup import IMPORTS
from benchmarks.startup import seconds as process_seconds
from benchmarks.world import make_world
from cartolina.album.album import Album
from cartolina.album.runlog import LOG
from cartolina.datasets import Dataset, Listed, open_dataset
from cartolina.vision import backbone
from cartolina.vision.onnx_backbone import OnnxBackbone

K = 10
CARTOLINA = [sys.executable, "-m", "cartolina"]
STAGE = re.compile(r"^\S+ \d+ (?P<label>[^:$]+): (?P<count>[\d,]+) (?P<unit>.+) in (?P<seconds>[\d.]+) s$")
WORDS = ("a dog on a beach", "children playing in the snow", "a man on a bicycle", "two people at a table",
         "a woman in a red dress", "a football player", "someone climbing a rock", "a crowd in the street",
         "a boat on the water", "a child on a swing")  # fmt: skip


@dataclass
class Table:
    """Rows: what, how much, beside what."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    figures: dict[str, float | str] = field(default_factory=dict)

    def add(self, what: str, figure: str, peer: str = "", **numbers: float | str) -> None:
        """Print a row at once (a run takes an hour) and keep it."""
        self.rows.append((what, figure, peer))
        self.figures |= numbers
        print(f"| {what} | {figure} | {peer} |", flush=True)


def main() -> None:
    """Print the table's rows as they come, ready for docs/performance.md; with --json, also one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everyday", description=__doc__)
    parser.add_argument("photos", type=Path, help="a Flickr8k folder")
    parser.add_argument("--into", type=Path, required=True, help="a folder for the world and its album")
    parser.add_argument("--posts", type=int, default=80_000)
    parser.add_argument("--new", type=int, default=1000, help="how many are added later")
    parser.add_argument("--rounds", type=int, default=5, help="how often each search is asked")
    parser.add_argument("--fresh", action="store_true", help="build although there is an album")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    world, new, album = given.into / "photos", given.into / "new", given.into / "album"
    make_world(given.photos, world, given.posts)
    make_world(given.photos, new, given.new, first=given.posts)
    if given.fresh:
        shutil.rmtree(album, ignore_errors=True)
    table = Table()
    print(
        f"\n{given.posts:,} posts, {sum(1 for _ in files(world)):,} files\n\n"
        "| what | figure | beside |\n|---|---|---|"
    )
    listing(table, world)
    rate = features_bound(table, world)
    build(table, world, album, rate)
    added(table, album, new, rate, given.new)
    unchanged(table, album, world)
    searches(table, album, given.rounds)
    cold(table, album)
    space_on_disk(table, album, world)
    if given.json:
        print(json.dumps(table.figures))


def files(folder: Path) -> Iterator[str]:
    """All files below a folder, each asked for its size and time: what no reader can do without."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat()
                    yield entry.path


def listing(table: Table, world: Path) -> None:
    """Listing the world, and reading what its photos say of themselves."""
    dataset = open_dataset(world)
    walk = seconds(lambda: sum(1 for _ in files(world)))
    listed = seconds(lambda: sum(1 for _ in arrivals(dataset)))
    table.add("listing", f"{listed:.2f} s", f"a walk with stat {walk:.2f} s", listing_s=listed, walk_s=walk)
    some = [one for one in islice(arrivals(dataset), 2000) if isinstance(one, Listed)]
    each = seconds(lambda: [list(one.read()) for one in some]) / len(some)
    paths = [one.image for one in some if one.image]
    whole = seconds(lambda: [path.read_bytes() for path in paths]) / len(paths)
    table.add(
        "metadata, of one photo and its sidecars", f"{1000 * each:.2f} ms",
        f"reading the photo's bytes {1000 * whole:.2f} ms", metadata_ms=1000 * each,
    )  # fmt: skip


def arrivals(dataset: Dataset) -> Iterator[object]:
    """What a source lists."""
    assert dataset.listing is not None
    return iter(dataset.listing(None))


def features_bound(table: Table, world: Path) -> float:
    """Images a second that no build can go beyond on this machine."""
    found = backbone("efficientnet-lite0", device="cpu")
    assert isinstance(found, OnnxBackbone)
    photos = sorted(world.rglob("*.jpg"))
    some = photos[:: max(1, len(photos) // 512)][:512]
    bound = measure(some, found, ["plain"], 3)
    rate = float(bound["bound_images_per_s"])
    table.add(
        "`extract` alone, 512 photos", f"{bound['extract_images_per_s']} photos/s",
        f"decoding and ONNX Runtime alone {rate} photos/s", bound_images_per_s=rate,
    )  # fmt: skip
    return rate


def build(table: Table, world: Path, album: Path, rate: float) -> None:
    """Build the album, unless it is there; the stages as its log has them."""
    if not (album / "album.json").exists() or Album.open(album).space is None:
        ran = run([*CARTOLINA, "build", str(world), str(album), "--json"])
        info = json.loads(ran.output)
        table.add(
            "`build`", f"{clock(ran.seconds)}, peak {ran.peak_mib:,.0f} MiB",
            f"the pictures alone, at the bound: {clock(info['posts'] / rate)}",
            build_s=ran.seconds, build_peak_mib=ran.peak_mib,
        )  # fmt: skip
    for label, count, unit, took in stages(album):
        bound = f"at the bound {clock(count / rate)}" if label == "features" else ""
        table.add(f"— {label}, {count:,} {unit}", clock(took), bound, **{f"build_{label}_s": took})


def stages(album: Path) -> list[tuple[str, int, str, float]]:
    """The stages of the last build in an album's log: label, how many of what, seconds."""
    found: list[tuple[str, int, str, float]] = []
    building = False
    for line in (album / LOG).read_text().splitlines():
        if " $ cartolina " in line:
            building = " $ cartolina build " in line
            found = [] if building else found
        elif building and (stage := STAGE.match(line)):
            count = int(stage["count"].replace(",", ""))
            found.append((stage["label"], count, stage["unit"], float(stage["seconds"])))
    return found


def added(table: Table, album: Path, new: Path, rate: float, count: int) -> None:
    """`add` of new photos."""
    ran = run([*CARTOLINA, "add", str(album), str(new), "--quiet", "--json"])
    report = json.loads(ran.output)
    if report["added"] != count:
        print(f"(add found {report['added']} new of {count}: they are in the album from an earlier run)")
    table.add(
        f"`add` of {report['added']:,}", f"{clock(ran.seconds)}, peak {ran.peak_mib:,.0f} MiB",
        f"at the bound {clock(report['added'] / rate)}", add_s=ran.seconds, add_peak_mib=ran.peak_mib,
    )  # fmt: skip


def unchanged(table: Table, album: Path, world: Path) -> None:
    """Reading again what has not changed."""
    find = shutil.which("find")
    printed = process_seconds([find, str(world), "-printf", "%s %T@ %p\n"], 1) if find else float("nan")
    walk = seconds(lambda: sum(1 for _ in files(world)))
    ran = run([*CARTOLINA, "sync", str(album), "--quiet", "--json"])
    table.add(
        "`sync`, nothing changed", f"{ran.seconds:.1f} s, peak {ran.peak_mib:,.0f} MiB",
        f"`find -printf` {printed:.2f} s, a walk with stat {walk:.2f} s",
        unchanged_s=ran.seconds, find_s=printed,
    )  # fmt: skip


def searches(table: Table, album: Path, rounds: int) -> None:
    """Queries in an album that is open, one after another; the product is over as many vectors in memory."""
    with Album.open(album) as opened:
        posts = list(islice(opened.posts(), 2000))
        names = [post.id for post in posts[:: max(1, len(posts) // len(WORDS))]]
        vectors = np.concatenate(
            [opened.vectors(some) for some in batches([post.id for post in opened.posts()], 4096)]
        )
        tag = next(tag for post in posts for tag in post.tags)
        town = next(post.id.split("/")[1].split(" ", 1)[1] for post in posts)
        queries: dict[str, list[str]] = {
            "words": list(WORDS),
            "a picture": [f'like:"{name}"' for name in names],
            "words and a picture": [
                f'{words} + like:"{name}"' for words, name in zip(WORDS, names, strict=False)
            ],
            "words and tag:": [f'{words} tag:"{tag}"' for words in WORDS],
            "words and date:": [f"{words} date:2012" for words in WORDS],
            "words near a town": [f'{words} near:"{town}" within 25 km' for words in WORDS],
        }
        bare = each(lambda query: top(vectors, vectors[len(query) * 17 % len(vectors)]), list(WORDS), rounds)
        for what, asked in queries.items():
            took = each(lambda query: opened.search(query, K), asked, rounds)
            table.add(
                f"search, warm: {what}", f"p50 {quantile(took, 50)} ms, p95 {quantile(took, 95)} ms",
                f"NumPy's product alone p50 {quantile(bare, 50)} ms",
                **{f"search {what} p50_ms": quantile(took, 50), f"search {what} p95_ms": quantile(took, 95)},
            )  # fmt: skip


def top(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    """The peer: the rows of the K best scores, best first."""
    scores = vectors @ query
    best = np.argpartition(scores, -K)[-K:]
    return np.asarray(best[np.argsort(-scores[best])])


def each(ask: Callable[[str], object], queries: list[str], rounds: int) -> list[float]:
    """Milliseconds of every query, after one round that warms."""

    def took(query: str) -> float:
        return 1000 * seconds(lambda: ask(query))

    for query in queries:
        took(query)
    return [took(query) for _ in range(rounds) for query in queries]


def quantile(values: list[float], percent: int) -> float:
    """A percentile, rounded as far as it means something."""
    return round(float(np.percentile(values, percent)), 1)


def cold(table: Table, album: Path) -> None:
    """`cartolina search` as a process; its memory beside that of the vectors."""
    command = [*CARTOLINA, "search", str(album), "two dogs + beach", "--json"]
    took = process_seconds(command, 7)
    imports = process_seconds([sys.executable, "-c", IMPORTS], 7)
    info = json.loads(run([*CARTOLINA, "info", str(album), "--json"]).output)
    vectors = info["bytes"]["vectors"] / 2**20
    ran = run(command)
    table.add(
        "`cartolina search`, whole process", f"{took:.2f} s", f"`{IMPORTS}` {imports:.2f} s", cold_s=took
    )
    table.add(
        "— its peak memory",
        f"{ran.peak_mib:,.0f} MiB",
        f"the vectors {vectors:,.0f} MiB",
        search_mib=ran.peak_mib,
    )


def space_on_disk(table: Table, album: Path, world: Path) -> None:
    """Bytes by part."""
    info: dict[str, Any] = json.loads(run([*CARTOLINA, "info", str(album), "--json"]).output)
    photos = sum(Path(path).stat().st_size for path in files(world))
    for part, size in sorted(info["bytes"].items(), key=lambda item: -item[1]):
        if size >= 1e5:
            beside = f"the photos and sidecars {photos / 1e6:,.1f} MB" if part == "total" else ""
            table.add(f"on disk: {part}", f"{size / 1e6:,.1f} MB", beside, **{f"{part}_mb": size / 1e6})


def batches(items: list[str], size: int) -> Iterator[list[str]]:
    """Lists of up to `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def clock(took: float) -> str:
    """Seconds for people."""
    return f"{took:.1f} s" if took < 120 else f"{took / 60:.1f} min"


if __name__ == "__main__":
    main()
