from __future__ import annotations

import pytest

from cartolina.errors import InputError, UnknownName
from cartolina.progress import SILENT
from cartolina.text import sources
from cartolina.text.sources import read_texts


@pytest.fixture
def table(tmp_path):
    """Three posts: two captions and tags, one caption that says its tag, tags alone."""
    path = tmp_path / "posts.csv"
    rows = [
        "id,image,caption,tags",
        "a,a.jpg,A dog on the beach,sun;beach",
        "a,a.jpg,Two dogs,sun;beach",
        "b,b.jpg,#snow everywhere,snow",
        "c,c.jpg,,red car;night",
    ]
    path.write_text("\n".join(rows))
    for name in "abc":
        (tmp_path / f"{name}.jpg").write_bytes(b"no pixels are looked at")
    return path


def test_captions_and_the_tags_they_do_not_say(table):
    read = read_texts(table)
    assert read.texts == ["A dog on the beach", "Two dogs", "sun", "#snow everywhere", "red car night"]
    assert read.owner.tolist() == [0, 0, 0, 1, 2]
    assert read.common_words(1)[:3] == ["dog", "beach", "two"]
    assert read.common_words(2) == []


def test_what_is_left_out_is_said(table, tmp_path):
    (tmp_path / "a.jpg").unlink()
    said = []

    class Told(type(SILENT)):
        def say(self, message):
            said.append(message)

    assert read_texts(table, progress=Told()).texts == ["#snow everywhere", "red car night"]
    assert said[-1] == "Skipped or noted 1 × no such image"
    for name in "bc":
        (tmp_path / f"{name}.jpg").unlink()
    with pytest.raises(InputError, match=r"no text was found in .* \(3 × no such image\)"):
        read_texts(table)


def test_lines_of_a_text_file(tmp_path):
    path = tmp_path / "lines.TXT"
    path.write_bytes("one dog\n\n  two \r\nb\xe4r\nno end".encode("latin-1"))
    read = read_texts(path)
    assert read.texts == ["one dog", "two", "b\ufffdr", "no end"]
    assert read.owner.tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match="a text file has no parts"):
        read_texts(path, split="train")


def test_a_file_of_one_endless_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LONGEST_LINE", 10)
    path = tmp_path / "lines.txt"
    path.write_text("123456789\nshort\n" + "x" * 40)
    with pytest.raises(InputError, match="after 2 texts: a line of 10 characters or more"):
        read_texts(path)


def test_nothing_to_read(tmp_path, table):
    (tmp_path / "empty.txt").write_text(" \n\n")
    with pytest.raises(InputError, match="no text was found"):
        read_texts(tmp_path / "empty.txt")
    with pytest.raises(InputError, match="does not exist"):
        read_texts(tmp_path / "gone")
    with pytest.raises(UnknownName, match="unknown split"):
        read_texts(table, split="train")
