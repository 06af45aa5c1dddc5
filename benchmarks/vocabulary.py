"""The hashtag vocabulary of a raw YFCC100M file: `python -m benchmarks.vocabulary [--into DIR]`.

DIR gets a generated file of 10 million rows in the real format (550 bytes a row; seven URL-encoded tags on
each of two thirds of the photos, by Zipf's law, a tenth of them never used again); a generation that was
stopped goes on. Counting it is measured beside reading the same bytes with `wc -l`, and beside polars
counting the same column with fewer rules (it cannot decode URLs). The file is in the page cache where it
fits. Memory is that of all of a command's processes together, looked at ten times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cartolina.durable import write_bytes

CHUNK = 250_000  # rows written at a time
RANKS = 2_000_000  # tags that are met again; beyond, a tag is new

POLARS = """
import sys, polars as pl
tags = pl.scan_csv(sys.argv[1], separator="\\t", has_header=False, quote_char=None, infer_schema=False,
                   truncate_ragged_lines=True).select(pl.nth(10).alias("tag"))
tag = pl.col("tag").str.replace_all("+", "", literal=True).str.to_lowercase()
counted = (tags.drop_nulls().select(pl.col("tag").str.split(",")).explode("tag").select(tag)
           .filter(~pl.col("tag").str.contains("[0-9]")).group_by("tag").len())
top = counted.sort(["len", "tag"], descending=[True, False]).head(100_010).collect(engine="streaming")
with open(sys.argv[2], "w") as out:
    for name, count in top.slice(10).iter_rows():
        print(name, file=out)
"""


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vocabulary", description=__doc__)
    parser.add_argument("--into", type=Path, help="where the file is kept (else it is deleted)")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, len(os.sched_getaffinity(0))])
    parser.add_argument("--memory", type=int, help="our budget in MB (built in: 1,024)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.into or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"yfcc100m_dataset-{given.rows}"
        generate(path, given.rows)
        ours, theirs = Path(scratch) / "ours.txt", Path(scratch) / "polars.txt"
        memory = ["--memory", str(given.memory)] if given.memory else []
        commands = {"wc -l": ["wc", "-l", str(path)]}
        for workers in dict.fromkeys(given.workers):
            commands[f"cartolina, {workers} processes"] = [
                sys.executable, "-m", "cartolina", "data", "vocab", str(path), "--into", str(ours),
                "--workers", str(workers), *memory, "--force", "--quiet",
            ]  # fmt: skip
        commands["polars, all cores"] = [sys.executable, "-c", POLARS, str(path), str(theirs)]
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        busy: dict[str, list[float]] = {name: [] for name in commands}
        peak = dict.fromkeys(commands, 0.0)
        for number in range(given.rounds + 1):  # the first round fills the page cache and is not counted
            for name, command in commands.items():
                if number or name == "wc -l":
                    spent, cpu, most = measured(command)
                    seconds[name] += [spent] if number else []
                    busy[name] += [cpu] if number else []
                    peak[name] = max(peak[name], most)
        same = agreement(ours, theirs)
        size = path.stat().st_size
    rows = [
        {
            "what": name,
            "seconds": sorted(spent)[len(spent) // 2],
            "from": min(spent),
            "to": max(spent),
            "cpu": sorted(busy[name])[len(spent) // 2],
            "rows_per_s": given.rows / sorted(spent)[len(spent) // 2],
            "mb_per_s": size / sorted(spent)[len(spent) // 2] / 1e6,
            "peak_mib": peak[name],
            "minutes_for_100m": sorted(spent)[len(spent) // 2] * 1e8 / given.rows / 60,
        }
        for name, spent in seconds.items()
    ]
    if given.json:
        print(json.dumps({"rows": given.rows, "bytes": size, "measured": rows, "same_as_polars": same}))
        return
    print(f"{given.rows:,} rows, {size / 1e9:.2f} GB; of the tags polars keeps we keep {same:.1%}")
    print(
        f"{'':26}{'seconds (rounds)':>24}{'CPU s':>8}{'rows/s':>13}{'MB/s':>8}{'MiB':>8}{'min for 100 M':>15}"
    )
    for row in rows:
        spread = f"{row['seconds']:.1f} ({row['from']:.1f}–{row['to']:.1f})"
        print(
            f"{row['what']:26}{spread:>24}{row['cpu']:>8.1f}{row['rows_per_s']:>13,.0f}{row['mb_per_s']:>8,.0f}"
            f"{row['peak_mib']:>8,.0f}{row['minutes_for_100m']:>15.1f}"
        )


def agreement(ours: Path, theirs: Path) -> float:
    """The share of polars' plain tags that are ours, too; escapes it cannot decode are left out."""
    kept = set(ours.read_text().split())
    plain = [tag for tag in theirs.read_text().split("\n")[:50_000] if tag and "%" not in tag]
    return sum(tag in kept for tag in plain) / max(len(plain), 1)


