"""All odd files at once through the whole intake: it ends, the good are in, the report names the others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from tiny_world import paint, painted

from cartolina.album import Album
from cartolina.datasets import open_dataset
from cartolina.datasets.dataset import NOTES
from odd_files import CAPTIONS, jpeg, odd_folder


@pytest.fixture
def odd(tmp_path):
    secret = paint(tmp_path / "elsewhere/secret.png", "blue")
    return odd_folder(tmp_path / "photos", secret)


def told(report):
    """Where -> reason, as `runs/skipped.jsonl` has them."""
    lines = [json.loads(line) for line in report.skipped_file.read_text().splitlines()]
    assert report.skipped == Counter(line["reason"] for line in lines)
    assert len({line["where"] for line in lines}) == len(lines)  # each file is named once
    assert all(line["detail"] for line in lines if line["reason"] != "empty file")
    return {line["where"]: line["reason"] for line in lines}


def test_the_run_ends_the_good_are_in_and_the_report_names_the_others(album, tmp_path, odd):
    report = album.add(open_dataset(tmp_path / "photos", "folder"))
    reasons = told(report)
    assert {where: why for where, why in reasons.items() if why not in NOTES} == odd.bad
    assert {where: why for where, why in reasons.items() if why in NOTES} == odd.noted
    assert {post.id for post in album.posts()} == odd.good
    assert report.added == len(odd.good)
    assert album.info()["space"]["vectors"] == len(odd.good)
    assert "blue" not in {post.text for post in album.posts()}  # nothing came in over a link


def test_the_pixels_that_came_in_are_the_right_ones(album, tmp_path, odd):
    album.add(open_dataset(tmp_path / "photos", "folder"))
    scores = {hit.id: hit.score for hit in album.search("red", 100)}
    white = {"sixteen bits.tif"}
    assert {name for name, score in scores.items() if score < 0.98} == white


def test_captions_are_read_in_whatever_encoding_can_be_known(album, tmp_path, odd):
    album.add(open_dataset(tmp_path / "photos", "folder"))
    for name, (_, text) in CAPTIONS.items():
        assert album.get(name.replace(".txt", ".jpg")).text == text


def test_the_same_again_reads_only_what_could_not_be_read(album, tmp_path, odd):
    first = album.add(open_dataset(tmp_path / "photos", "folder"))
    before = told(first)
    again = album.add(open_dataset(tmp_path / "photos", "folder"))
    assert (again.added, again.replaced, again.unchanged) == (0, 0, len(odd.good))
    assert set(again.skipped) == set(odd.bad.values())
    assert sum(again.skipped.values()) == len(odd.bad)
    assert before.keys() == odd.bad.keys() | odd.noted.keys()


def test_without_a_space_it_ends_as_well(tmp_path, odd):
    with Album.create(tmp_path / "b.album") as empty:
        report = empty.add(open_dataset(tmp_path / "photos", "folder"))
        assert odd.good <= {post.id for post in empty.posts()}
        assert {"video", "link leaves the folder", "not a regular file", "empty file"} <= set(report.skipped)


def test_duplicate_ids_of_a_table_are_named(album, tmp_path):
    for name in ("red-1.png", "red-2.png"):
        paint(tmp_path / name, "red")
    rows = ["id,image,caption", "1,red-1.png,one", "2,red-2.png,two", "1,red-1.png,again"]
    (tmp_path / "posts.csv").write_text("\n".join(rows))
    report = album.add(open_dataset(tmp_path / "posts.csv"))
    assert (report.added, report.skipped) == (2, Counter({"repeated id": 1}))
    assert album.get("1").captions == ("one",)
    twice = painted(tmp_path, ["red-1.png", "red-2.png", "red-1.png"])
    assert album.add(twice).skipped == Counter({"repeated id": 1})


def test_a_folder_that_cannot_be_listed_is_named(album, tmp_path, monkeypatch):
    paint(tmp_path / "photos/red-1.png", "red"), paint(tmp_path / "photos/closed/red-2.png", "red")
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    report = album.add(open_dataset(tmp_path / "photos", "folder"))
    assert (report.added, told(report)) == (1, {"closed/": "unreadable folder"})


WITHOUT_RIGHTS = """
import os, sys
from cartolina.datasets import open_dataset
dataset = open_dataset(sys.argv[1], "folder")
list(dataset.posts())  # all that is imported is there before the rights go: Python may be root's alone
os.setgroups([]), os.setgid(65534), os.setuid(65534)
skipped = []
posts = [post.id for post in dataset.posts(on_skip=skipped.append)]
print(posts, [(one.where, one.reason, one.detail) for one in skipped])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
def test_a_folder_and_a_file_without_permission_for_somebody_without_rights():
    """The same for real: a process that is not root, since root may read everything."""
    home = Path(tempfile.mkdtemp(prefix="cartolina-rights-"))  # pytest's own folders are root's alone
    try:
        home.chmod(0o755)
        for name in ("a.jpg", "closed.jpg", "closed/b.jpg"):
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).write_bytes(jpeg())
        (home / "closed.jpg").chmod(0)
        (home / "closed").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, str(home)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.split("\n")[0] == (
            "['a.jpg'] [('closed/', 'unreadable folder', 'Permission denied'), "
            "('closed.jpg', 'unreadable image', 'Permission denied')]"
        )
    finally:
        (home / "closed").chmod(0o755)
        shutil.rmtree(home)
