"""Post and Place: the two values everything speaks of.

>>> Post("1000268201", captions=("A child in a pink dress.",), place=Place(41.38, 2.17)).text
'A child in a pink dress.'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cartolina.errors import InputError

__all__ = ["Place", "Post"]


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the Earth, WGS 84.

    `lat` in degrees, −90 to 90, north positive; `lon` in degrees, −180 to 180, east positive.
    Raises `InputError` for coordinates that are not finite or out of range.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and math.isfinite(self.lon)):
            raise InputError(f"coordinates ({self.lat}, {self.lon}) are not finite numbers")
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise InputError(
                f"coordinates ({self.lat}, {self.lon}) are out of range: "
                "latitude is −90 to 90 and longitude −180 to 180 degrees, in this order"
            )


@dataclass(frozen=True, slots=True)
class Post:
    """A picture, a few words, a place: the datum everything is learnt from.

    `image` is a path or an encoded file's bytes, decoded late (None: no picture);
    `captions` are the texts that go with it (often one; five in Flickr8k), `tags` its hashtags without `#`;
    `taken` is the local time of the camera where no zone is known; `labels` are a human's classes, for
    evaluation only: nothing in this package learns from them unless it says so.
    """

    id: str
    image: Path | bytes | None = None
    captions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    place: Place | None = None
    taken: datetime | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.id:
            raise InputError("a post needs a non-empty id")

    @property
    def text(self) -> str:
        """The first caption, or the empty string."""
        return self.captions[0] if self.captions else ""

    @property
    def words(self) -> tuple[str, ...]:
        """What can be learnt from: the captions that say something, or without any the tags as one."""
        captions = tuple(caption for caption in self.captions if caption.strip())
        return captions or ((" ".join(self.tags),) if self.tags else ())
