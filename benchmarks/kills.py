"""`kill -9` at random moments of build, add, sync, remove and learning again: `python -m benchmarks.kills`.

Real processes on a small world: drawn photos with captions, the real backbone and sentence encoder, learning
cut short. Each command is timed undisturbed, then killed at moments drawn uniformly over that time, each
time from the same state on disk. A reader looks at the album until the kill. Afterwards the album must open,
search, and pass `check`; each post must be as the reader saw it or as the command leaves it, and where the
reader saw it done already, it must be done (nothing acknowledged is lost); a post found is a post there (no
ghost). Then the same command is given again, and must end where the undisturbed one did.

Nothing to compare it with: the limit is zero.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from PIL import Image, ImageDraw

from cartolina.album import Album
from cartolina.album.checks import check
from cartolina.errors import AlbumError

PROGRAM = """
from dataclasses import replace
from cartolina.cli import main
from cartolina.learn import conse
from cartolina.learn.recipes import FAST, RECIPES

RECIPES["fast"] = replace(FAST, heads=1, hidden=64, dim=32, steps=40, validate_every=10)
conse.imagenet_sentences = lambda names: [[f"a {name}"] for name in names]
main()
"""

COLOURS = {"red": (210, 40, 40), "white": (240, 240, 240), "yellow": (230, 200, 40), "green": (40, 140, 60)}
SHAPES = ("circle", "square", "triangle", "bar", "ring")

State = dict[str, str]
"""Of each post what can be told of it: whether it is online, its words, its picture."""


def draw(path: Path, number: int, chance: random.Random) -> None:
    """A photo of one coloured shape and its caption beside it."""
    colour, shape = chance.choice(list(COLOURS)), chance.choice(SHAPES)
    picture = Image.new("RGB", (160, 120), tuple(chance.randrange(256) for _ in range(3)))
    pen = ImageDraw.Draw(picture)
    left, top = chance.randrange(10, 70), chance.randrange(5, 40)
    box = (left, top, left + 70, top + 70)
    match shape:
        case "circle":
            pen.ellipse(box, fill=COLOURS[colour])
        case "square":
            pen.rectangle(box, fill=COLOURS[colour])
        case "triangle":
            pen.polygon([(left, box[3]), (box[2], box[3]), (left + 35, top)], fill=COLOURS[colour])
        case "bar":
            pen.rectangle((left, top + 25, box[2], top + 45), fill=COLOURS[colour])
        case _:
            pen.ellipse(box, outline=COLOURS[colour], width=12)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=90)
    path.with_suffix(".txt").write_text(f"a {colour} {shape}, number {number}\n")


@dataclass
class Scene:
    """A command, and the folder that it begins in (kept aside, copied anew each time)."""

    name: str
    arguments: list[str]
    kept: Path
    seconds: float = 0.0
    final: State = field(default_factory=dict)


@dataclass
class Tally:
    """What came of one command's kills."""

    kills: int = 0
    missed: int = 0
    unmade: int = 0
    midway: int = 0
    lost: int = 0
    ghosts: int = 0
    unopened: int = 0
    damaged: int = 0
    leftovers: int = 0
    not_completed: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """Kills after which something was not as it must be."""
        return self.lost + self.ghosts + self.unopened + self.damaged + self.not_completed


