"""How an answer shows itself in a notebook."""

from __future__ import annotations

import base64
import io
import re

from PIL import Image
from tiny_world import paint

from cartolina.album.ranking import Hit, Ranking
from cartolina.post import Post


def test_the_pictures_are_inside_and_small(tmp_path):
    path = paint(tmp_path / "red.png", "red", size=(1000, 500))
    shown = Ranking("red", "red", (Hit("a", 0.5, Post("a", path, ("a red thing",))),))._repr_html_()
    (data,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", shown)
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.size == (192, 96)
    assert "0.500" in shown
    assert "a red thing" in shown
    assert str(tmp_path) not in shown


def test_nothing_a_stranger_wrote_becomes_markup(tmp_path):
    path = paint(tmp_path / "red.png", "red")
    evil = "<script>alert('x')</script>"
    hit = Hit(evil, 0.5, Post(evil, path, (evil,)))
    shown = Ranking(evil, evil, (hit,), notes=(evil,))._repr_html_()
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 3


def test_a_picture_that_is_gone_leaves_its_words(tmp_path):
    shown = Ranking(
        "q", "q", (Hit("a", 0.5, Post("a", tmp_path / "gone.png", ("still told",))),)
    )._repr_html_()
    assert "still told" in shown
    assert "no such image" in shown


def test_no_hits_is_said():
    ranking = Ranking("q", "q", ())
    assert "Nothing found" in ranking._repr_html_()
    assert (len(ranking), list(ranking)) == (0, [])
