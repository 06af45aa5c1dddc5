"""Adds, edits and removes posts and takes it back, for ever; tells what the album has acknowledged."""

from __future__ import annotations

import random
import threading

from tiny_world import dataset

from cartolina.album import Album, writer
from cartolina.post import Post

writer.COMPACT_FROM = 8  # a small album has compactions to be killed in, too


def churn(album_path, photos, seed, tell):
    """Sends ("?", ids) before anything is asked for: of those, whoever kills this process cannot know. Then
    (ids out, ids in) once it was done."""
    chance = random.Random(seed)
    names = sorted(path.name for path in photos.iterdir())
    with Album.open(album_path) as album:
        while True:
            some = chance.sample(names, chance.randint(1, 6))
            there = [name for name in some if name in album]
            what = chance.choices(["add", "remove", "edit", "undo"], [4, 2, 1, 3])[0]
            if what == "add":
                # Half of the time with other words, so that known posts are replaced.
                words = chance.choice(["", f"version {chance.random()}"])
                tell.send(("?", some))
                album.add(dataset(photos, [Post(name, photos / name, captions=(words,)) for name in some]))
                tell.send(([], some))
            elif what == "remove":
                tell.send(("?", there))
                album.remove(there)
                tell.send((there, []))
            elif what == "edit":
                album.edit(there, tags=[f"tag {chance.random()}"])
            elif any(one.name != "activate" and not one.is_undone for one in album.actions()):
                report = album.undo(dry_run=True)
                tell.send(("?", report.out + report.back))
                album.undo()
                tell.send((report.out, report.back))


def adding(album_path, photos, tell):
    """Adds the photos one by one, and sends the name of each that was acknowledged; then waits."""
    with Album.open(album_path) as album:
        for path in sorted(photos.iterdir()):
            album.add(dataset(photos, [Post(path.name, path)]))
            tell.send(path.name)
        threading.Event().wait()
