"""kill -9 at any moment: nothing acknowledged is lost, nothing half-done is seen, work goes on."""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
from contextlib import suppress

import numpy as np
from churn import churn
from tiny_world import COLOURS, paint, painted

from cartolina.album import Album

KILLS = 24

# Real processes, forked from one that has imported everything: ready in milliseconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["churn", "onnxruntime", "PIL.Image"])


def test_kill_minus_nine_loses_nothing(tmp_path, space_folder):
    photos = tmp_path / "photos"
    for n in range(8):
        for colour in COLOURS:
            paint(photos / f"{colour}-{n}.png", colour)
    path = tmp_path / "a.album"
    with Album.create(path) as album:
        album.activate(space_folder)
    chance = random.Random(20260101)
    sure: set[str] = set()
    acknowledged = 0
    for kill in range(KILLS):
        sure, unsure, said = run_and_kill(path, photos, seed=kill, after=chance.uniform(0, 0.15), sure=sure)
        acknowledged += said
        with Album.open(path) as album:
            sure = check(album, sure, unsure)
    assert acknowledged > KILLS  # the killed processes did work


def run_and_kill(path, photos, *, seed, after, sure):
    """Kills some time after the first acknowledgement; (surely there, perhaps there, acknowledgements)."""
    hear, tell = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=churn, args=(path, photos, seed, tell))
    process.start()
    tell.close()
    unsure, acknowledged = set(), 0
    with hear, suppress(EOFError):  # the end of a process that was killed
        while True:
            gone, come = hear.recv()
            if gone == "?":
                unsure = set(come)
                continue
            sure = sure - set(gone) | set(come)
            unsure = set()
            acknowledged += 1
            if acknowledged == 1:
                threading.Timer(after, process.kill).start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    return sure, unsure, acknowledged


def check(album, sure, unsure):
    """What is there is what was acknowledged, whole; the next add works. Gives what is there now."""
    there = {post.id for post in album.posts()}
    assert sure - unsure <= there <= sure | unsure
    info = album.info()
    assert info["posts"] == info["space"]["vectors"] == len(there)  # no post without a vector, no ghost
    names = sorted(there)
    expected = np.array([COLOURS[name.split("-")[0]] for name in names], np.float32).reshape(-1, 3)
    expected /= np.maximum(np.linalg.norm(expected, axis=1, keepdims=True), 1)
    if names:  # every post has the vector of its own picture
        np.testing.assert_allclose(album.vectors(names), expected, atol=4e-3)
    assert album._catalogue.rows("PRAGMA foreign_key_check") == album._catalogue.rows(
        "SELECT * FROM recording"
    )
    told = album._catalogue.rows("SELECT * FROM wording WHERE captions != '' OR tags != ''")
    assert sorted(album._catalogue.rows("SELECT rowid, captions, tags FROM words")) == sorted(told)
    hits = album.search("red", k=1000)
    assert sorted(hit.id for hit in hits) == names
    report = album.add(painted(album.path.parent / "photos", ["red-0.png"]))
    assert report.added == ("red-0.png" not in there)
    return there | {"red-0.png"}
