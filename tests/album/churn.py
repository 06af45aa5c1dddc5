"""Adds and removes posts for ever and tells what the album has acknowledged; it is there to be killed."""

from __future__ import annotations

import random

from tiny_world import dataset

from cartolina.album import Album, writer
from cartolina.post import Post

writer.COMPACT_FROM = 8  # a small album has compactions to be killed in, too


def churn(album_path, photos, seed, tell):
    """Sends ("+", ids) once `add` has returned, ("-", ids) once `remove` has, and ("?", ids) before either
    is asked for: of those, whoever kills this process cannot know."""
    chance = random.Random(seed)
    names = sorted(path.name for path in photos.iterdir())
    with Album.open(album_path) as album:
        while True:
            some = chance.sample(names, chance.randint(1, 6))
            if chance.random() < 0.6:
                # Half of the time with other words, so that known posts are replaced.
                words = chance.choice(["", f"version {chance.random()}"])
                tell.send(("?", some))
                album.add(dataset(photos, [Post(name, photos / name, captions=(words,)) for name in some]))
                tell.send(("+", some))
            else:
                some = [name for name in some if name in album]
                tell.send(("?", some))
                album.remove(some)
                tell.send(("-", some))