def measured(command: list[str]) -> tuple[float, float, float]:
    """Run `command`; its seconds, CPU seconds, and its processes' peak resident memory in MiB."""
    before, started = os.times(), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], sum(map(resident, tree(process.pid))) / 1024)

    looking = threading.Thread(target=look)
    looking.start()
    code = process.wait()
    spent, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    done.set()
    looking.join()
    if code:
        raise SystemExit(f"{' '.join(command)} exited with {code}")
    return spent, cpu, peak[0]


def tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from tree(int(child))


def resident(pid: int) -> int:
    """KiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)


def generate(path: Path, rows: int) -> None:
    """Write the file, a chunk at a time; what was written when it was stopped is kept."""
    mark = path.with_name(f"{path.name}.json")
    done = json.loads(mark.read_text()) if mark.exists() else {"rows": 0, "bytes": 0}
    if done["rows"] == rows and path.exists():
        return
    words = names(np.random.default_rng(0))
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(done["bytes"])
        file.seek(done["bytes"])
        while done["rows"] < rows:
            count = min(CHUNK, rows - done["rows"])
            file.write(chunk(done["rows"], count, words))
            file.flush()
            os.fsync(file.fileno())
            done = {"rows": done["rows"] + count, "bytes": file.tell()}
            write_bytes(mark, json.dumps(done).encode())
            print(f"generated {done['rows']:,} of {rows:,} rows", file=sys.stderr)


def names(rng: np.random.Generator) -> list[bytes]:
    """Tags by rank: a tenth of two words, a twentieth with an escaped letter, a tenth with digits."""
    syllables = [
        first + last for first in b"b c d f g l m n p r s t v z".split() for last in b"a e i o u".split()
    ]
    base = len(syllables)
    kind = rng.random(RANKS)
    made = []
    for rank in range(RANKS):
        word, left = b"", rank + base
        while left:
            left, syllable = divmod(left, base)
            word += syllables[syllable]
        if kind[rank] < 0.1:
            word = word[:2] + b"+" + word[2:]
        elif kind[rank] < 0.15:
            word += b"%C3%A9"
        elif kind[rank] < 0.25:
            word += b"%d" % (2000 + rank % 20)
        made.append(word)
    return made


def chunk(first: int, count: int, words: list[bytes]) -> bytes:
    """Rows `first` to `first + count`, the same whenever they are written."""
    rng = np.random.default_rng((1, first))
    # Two thirds of the real photos have tags, some seven each.
    many = np.where(rng.random(count) < 0.32, 0, np.minimum(rng.geometric(1 / 7, count), 75))
    ranks = np.minimum(rng.zipf(1.15, int(many.sum())), 1 << 40) - 1
    new = rng.integers(0, 1 << 40, len(ranks))
    tags = [
        words[rank] if rank < RANKS else b"x" + words[other % RANKS] + words[other // RANKS % RANKS]
        for rank, other in zip(ranks.tolist(), new.tolist(), strict=True)
    ]
    lon, lat = rng.uniform(-180, 180, count), rng.uniform(-60, 75, count)
    has_place = rng.random(count) < 0.48
    texts = [b"+".join(words[int(word)] for word in rng.integers(0, 50_000, size)) for size in range(60)]
    title = rng.integers(1, 8, count)
    description = np.where(rng.random(count) < 0.4, rng.integers(8, 60, count), 0)
    video = rng.random(count) < 0.008
    user = rng.integers(10_000_000, 99_999_999, count)
    end = np.cumsum(many)
    out = []
    for row in range(count):
        number = 4_000_000_000 + first + row
        where = b"%.6f\t%.6f\t16" % (lon[row], lat[row]) if has_place[row] else b"\t\t"
        at = b"%d@N00" % user[row]
        secret = b"%010x" % (number * 2654435761 % (1 << 40))
        out.append(
            b"%d\t%d\t%032x\t%b\tnick+name\t2008-07-%02d 12:%02d:00.0\t%d\tCanon+EOS+350D+DIGITAL\t"
            b"%b\t%b\t%b\t\t%b\t"
            b"http://www.flickr.com/photos/%b/%d/\thttp://farm3.staticflickr.com/2345/%d_%b.jpg\t"
            b"Attribution-NonCommercial-ShareAlike License\t"
            b"http://creativecommons.org/licenses/by-nc-sa/2.0/\t"
            b"2345\t3\t%b\t%b\tjpg\t%d\n"
            % (
                first + row, number, number * 0x9E3779B97F4A7C15 % (1 << 128), at, row % 28 + 1, row % 60,
                1_215_000_000 + row, texts[title[row]], texts[description[row]],
                b",".join(tags[end[row] - many[row] : end[row]]), where, at, number, number, secret, secret,
                secret, video[row],
            )
        )  # fmt: skip
    return b"".join(out)


if __name__ == "__main__":
    main()
