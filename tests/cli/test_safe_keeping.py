"""`check` and `backup` as people give them."""

import json
import shutil

from cartolina.album import Album


def test_check_of_a_whole_album(cartolina, album):
    shown = cartolina("check", album, "--quiet")
    assert (shown.exit_code, shown.stdout.strip()) == (0, "The album is whole")
    said = json.loads(cartolina("check", album, "--deep", "--json", "--quiet").stdout)
    assert said == {
        "album": str(album), "clean": True, "deep": True, "repair": False, "findings": [], "left": [],
    }  # fmt: skip


def test_check_names_and_mends(cartolina, album):
    (segment,) = album.glob("spaces/*/vectors/0000.npy")
    segment.write_bytes(b"")
    shown = cartolina("check", album)
    assert shown.exit_code == 4
    assert "damage (segment) spaces/" in shown.stdout
    assert "6 posts' vectors are lost" in shown.stdout
    assert "--repair" in shown.stdout
    found = cartolina("check", album, "--json")
    assert found.exit_code == 4
    (finding,) = json.loads(found.stdout)["findings"]
    assert (finding["kind"], finding["severity"], finding["count"]) == ("segment", "damage", 6)
    assert (finding["can_be_repaired"], finding["repaired"]) == (True, None)
    mended = cartolina("check", album, "--repair", "--json")
    assert mended.exit_code == 0
    said = json.loads(mended.stdout)
    assert "6 vectors made again" in said["findings"][0]["repaired"]
    assert (said["clean"], said["left"]) == (True, [])
    assert "red-1.png" in cartolina("search", album, "red").stdout


def test_check_of_what_cannot_be_mended(cartolina, album, tmp_path):
    (album / "album.sqlite").write_bytes(b"x" * 100)
    shown = cartolina("check", album, "--repair")
    assert shown.exit_code == 4
    assert "backup" in shown.stdout
    shutil.rmtree(album)
    gone = cartolina("check", album)
    assert gone.exit_code == 4
    assert "there is no album" in gone.stderr


def test_check_while_another_writes(cartolina, album):
    with Album.open(album) as opened, opened._lock:
        assert cartolina("check", album).exit_code == 0
        assert cartolina("check", album, "--repair").exit_code == 5


def test_backup_and_restore(cartolina, album, tmp_path):
    said = json.loads(cartolina("backup", album, tmp_path / "b", "--json", "--quiet").stdout)
    assert (said["path"], said["posts"], said["reused"], said["missing"]) == (str(tmp_path / "b"), 6, 0, 0)
    assert said["files"] > 3
    assert said["bytes"] > 1000
    again = cartolina("backup", album, tmp_path / "b")
    assert "6 posts in" in again.stdout
    assert f"{said['files'] - 2:,} files as before" in again.stdout  # all but catalogue and album.json
    refused = cartolina("backup", album, tmp_path / "photos")
    assert refused.exit_code == 2
    assert "no backup" in refused.stderr
    shutil.rmtree(album)
    shutil.copytree(tmp_path / "b", album)
    assert cartolina("check", album).exit_code == 0
    assert "red-1.png" in cartolina("search", album, "red").stdout
    (album / "album.sqlite").write_bytes(b"x")
    broken = cartolina("backup", album, tmp_path / "b")
    assert broken.exit_code == 4
    assert cartolina("check", tmp_path / "b").exit_code == 0
