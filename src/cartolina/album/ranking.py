"""The answer to a query: posts in order, and how the query was read.

>>> ranking = Ranking("skyline", "skyline", (Hit("a", 0.5, Post("a", captions=("New York",))),))
>>> [hit.id for hit in ranking], ranking.to_json()["results"][0]["text"]
(['a'], 'New York')
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cartolina.post import Place, Post

__all__ = ["Found", "Hit", "Ranking", "thumbnail"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A post found, its `score` and its distance where a place was asked for.

    The score is what the hits go by (`Ranking.by`): by picture the `cosine` with the query; by words how much
    of the query the words have, divided as ranks are; by both their fusion, 1 for the first of both.
    `cosine` is None where the post has no vector or pictures were not asked; `matched` names by which of
    "picture" and "words" it was found.
    `relevant`: False where it is only the nearest there is and seems to show something else.
    """

    id: str
    score: float
    post: Post
    distance_km: float | None = None
    relevant: bool = True
    cosine: float | None = None
    matched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """How a place was read: its full `name`, where it is, the circle's radius, other places of that name."""

    name: str
    place: Place
    radius_km: float
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hits in descending order of score, ties by age in the album.

    `query` is what was given, `read_as` how it was read, `unknown_words` the words the text model does not
    know, each with the nearest it does (or None), `notes` what else a person should know. `by` is what was
    gone by: "picture", "words", "both", or None where only a place or filters were asked for. It may be less
    than what was wanted: both is by picture where no post's words match.
    """

    query: str
    read_as: str
    hits: tuple[Hit, ...]
    unknown_words: Mapping[str, str | None] = field(default_factory=dict)
    places: tuple[Found, ...] = ()
    notes: tuple[str, ...] = ()
    by: str | None = None

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, index: int) -> Hit:
        return self.hits[index]

    @property
    def relevant(self) -> bool:
        """Whether any hit seems to show what was asked for."""
        return any(hit.relevant for hit in self.hits)

    def to_json(self) -> dict[str, Any]:
        """What `cartolina search --json` prints; keys are only ever added."""
        return {
            "query": self.query,
            "read_as": self.read_as,
            "by": self.by,
            "relevant": self.relevant,
            "results": [_hit_json(hit) for hit in self.hits],
            "unknown_words": list(self.unknown_words),
            "nearest_words": dict(self.unknown_words),
            "places": [
                {
                    "name": found.name,
                    "lat": found.place.lat,
                    "lon": found.place.lon,
                    "radius_km": found.radius_km,
                    "alternatives": list(found.alternatives),
                }
                for found in self.places
            ],
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """The pictures, for a notebook; everything is inside, no file is linked."""
        cards = "".join(_card(hit) for hit in self.hits) or "<p>Nothing found.</p>"
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<p><b>{html.escape(self.read_as)}</b></p><ul>{notes}</ul>"
            f'<div style="display:flex;flex-wrap:wrap;gap:8px">{cards}</div>'
        )


def thumbnail(image: Path | bytes, side: int) -> bytes:
    """A JPEG of the picture, at most `side` pixels wide and high."""
    from cartolina.vision.decode import open_rgb

    picture = open_rgb(image)
    picture.thumbnail((side, side))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def _hit_json(hit: Hit) -> dict[str, Any]:
    post = hit.post
    return {
        "id": hit.id,
        "score": hit.score,
        "cosine": hit.cosine,
        "matched": list(hit.matched),
        "relevant": hit.relevant,
        "text": post.text,
        "captions": list(post.captions),
        "tags": list(post.tags),
        "place": {"lat": post.place.lat, "lon": post.place.lon} if post.place else None,
        "distance_km": hit.distance_km,
        "taken": post.taken.isoformat() if post.taken else None,
        "image": str(post.image) if isinstance(post.image, Path) else None,
    }


def _card(hit: Hit) -> str:
    from cartolina.vision.decode import UnreadableImage

    try:
        assert hit.post.image is not None, "an album keeps no post without a picture"
        data = base64.b64encode(thumbnail(hit.post.image, 192)).decode("ascii")
        picture = f'<img src="data:image/jpeg;base64,{data}" style="max-width:100%">'
    except (UnreadableImage, OSError) as error:  # moved or damaged since: the words are still worth showing
        picture = f"<i>{html.escape(str(error))}</i>"
    caption = html.escape(hit.post.text or hit.id)
    return (
        f'<figure style="width:192px;margin:0">{picture}'
        f'<figcaption style="font-size:small"><b>{hit.score:.3f}</b> {caption}</figcaption></figure>'
    )
