"""Verdicts by hand, and the judging page."""

import json
import re

import pytest

from cartolina.errors import InputError
from cartolina.evaluate.experiments.judging_page import write_page
from cartolina.evaluate.experiments.verdicts import read_verdicts, verdicts_of
from cartolina.post import Post


def written(path, *verdicts):
    rows = [{"query": query, "id": photo, "shows": shows} for query, photo, shows in verdicts]
    path.write_text(json.dumps({"format": 1, "verdicts": rows}))
    return path


def test_the_given_file_wins_over_the_folders(tmp_path):
    written(tmp_path / "verdicts.json", ("dog", "1", True), ("dog", "2", True))
    given = written(tmp_path / "mine.json", ("dog", "2", False), ("car", "1", True))
    assert verdicts_of(tmp_path) == {("dog", "1"): True, ("dog", "2"): True}
    assert verdicts_of(tmp_path, given) == {("dog", "1"): True, ("dog", "2"): False, ("car", "1"): True}
    assert verdicts_of(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2, "verdicts": []}',
     '{"format": 1, "verdicts": [{"query": "a", "id": "b"}]}',
     '{"format": 1, "verdicts": [7]}', '{"format": 1, "verdicts": [{"query": "a", "id": "b", "shows": 1}]}'],
)  # fmt: skip
def test_what_is_no_file_of_verdicts_is_refused(tmp_path, text):
    path = tmp_path / "v.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"v\.json"):
        read_verdicts(path)
    with pytest.raises(InputError, match="no file of verdicts"):
        read_verdicts(tmp_path / "none.json")


def data_of(page):
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_holds_each_photo_once_and_what_was_said(tmp_path, colours):
    found = {"red": ["dev-0", "dev-1", "dev-0"], "red+thing": ["dev-0"]}
    page = tmp_path / "page.html"
    count = write_page(page, found, colours.posts("dev"), {("red", "dev-1"): False, ("blue", "dev-1"): True})
    data = data_of(page.read_text())
    assert count == 3
    assert {one["query"]: sorted(one["ids"]) for one in data["queries"]} == {
        "red": ["dev-0", "dev-1"],
        "red+thing": ["dev-0"],
    }
    assert set(data["pictures"]) == {"dev-0", "dev-1"}
    assert all(uri.startswith("data:image/jpeg;base64,") for uri in data["pictures"].values())
    assert data["verdicts"] == [{"query": "red", "id": "dev-1", "shows": False}]


def test_nothing_in_an_id_or_a_query_ends_the_script(tmp_path):
    evil = "</script><script>alert(1)</script>"
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    page = tmp_path / "page.html"
    write_page(page, {evil: [evil]}, [Post(evil, tmp_path / "broken.jpg")])
    text = page.read_text()
    assert "<script>alert" not in text
    data = data_of(text)
    assert data["queries"] == [{"query": evil, "ids": [evil]}]
    assert data["pictures"] == {evil: ""}  # it cannot be read: an empty frame
