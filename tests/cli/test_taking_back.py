"""`undo` and `space` as people give them."""

import json

import pytest
from tiny_world import write_space

from cartolina.album import Album


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_undo_and_redo(cartolina, album):
    cartolina("remove", album, "red-1.png", "blue-1.png")
    listed = cartolina("undo", album, "--list").stdout
    assert listed.index("remove") < listed.index("add") < listed.index("activate")
    assert "red-1.png, blue-1.png" in listed
    dry = cartolina("undo", album, "--dry-run").stdout
    assert "Would be undone: remove red-1.png, blue-1.png" in dry
    done = answer(cartolina("undo", album, "--json", "--quiet"))
    assert (done["back"], done["out"], done["restored"]) == (["red-1.png", "blue-1.png"], [], [])
    assert (done["action"]["action"], done["posts"], done["dry_run"], done["redo"]) == (
        "remove",
        6,
        False,
        False,
    )
    actions = answer(cartolina("undo", album, "--list", "--json"))["actions"]
    assert [(one["action"], one["undone"]) for one in actions] == [
        ("remove", True),
        ("add", False),
        ("activate", False),
    ]
    again = cartolina("undo", album, "--redo")
    assert "Done again: remove" in again.stdout
    assert "2 out of the album: red-1.png, blue-1.png" in again.stdout
    assert "holds 4 posts" in again.stdout


def test_undo_everything_down_to_nothing(cartolina, album):
    shown = cartolina("undo", album).stdout
    assert (
        "6 out of the album: red-1.png, red-2.png, green-1.png, blue-1.png, yellow-1.png and 1 more" in shown
    )
    assert "it has learnt nothing yet" in cartolina("undo", album).stdout
    nothing = cartolina("undo", album)
    assert nothing.exit_code == 2
    assert "nothing to undo" in nothing.stderr
    assert "Nothing that could be undone" not in cartolina("undo", album, "--list").stdout
    assert cartolina("undo", album, "--list", "--redo").exit_code == 2


def test_forget(cartolina, album):
    assert "final" in cartolina("undo", album, "--forget").stdout
    assert answer(cartolina("undo", album, "--forget", "--json")) == {"forgotten": True}
    assert cartolina("undo", album).exit_code == 2
    assert "Nothing that could be undone" in cartolina("undo", album, "--list").stdout


@pytest.fixture
def twice(album, tmp_path):
    with Album.open(album) as opened:
        opened.activate(write_space(tmp_path / "turned", turned=True))
    return album


def test_spaces_are_listed_gone_back_to_and_dropped(cartolina, twice):
    first, second = answer(cartolina("space", "list", twice, "--json"))["spaces"]
    assert (first["is_active"], second["is_active"]) == (False, True)
    assert (first["vectors"], second["vectors"], second["problem"]) == (6, 6, None)
    assert first["bytes"] > 1000
    assert second["info"]["how"] == "contrastive"
    shown = cartolina("space", "list", twice).stdout
    assert f"*  {second['fingerprint'][:12]}" in shown
    back = answer(cartolina("space", "rollback", twice, "--json", "--quiet"))
    assert back == {"space": first["fingerprint"], "vectors_added": 0, "skipped": {}}
    there = cartolina("space", "rollback", twice, second["fingerprint"][:6])
    assert f"Searching in {second['fingerprint'][:12]}" in there.stdout
    assert f"the space {first['fingerprint'][:12]}" in cartolina("undo", twice).stdout
    assert cartolina("space", "drop", twice, first["fingerprint"]).exit_code == 2  # it is searched
    assert answer(cartolina("space", "drop", twice, second["fingerprint"][:6], "--json")) == {
        "dropped": second["fingerprint"]
    }
    assert len(answer(cartolina("space", "list", twice, "--json"))["spaces"]) == 1
    alone = cartolina("space", "rollback", twice)
    assert alone.exit_code == 2
    assert "no other space" in alone.stderr
    unknown = cartolina("space", "rollback", twice, "zzz")
    assert unknown.exit_code == 2
    assert "unknown space 'zzz'" in unknown.stderr


def test_nothing_learnt_has_no_spaces(cartolina, tmp_path):
    Album.create(tmp_path / "B").close()
    assert "nothing yet" in cartolina("space", "list", tmp_path / "B").stdout
