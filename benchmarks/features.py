"""Features of photos: `python -m benchmarks.features PHOTOS` (any folder of photos, searched through).

The peer is the bound: decoding alone plus ONNX Runtime alone on pixels that lie decoded in memory, each on
all cores in the same run. On n cores each part takes (its processor time) / n, and no schedule of both can
take less than (decoding + inference) / n, which is the sum of the two; the bound in images/s is N over it.
ONNX Runtime is taken as its fastest here: one session on all cores with 32 pictures a call, or a session of
one core on each with 4. `extract()` also hashes every file, normalises pixels and writes features to disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from cartolina.onnx_session import available_cores, open_session
from cartolina.vision import backbone as named_backbone
from cartolina.vision.decode import open_rgb
from cartolina.vision.features import VIEWS, FeatureCache, extract
from cartolina.vision.onnx_backbone import OnnxBackbone

KINDS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif"}


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    parser.add_argument("--views", nargs="+", default=["plain"], choices=list(VIEWS))
    parser.add_argument("--count", type=int, default=512, help="how many photos (all are held decoded)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    files = sorted(path for path in given.photos.rglob("*") if path.suffix.lower() in KINDS)[: given.count]
    if not files:
        raise SystemExit(f"no photos under {given.photos}")
    found = named_backbone(given.backbone, device="cpu")
    if not isinstance(found, OnnxBackbone):
        raise SystemExit(f"{given.backbone} does not run in ONNX Runtime")
    rows = measure(files, found, given.views, given.rounds)
    lines = "\n".join(f"{key:>34} {value}" for key, value in rows.items())
    print(json.dumps(rows) if given.json else lines)


def measure(
    files: list[Path], backbone: OnnxBackbone, views: list[str], rounds: int
) -> dict[str, float | str]:
    """The figures of `main`; the parts take turns, so that a busy machine is busy for all of them."""
    cores = available_cores()
    preprocessing = backbone.preprocessing

    def decode(path: Path) -> np.ndarray:
        return preprocessing.resized(open_rgb(path, at_least=preprocessing.source_size))

    with ThreadPoolExecutor(cores) as pool:
        squares = list(pool.map(decode, files))
        pixels = preprocessing.normalised(squares)
        wide = open_session(backbone.path, threads=cores)
        narrow = open_session(backbone.path, threads=1)

        def infer(session: object, batch: int, workers: int) -> None:
            starts = range(0, len(pixels), batch)
            run = session.run  # type: ignore[attr-defined]
            each = pool.map if workers > 1 else map
            for _ in views:
                list(each(lambda at: run(None, {"pixels": pixels[at : at + batch]}), starts))

        def everything() -> None:
            with tempfile.TemporaryDirectory() as folder:
                cache = FeatureCache(Path(folder), backbone.shape)
                done = sum(1 for _ in extract(((p, p) for p in files), [backbone], [cache], views=views))
                assert done == len(set(files))
                cache.close()

        parts: dict[str, Callable[[], object]] = {
            "decode": lambda: list(pool.map(decode, files)),
            "wide": lambda: infer(wide, 32, 1),
            "narrow": lambda: infer(narrow, 4, cores),
            "extract": everything,
        }
        took: dict[str, list[float]] = {name: [] for name in parts}
        for _ in range(rounds):
            for name, part in parts.items():
                took[name].append(seconds(part))
    median = {name: statistics.median(times) for name, times in took.items()}
    inference = min(median["wide"], median["narrow"])
    bound = median["decode"] + inference
    each_round = [
        (took["decode"][n] + min(took["wide"][n], took["narrow"][n])) / took["extract"][n]
        for n in range(rounds)
    ]
    count = len(files)
    return {
        "backbone": backbone.name,
        "cores": cores,
        "photos": count,
        "views": len(views),
        "decode_images_per_s": round(count / median["decode"], 1),
        "ort_all_cores_32_images_per_s": round(count / median["wide"], 1),
        "ort_per_core_4_images_per_s": round(count / median["narrow"], 1),
        "bound_images_per_s": round(count / bound, 1),
        "extract_images_per_s": round(count / median["extract"], 1),
        "ratio": round(bound / median["extract"], 3),
        "ratio_of_rounds": f"{min(each_round):.3f} to {max(each_round):.3f}",
    }


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, in wall seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
