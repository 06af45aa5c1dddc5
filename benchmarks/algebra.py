"""Sums of words and pictures, drawn: `python -m benchmarks.algebra DEMO [--into docs/algebra]`.

DEMO is the folder that `cartolina demo --into DEMO` made: an album of the free photos in two Debian packages.
Each query of docs/algebra.md is asked by what the photos show (`--by picture`), and its first five are drawn
as a contact sheet of at most 150 KB. With `--json` what was found is printed instead of the sheets' names.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

from cartolina import durable
from cartolina.album.album import Album
from cartolina.album.ranking import Ranking
from cartolina.figures.sheet import contact_sheet, ranking_tiles

CHAMBORD = "like:gcompris/explore_monuments/france/chateaudeChambord"

# (the sheet's name, the query, the figure of the paper whose manner it is)
QUERIES = (
    ("cats-with-stripes", "wild cat + 2*stripes", "Figures 6 and 10: two words, weighted"),
    ("insect-and-flower", "insect + flower", "Figure 6: two words"),
    ("castle-and-mountain", "castle + mountain", "Figure 6: two words"),
    ("instruments-but-guitars", "musical instrument - guitar", "Figure 11: a word less"),
    ("religion", "religion", "Figure 7: not an object"),
    ("chambord-and-water", f"{CHAMBORD} + water", "Figure 8: a picture and a word"),
    ("tiger-without-stripes", "tiger - stripes", "Figure 11: a word less"),
    ("horse-and-stripes", "horse + stripes", "Figure 6: two words"),
    ("dog-and-ball", "dog + ball", "Figure 6: two words"),
    ("fruit-and-much-green", "fruit + 3*green", "Figure 10: weights"),
    ("food-but-fruit", "food - fruit", "Figure 11: a word less"),
)
SHOWN, WIDTH, LARGEST = 5, 1000, 150_000


def main() -> None:
    """Ask and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.algebra", description=__doc__)
    parser.add_argument("demo", type=Path, help="the folder `cartolina demo --into` made")
    parser.add_argument("--into", type=Path, default=Path("docs/algebra"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    found = []
    with Album.open(given.demo / "album") as album:
        for name, query, figure in QUERIES:
            ranking = album.search(query, SHOWN, "picture")
            path = given.into / f"{name}.jpg"
            draw(path, ranking, figure)
            found.append(
                {
                    "query": query,
                    "manner": figure,
                    "sheet": str(path),
                    "found": [{"id": hit.id, "score": round(hit.score, 3)} for hit in ranking],
                }
            )
            if not given.json:
                print(path, query, sep="\t")
    if given.json:
        print(json.dumps(found, indent=1))


def draw(path: Path, ranking: Ranking, subtitle: str) -> None:
    """One row of photos, small enough to be committed."""
    from PIL import Image

    page = contact_sheet(ranking_tiles(ranking), ranking.query, subtitle)
    page = page.resize((WIDTH, round(page.height * WIDTH / page.width)), Image.Resampling.LANCZOS)
    for quality in range(85, 20, -5):
        out = io.BytesIO()
        page.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= LARGEST:
            break
    durable.write_bytes(path, out.getvalue())


if __name__ == "__main__":
    main()
