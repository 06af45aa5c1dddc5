"""`edit` and `export` as people give them."""

import json


def test_edit_then_export(cartolina, album):
    done = cartolina("edit", album, "red-1.png", "--tag", "sea", "--place", "Rimini", "--json")
    assert json.loads(done.stdout)["edited"] == 1
    assert json.loads(done.stdout)["place"]["name"].startswith("Rimini")
    assert "1 edited; they are at 1.5,2" in cartolina("edit", album, "red-2.png", "--place", "1.5,2").stdout
    assert "1 edited" in cartolina("edit", album, "red-2.png", "--caption", "x").stdout
    assert "did you mean" in cartolina("edit", album, "red-2.png", "--place", "Barcelonaa").stderr
    dry = cartolina("export", album, "--xmp", "--dry-run")
    assert "2 sidecars would be written" in dry.stdout
    assert "red-1.png.xmp" in dry.stdout
    report = json.loads(cartolina("export", album, "--xmp", "--json").stdout)
    assert len(report["written"]) == 2
    assert not report["dry_run"]
    every = json.loads(cartolina("export", album, "--xmp", "--everything", "--json").stdout)
    assert len(every["written"]) == 6
    assert every["unchanged"] == 0
    (album.parent / "photos" / "red-1.png").unlink()
    assert "the picture is not there" in cartolina("export", album, "--xmp").stdout


def test_export_a_table(cartolina, album, tmp_path):
    assert "6 posts in" in cartolina("export", album, "--table", tmp_path / "posts.csv").stdout
    report = json.loads(cartolina("export", album, "--table", tmp_path / "p.jsonl", "--json").stdout)
    assert report == {"posts": 6, "table": str(tmp_path / "p.jsonl")}
    assert "export what?" in cartolina("export", album).stderr
