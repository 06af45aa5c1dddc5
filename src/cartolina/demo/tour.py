"""The tour: build an album of the photos, ask it five questions, draw the answers.

>>> for stop in tour(Path("demo")).stops:                                  # doctest: +SKIP
...     print(stop.query, stop.sheet)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cartolina.demo.photos import collect
from cartolina.errors import InputError
from cartolina.figures.sheet import save_ranking
from cartolina.progress import SILENT, Progress

if TYPE_CHECKING:
    from cartolina.album.album import Album
    from cartolina.album.ranking import Ranking

__all__ = ["Stop", "Tour", "tour"]

# What is asked of the packages' photos: (what the question shows, the question).
QUESTIONS = (
    ("words", "a castle by the water"),
    ("sum", "horse + stripes"),
    ("difference", "musical instrument - guitar"),
    ("example", "like:gcompris/explore_monuments/wonders/tajMahal"),
    ("near a place", "castle near:Paris within 300 km"),
)
SHOWN = 5


@dataclass(frozen=True)
class Stop:
    """One question: what it shows, the query, the album's answer, and the sheet it was drawn on."""

    shows: str
    query: str
    ranking: Ranking
    sheet: Path


@dataclass(frozen=True)
class Tour:
    """Where the photos and the album are, and the five answers."""

    source: Path
    album: Path
    posts: int
    stops: tuple[Stop, ...]


def tour(folder: Path, photos: Path | None = None, progress: Progress = SILENT) -> Tour:
    """Build `folder`/album of `photos` (None: of the Debian packages'), ask five questions, draw the sheets.

    An album that is there already is asked again, not built again, so a second tour takes seconds.
    """
    from cartolina.album.build import build

    source = photos if photos is not None else collect(folder / "photos", progress)
    where = folder / ("album" if photos is None else f"album of {photos.resolve().name}")
    album = _built(where)
    if album is not None:
        progress.say(f"The album is there from before: {where} (delete it to build it again)")
    else:
        album = build(source, where, progress=progress)
    stops = []
    questions = QUESTIONS if photos is None else _questions(album)
    for number, (shows, query) in enumerate(questions, start=1):
        ranking = album.search(query, k=SHOWN)
        sheet = folder / "sheets" / f"{number} {shows}.png"
        save_ranking(sheet, ranking, shows)
        stops.append(Stop(shows, query, ranking, sheet))
    return Tour(source, where, len(album), tuple(stops))


def _built(where: Path) -> Album | None:
    """The album at `where`, unless its building was stopped or has not begun."""
    from cartolina.album.album import Album

    if not (where / "album.json").exists():
        return None
    album = Album.open(where)
    if album.space is not None:
        return album
    album.close()
    return None


def _questions(album: Album) -> Sequence[tuple[str, str]]:
    """Questions that most people's photos can answer, the last two about photos that are there."""
    posts = list(album.posts())
    if not posts:
        raise InputError("none of the photos could be read, so there is nothing to ask")
    asked = [("words", "people outdoors"), ("sum", "sunset + water"), ("difference", "street - cars")]
    asked.append(("example", f'like:"{posts[len(posts) // 2].id}"'))
    placed = next((post.place for post in posts if post.place), None)
    if placed is not None:
        asked.append(("near a place", f"building near:{placed.lat:.4f},{placed.lon:.4f} within 25 km"))
    else:
        asked.append(("words again, as no photo knows its place", "something to eat"))
    return asked
