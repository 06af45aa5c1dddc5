"""What people say of posts: tags, captions, places. No reading of a source takes them back.

The catalogue's words of a post are always the sum: what its files say, less the tags and captions taken off,
with those put on; a place set by hand goes before any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cartolina.album.entry import folded
from cartolina.datasets.fields import clean
from cartolina.errors import InputError
from cartolina.post import Place, Post

__all__ = ["Edits"]

OPPOSITE = {"tags": "not_tags", "not_tags": "tags", "captions": "not_captions", "not_captions": "captions"}


@dataclass(frozen=True, slots=True)
class Edits:
    """What was said by hand of a post."""

    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    not_captions: tuple[str, ...] = ()
    place: Place | None = None

    @classmethod
    def checked(
        cls,
        tags: Iterable[str] = (),
        not_tags: Iterable[str] = (),
        captions: Iterable[str] = (),
        not_captions: Iterable[str] = (),
        place: Place | None = None,
    ) -> Edits:
        """Edits of clean words; raises `InputError` for an empty one, a contradiction, or nothing to say."""
        on, off = (tuple(clean(tag).lstrip("#＃").strip() for tag in some) for some in (tags, not_tags))
        edits = cls(on, off, tuple(map(clean, captions)), tuple(map(clean, not_captions)), place)
        words = (*edits.tags, *edits.not_tags, *edits.captions, *edits.not_captions)
        if not all(words):
            raise InputError("a tag or a caption is empty: write a word")
        if both := {folded(tag) for tag in edits.tags} & {folded(tag) for tag in edits.not_tags}:
            raise InputError(f"the tag {min(both)!r} cannot be put on and taken off at once")
        if both := {*edits.captions} & {*edits.not_captions}:
            raise InputError(f"the caption {min(both)!r} cannot be put on and taken off at once")
        if place is None and not words:
            raise InputError("there is nothing to edit: give a tag, a caption or a place")
        return edits

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[str, str]]) -> Edits:
        """From (field, value) as the catalogue keeps them."""
        said: dict[str, list[str]] = {}
        for field, value in rows:
            said.setdefault(field, []).append(value)
        place = Place(*json.loads(said.pop("place")[-1])) if "place" in said else None
        return cls(**{field: tuple(values) for field, values in said.items()}, place=place)

    def rows(self) -> list[tuple[str, str]]:
        """As the catalogue keeps them: (field, value)."""
        words = [(field, value) for field in OPPOSITE for value in getattr(self, field)]
        place = [] if self.place is None else [("place", json.dumps([self.place.lat, self.place.lon]))]
        return words + place

    def applied(self, post: Post) -> Post:
        """The post with what was said by hand."""
        unwanted, known = {folded(tag) for tag in self.not_tags}, {folded(tag) for tag in post.tags}
        tags = [tag for tag in post.tags if folded(tag) not in unwanted]
        captions = [caption for caption in post.captions if caption not in self.not_captions]
        return replace(
            post,
            tags=(*tags, *(tag for tag in self.tags if folded(tag) not in known)),
            captions=(*captions, *(caption for caption in self.captions if caption not in captions)),
            place=self.place or post.place,
        )
