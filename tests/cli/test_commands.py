"""The commands in one process, on an album of plain colours; what programs read of them stays as it is."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from tiny_world import paint

from cartolina import __version__
from cartolina.album import Album


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_search_says_how_it_read_the_query_and_lists_the_best_first(cartolina, album):
    shown = cartolina("search", album, "red + green", "-k", 1, "--by", "picture")
    assert shown.exit_code == 0
    assert "red + green" in shown.stdout
    assert "yellow-1.png" in shown.stdout
    assert "a yellow thing" in shown.stdout
    assert "blue-1.png" not in shown.stdout


def test_search_json_has_the_promised_keys(cartolina, album):
    found = answer(cartolina("search", album, "red", "-k", 3, "--json"))
    assert found["query"] == "red"
    assert found["unknown_words"] == []
    assert found["places"] == []
    assert [hit["id"] for hit in found["results"][:2]] == ["red-1.png", "red-2.png"]
    assert len(found["results"]) == 3
    best = found["results"][0]
    assert {"id", "score", "text", "tags", "place", "image"} <= best.keys()
    assert best["score"] == pytest.approx(1, abs=1e-3)
    assert best["text"] == "a red thing"
    assert best["place"] is None
    assert best["image"] == str(album.parent / "photos/red-1.png")


def test_a_query_that_begins_with_a_minus(cartolina, album):
    found = answer(cartolina("search", album, "-blue + purple", "--json", "-k2", "--by=picture"))
    assert {hit["id"] for hit in found["results"]} == {"red-1.png", "red-2.png"}


def test_a_picture_given_relative_to_the_working_directory(cartolina, album, tmp_path, monkeypatch):
    paint(tmp_path / "here" / "my example.png", "green")
    monkeypatch.chdir(tmp_path / "here")
    found = answer(cartolina("search", album, '@"my example.png"', "-k", 1, "--json"))
    assert found["results"][0]["id"] == "green-1.png"
    gone = cartolina("search", album, "@gone.png")
    assert gone.exit_code == 2
    assert "gone.png" in gone.stderr
    assert "like:ID" in gone.stderr


def test_unknown_words_are_named_with_the_nearest(cartolina, album):
    shown = cartolina("search", album, "red grean", "-k", 1)
    assert "grean" in shown.stdout
    assert "green" in shown.stdout
    assert answer(cartolina("search", album, "red grean", "--json"))["unknown_words"] == ["grean"]


def test_search_by_words_by_picture_and_by_both(cartolina, album, monkeypatch):
    def found(*args):
        return answer(cartolina("search", album, "--json", *args))

    assert {hit["id"] for hit in found("purple thing", "--by", "words")["results"]} >= {"purple-1.png"}
    assert found("purple", "--by", "words")["results"][0]["matched"] == ["words"]
    assert found("purple", "--by=picture")["results"][0]["matched"] == ["picture"]
    both = found("purple")
    assert (both["by"], both["results"][0]["matched"]) == ("both", ["picture", "words"])
    shown = cartolina("search", album, "purple").stdout
    assert "both" in shown
    assert "picture" in shown
    monkeypatch.setenv("CARTOLINA_BY", "words")
    assert found("purple")["by"] == "words"
    assert found("purple", "--by", "picture")["by"] == "picture"
    wrong = cartolina("search", album, "purple", "--by", "pictures")
    assert wrong.exit_code == 2
    assert "did you mean 'picture'? Known: both, picture, words" in wrong.stderr


def test_search_draws_a_sheet(cartolina, album, tmp_path):
    sheet = tmp_path / "new" / "out.png"
    shown = cartolina("search", album, "red", "--sheet", sheet)
    assert str(sheet) in shown.stdout.replace("\n", "")
    with Image.open(sheet) as page:
        reds = sum(n for n, c in page.getcolors(1 << 20) if c[0] > 200 and c[1] < 60 and c[2] < 60)
    assert reds > 2 * 200 * 200  # both red photos are on it
    assert cartolina("search", album, "red", "--sheet", tmp_path / "out.docx").exit_code == 2


def test_the_query_in_several_arguments_is_told_to_be_quoted(cartolina, album):
    result = cartolina("search", album, "red", "car")
    assert result.exit_code == 2
    assert "quotes: 'red car'" in result.stderr


def test_a_query_that_cannot_be_read(cartolina, album):
    result = cartolina("search", album, "red - red")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")


def test_info(cartolina, album):
    facts = answer(cartolina("info", album, "--json"))
    assert facts["posts"] == 6
    assert facts["space"]["how"] == "contrastive"
    shown = cartolina("info", album).stdout
    assert "made for tests" in shown
    assert "English" in shown


def test_remove(cartolina, album):
    assert answer(cartolina("remove", album, "red-1.png", "blue-1.png", "--json")) == {
        "removed": 2,
        "posts": 4,
    }
    unknown = cartolina("remove", album, "red-9.png")
    assert unknown.exit_code == 2
    assert "did you mean 'red-2.png'" in unknown.stderr


def test_add_reports_what_became_of_each_photo(cartolina, album, tmp_path):
    new = tmp_path / "more"
    paint(new / "white.png", (255, 255, 255))
    (new / "broken.jpg").write_bytes(b"\xff\xd8\xff not a photo")
    report = answer(cartolina("add", album, new, "--json", "--quiet"))
    assert (report["added"], report["replaced"], report["unchanged"], report["posts"]) == (1, 0, 0, 7)
    assert sum(report["skipped"].values()) == 1
    assert "broken.jpg" in Path(report["skipped_file"]).read_text()
    again = cartolina("add", album, new)
    assert "0 added, 0 replaced, 1 unchanged" in again.stdout
    assert "Recognised" in again.stderr


def test_adding_nothing_is_a_mistake(cartolina, album, tmp_path):
    (tmp_path / "none").mkdir()
    result = cartolina("add", album, tmp_path / "none")
    assert result.exit_code == 2


def test_evaluate_retrieval_prints_exactly_the_promised_keys(cartolina, album, tmp_path):
    rows = [
        {"image": f"photos/{name}-1.png", "text": f"something {name}"} for name in ("red", "green", "blue")
    ]
    (tmp_path / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    numbers = answer(cartolina("evaluate", "retrieval", album, tmp_path / "table.jsonl", "--json"))
    perfect = {"R@1": 100.0, "R@5": 100.0, "R@10": 100.0, "median_rank": 1.0}
    assert numbers == {"text_to_image": perfect, "image_to_text": perfect, "images": 3, "captions": 3}
    shown = cartolina("evaluate", "retrieval", album, tmp_path / "table.jsonl").stdout
    assert "100.0 (100.0–100.0)" in shown
    assert "3 images, 3 captions" in shown


def test_build_hands_everything_over(cartolina, album, tmp_path, monkeypatch):
    given = {}

    def build(source, where, **options):
        given.update(options, source=source, album=where)
        return Album.open(album)

    monkeypatch.setitem(sys.modules, "cartolina.album.build", SimpleNamespace(build=build))
    args = ["--split", "train", "--quality", "best", "--text", "word2vec", "--objective", "regression"]
    args += ["--backbone", "efficientnet-lite2", "--seed", "3", "--device", "cpu", "--columns", "image=path"]
    facts = answer(
        cartolina("build", tmp_path / "photos", tmp_path / "B", *args, "--format", "table", "--json")
    )
    assert facts["posts"] == 6
    del given["progress"]
    assert given == {
        "source": tmp_path / "photos",
        "album": tmp_path / "B",
        "format": "table",
        "columns": "image=path",
        "split": "train",
        "text": "word2vec",
        "quality": "best",
        "objective": "regression",
        "backbone": "efficientnet-lite2",
        "device": "cpu",
        "seed": 3,
    }


def test_ctrl_c_says_that_work_is_kept(cartolina, album, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Album, "add", interrupted)
    result = cartolina("add", album, tmp_path / "photos")
    assert result.exit_code == 130
    assert "kept" in result.stderr


def test_demo_prints_where_the_sheets_are(cartolina, album, tmp_path, monkeypatch):
    with Album.open(album) as opened:
        ranking = opened.search("red", 2)
    stop = SimpleNamespace(shows="words", query="red", ranking=ranking, sheet=tmp_path / "sheets/1 words.png")
    toured = SimpleNamespace(source=tmp_path, album=album, posts=6, stops=(stop,))
    monkeypatch.setattr("cartolina.demo.tour.tour", lambda into, photos, progress: toured)
    shown = cartolina("demo").stdout
    assert str(stop.sheet) in shown
    assert "a red thing" in shown
    document = answer(cartolina("demo", "--json"))
    assert document["album"] == str(album)
    assert document["queries"][0]["sheet"] == str(stop.sheet)
    assert [hit["id"] for hit in document["queries"][0]["results"]] == ["red-1.png", "red-2.png"]


@pytest.mark.parametrize("command", ["info", "search", "add", "remove"])
def test_no_album_there(cartolina, tmp_path, command):
    rest = [] if command == "info" else ["x"]
    if command == "add":
        rest = [paint(tmp_path / "photos/red.png", "red").parent]
    result = cartolina(command, tmp_path / "nowhere", *rest)
    assert result.exit_code == 4
    assert "no album at" in result.stderr


def test_version_and_unknown_commands(cartolina):
    assert cartolina("--version").stdout == f"cartolina {__version__}\n"
    result = cartolina("serch", "A", "dog")
    assert result.exit_code == 2
    assert "Did you mean 'search'?" in result.stderr


def test_captions_cannot_draw_on_the_screen(cartolina, album, tmp_path):
    paint(tmp_path / "odd/white.png", (250, 250, 250))
    row = {"id": "[bold]x[/bold]", "image": "white.png", "text": "[red]caption[/red] with [brackets"}
    (tmp_path / "odd/posts.jsonl").write_text(json.dumps(row))
    assert cartolina("add", album, tmp_path / "odd/posts.jsonl").exit_code == 0
    shown = cartolina("search", album, "red + green + blue", "-k", 1).stdout
    assert "[bold]x[/bold]" in shown
    assert "[red]caption[/red] with [brackets" in shown
