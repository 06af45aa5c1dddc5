"""The log tells what was done, waits for the album, is put aside when it is large, and stops nothing."""

import pytest

from cartolina.album import Album, runlog
from cartolina.album.runlog import LOG, logged
from cartolina.errors import InputError


def lines(album):
    return (album / LOG).read_text().splitlines()


def test_what_is_said_and_done_is_written_in_order(tmp_path):
    Album.create(tmp_path / "A").close()
    with logged(tmp_path / "A", "cartolina add A photos") as shown:
        shown.say("Recognised as folder.")
        with shown.task("features", 3, "images") as step:
            step.advance()
            step.note("blurred")
            step.advance(2)
    said = [line.split(" ", 2)[2] for line in lines(tmp_path / "A")]
    assert said[:2] == ["$ cartolina add A photos", "Recognised as folder."]
    assert said[2].startswith("features: 3 images in ")
    assert said[3].startswith("done in ")


def test_what_comes_before_the_album_waits_for_it(tmp_path):
    with logged(tmp_path / "A", "cartolina build photos A") as shown:
        shown.say("before")
        assert not (tmp_path / "A").exists()
        Album.create(tmp_path / "A").close()
        shown.say("after")
    assert [line.split(" ", 2)[2] for line in lines(tmp_path / "A")][:3] == [
        "$ cartolina build photos A",
        "before",
        "after",
    ]
    with logged(tmp_path / "never", "x"):
        pass
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("no such path"), "no such path"),
        (KeyboardInterrupt(), "by Ctrl-C"),
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh"),
    ],
)
def test_a_failure_is_written_and_raised(tmp_path, error, told):
    Album.create(tmp_path / "A").close()
    with pytest.raises(type(error)), logged(tmp_path / "A", "x"):
        raise error
    assert told in lines(tmp_path / "A")[-1]
    assert ("Traceback" in (tmp_path / "A" / LOG).read_text()) == isinstance(error, ZeroDivisionError)


def test_a_large_log_is_put_aside_and_the_oldest_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(runlog, "LARGEST", 100)
    Album.create(tmp_path / "A").close()
    for number in range(8):
        with logged(tmp_path / "A", f"command {number} {'x' * 100}"):
            pass
    logs = sorted(path.name for path in (tmp_path / "A" / "runs").iterdir())
    assert logs == ["cartolina.log", *(f"cartolina.log.{n}" for n in range(1, 5))]
    assert "command 7" in (tmp_path / "A" / LOG).read_text()
    assert "command 3" in (tmp_path / "A" / f"{LOG}.4").read_text()


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    Album.create(tmp_path / "A").close()
    (tmp_path / "A" / "runs").write_text("a file where a folder should be")
    with logged(tmp_path / "A", "x") as shown:
        shown.say("still here")