class World:
    """The folder `here`, in which commands run, and what it can begin as."""

    def __init__(self, root: Path, photos: int, seed: int) -> None:
        self.root, self.here, self.chance = root, root / "here", random.Random(seed)
        self.program = root / "program.py"
        self.program.write_text(PROGRAM)
        self.environment = os.environ | {"CARTOLINA_CACHE": str(root / "cache"), "HOME": str(root)}
        empty, built = root / "kept" / "empty", root / "kept" / "built"
        for number in range(photos):
            draw(empty / "Photos" / f"{number % 4}" / f"{number:04}.jpg", number, self.chance)
        for number in range(photos // 2):
            draw(empty / "More" / f"more-{number:04}.jpg", number, self.chance)
        self.put(empty)
        self.run(["build", "Photos", "A", "--quiet"])
        shutil.move(self.here, built)
        changed = root / "kept" / "changed"
        _copy(built, changed)
        self._change(changed / "Photos", photos)
        gone = [f"{number % 4}/{number:04}.jpg" for number in range(0, photos, 7)]
        self.scenes = [
            Scene("build", ["build", "Photos", "A"], empty),
            Scene("add", ["add", "A", "More"], built),
            Scene("sync", ["sync", "A"], changed),
            Scene("remove", ["remove", "A", *gone], built),
            Scene("learn", ["build", "Photos", "A", "--seed", "7"], built),
        ]

    def _change(self, folder: Path, photos: int) -> None:
        """New photos, moved ones, changed ones, missing ones."""
        for number in range(photos // 3):
            draw(folder / "new" / f"new-{number:04}.jpg", number, self.chance)
        for number in range(0, photos, 5):
            old = folder / f"{number % 4}" / f"{number:04}.jpg"
            for suffix in (".jpg", ".txt"):
                target = folder / "moved" / old.with_suffix(suffix).name
                target.parent.mkdir(exist_ok=True)
                old.with_suffix(suffix).rename(target)
        for number in range(1, photos, 5):
            draw(folder / f"{number % 4}" / f"{number:04}.jpg", number, self.chance)
        for number in range(2, photos, 10):
            (folder / f"{number % 4}" / f"{number:04}.jpg").unlink()

    def put(self, kept: Path) -> None:
        """Make `here` what was kept."""
        shutil.rmtree(self.here, ignore_errors=True)
        _copy(kept, self.here)

    def begin(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        """Start `cartolina` with these arguments, in a process that can be killed alone."""
        return subprocess.Popen(
            [sys.executable, str(self.program), *arguments, *([] if "--quiet" in arguments else ["--json"])],
            cwd=self.here, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, arguments: list[str]) -> float:
        """Run `cartolina` to its end; the seconds it took."""
        started = time.perf_counter()
        process = self.begin(arguments)
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(
                f"cartolina {' '.join(arguments)} exited with {process.returncode}: {said.decode()}"
            )
        return time.perf_counter() - started

    @property
    def album(self) -> Path:
        """The album that is worked on."""
        return self.here / "A"


def _copy(source: Path, target: Path) -> None:
    """A tree once more. A space's models never change: they are linked, all else is copied."""

    def copy(one: str, other: str) -> None:
        parts = Path(one).parts
        if "spaces" in parts and "vectors" not in parts and "tmp" not in parts:
            os.link(one, other)
        else:
            shutil.copy2(one, other)

    shutil.copytree(source, target, copy_function=copy)


def state_of(album: Album) -> State:
    """What the album says of every post, also of those that are offline, at one moment."""
    catalogue = album._catalogue
    with catalogue.snapshot():
        rows = catalogue.rows("SELECT key, id, offline IS NULL, content_hash FROM posts")
        posts = catalogue.posts([row[0] for row in rows])
    return {
        name: blake2b(
            repr((online, content, sorted(posts[key].captions), sorted(posts[key].tags))).encode(),
            digest_size=8,
        ).hexdigest()
        for key, name, online, content in rows
    }


def watched(world: World, process: subprocess.Popen[bytes], after: float) -> tuple[State, bool]:
    """What a reader saw last, just before it killed the process; whether that was in time."""
    until, seen = time.monotonic() + after, State()
    reader: Album | None = None
    try:
        while True:
            if reader is None and (world.album / "album.json").exists():
                reader = Album.open(world.album)
            left = until - time.monotonic()
            if left <= 0 or process.poll() is not None:
                if reader is not None:
                    seen = state_of(reader)
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(min(left, 0.02))
    finally:
        if reader is not None:
            reader.close()
    process.communicate()
    return seen, process.returncode == -signal.SIGKILL


def verify(world: World, scene: Scene, seen: State, begun: State, tally: Tally) -> None:
    """Look at what the kill left, then give the command again."""
    if not (world.album / "album.json").exists():
        tally.unmade += 1
        if seen:
            tally.lost += 1
    else:
        try:
            with Album.open(world.album) as album:
                now = state_of(album)
                wrong = [
                    name for name in now.keys() | seen.keys() | scene.final.keys()
                    if now.get(name) not in (seen.get(name), scene.final.get(name))
                    or (seen.get(name) == scene.final.get(name) != now.get(name))
                ]  # fmt: skip
                tally.lost += bool(wrong)
                tally.details += wrong[:1]
                tally.midway += now not in (begun, scene.final)
                if album.space is not None:
                    found = {hit.id for hit in album.search("a red circle", k=len(now) + 1)}
                    tally.ghosts += found != {post.id for post in album.posts()}
        except AlbumError as error:
            tally.unopened += 1
            tally.details.append(str(error))
        report = check(world.album, deep=True)
        tally.damaged += not report.is_clean
        tally.leftovers += any(one.severity == "leftover" for one in report.findings)
        tally.details += [f"{one.kind}: {one.detail}" for one in report.left if one.severity == "damage"]
    try:
        world.run(scene.arguments)
        with Album.open(world.album) as album:
            info = album.info()
            whole = state_of(album) == scene.final and not info["space"]["without_vector"]
        tally.not_completed += not (whole and check(world.album).is_clean)
    except SystemExit as error:
        # What was removed already cannot be removed again: an unknown id, and all else as it must be.
        with Album.open(world.album) as album:
            done = scene.name == "remove" and state_of(album) == scene.final
        tally.not_completed += not done
        tally.details += [] if done else [str(error)]


def killed(world: World, scene: Scene, kills: int, told: Callable[[str], None]) -> Tally:
    """Kill one command `kills` times."""
    tally, begun = Tally(), State()
    if (scene.kept / "A").exists():
        world.put(scene.kept)
        with Album.open(world.album) as album:
            begun = state_of(album)
    while tally.kills < kills:
        world.put(scene.kept)
        process = world.begin(scene.arguments)
        seen, in_time = watched(world, process, world.chance.uniform(0, scene.seconds))
        tally.kills += in_time
        tally.missed += not in_time
        verify(world, scene, seen, begun, tally)
        told(f"{scene.name} {tally.kills}/{kills}: {tally.failures} failures {tally.details}")
    return tally


COLUMNS = {
    "seconds": "seconds undisturbed",
    "kills": "kills",
    "unmade": "no album yet",
    "midway": "some of it done",
    "lost": "acknowledged and lost",
    "ghosts": "ghosts",
    "unopened": "does not open",
    "damaged": "check finds damage",
    "leftovers": "check finds leftovers",
    "not_completed": "again does not complete",
}


def main() -> None:
    """Print the table, or with --json one object; exits with 1 if a kill did harm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="of each command (40: 200 in all)")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--only", action="append", help="only this command; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    harm = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), given.photos, given.seed)
        for scene in world.scenes:
            if given.only and scene.name not in given.only:
                continue
            for _ in range(2):  # the second with warm caches, as the killed ones have
                world.put(scene.kept)
                scene.seconds = world.run(scene.arguments)
            with Album.open(world.album) as album:
                scene.final = state_of(album)
            tally = killed(world, scene, given.kills, lambda line: print(line, file=sys.stderr, flush=True))
            harm[scene.name] = tally.failures
            rows[scene.name] = {"seconds": round(scene.seconds, 1)} | {
                name: getattr(tally, name) for name in COLUMNS if name != "seconds"
            }
    if given.json:
        print(json.dumps(rows))
    else:
        print("| |", " | ".join(COLUMNS.values()), "|")
        print("|---" * (len(COLUMNS) + 1) + "|")
        for name, row in rows.items():
            print(f"| {name} |", " | ".join(f"{row[column]:g}" for column in COLUMNS), "|")
    sys.exit(bool(harm.total()))


if __name__ == "__main__":
    main()
