"""`cartolina settings`, and that commands and `info` go by them."""

import json


def test_a_setting_of_the_album_is_shown_and_obeyed(cartolina, album, monkeypatch):
    monkeypatch.chdir(album.parent)
    assert cartolina("settings", album, "k=2", "quality=best").exit_code == 0
    settings = json.loads(cartolina("info", album, "--json").stdout)["settings"]
    assert settings["k"] == {"value": 2, "from": "album"}
    assert "k = 2  (album)" in cartolina("info", album).stdout
    assert len(json.loads(cartolina("search", album, "red", "--json").stdout)["results"]) == 2
    (album.parent / "cartolina.toml").write_text("k = 3")
    assert len(json.loads(cartolina("search", album, "red", "--json").stdout)["results"]) == 3
    assert len(json.loads(cartolina("search", album, "red", "--json", "-k", "4").stdout)["results"]) == 4
    forgotten = json.loads(cartolina("settings", album, "quality=", "--json").stdout)
    assert forgotten["quality"] == {"value": "fast", "from": "built in"}


def test_what_is_no_setting_is_said_and_changes_nothing(cartolina, album):
    assert "did you mean 'device'" in cartolina("settings", album, "devise=cpu").stderr
    assert "NAME=VALUE" in cartolina("settings", album, "device").stderr
    assert "whole number" in cartolina("settings", album, "k=x").stderr
    assert json.loads(cartolina("settings", album, "--json").stdout)["k"]["from"] == "built in"


def test_people_see_where_a_setting_comes_from(cartolina, album):
    shown = cartolina("settings", album).stdout
    assert "quality" in shown
    assert "fast  (built in)" in shown
