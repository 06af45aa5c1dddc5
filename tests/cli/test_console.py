"""Progress as lines, by a clock of our own, and as bars on a terminal of our own."""

import io
from contextlib import suppress

import pytest

from cartolina.cli.console import Bars, Lines, duration, progress
from cartolina.progress import SILENT


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_line_every_ten_seconds_and_one_at_the_end(clock):
    said = io.StringIO()
    with Lines(said, clock=clock).task("features", 1000, "images") as step:
        for _ in range(25):
            clock.now += 1
            step.advance(20)
        step.note("loss 0.5")
    assert said.getvalue().splitlines() == [
        "features: 200/1,000 images, 20 images/s, 40 s left",
        "features: 400/1,000 images, 20 images/s, 30 s left",
        "features: 500 images in 25 s (loss 0.5)",
    ]


def test_without_a_total_nothing_is_foretold(clock):
    said = io.StringIO()
    with Lines(said, clock=clock, every=1).task("steps", None, "steps") as step:
        clock.now += 2
        step.advance(3)
    assert said.getvalue().splitlines()[0] == "steps: 3 steps, 1.5 steps/s"


def test_what_is_over_at_once_leaves_no_line(clock):
    said = io.StringIO()
    with Lines(said, clock=clock).task("reading", 3, "files") as step:
        step.advance(3)
    assert said.getvalue() == ""


def test_a_task_that_fails_is_not_said_to_be_done(clock):
    said = io.StringIO()
    with suppress(ValueError), Lines(said, clock=clock).task("reading", 3, "files"):
        clock.now += 60
        raise ValueError
    assert said.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (84, "1 min 24 s"), (4000, "1 h 6 min")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bars_on_a_terminal(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    bars = progress(quiet=False)
    assert isinstance(bars, Bars)
    with bars.task("outer [task]", 10, "images") as step:
        step.advance(10)
        with bars.task("inner", None, "steps") as inner:
            inner.note("loss 0.5")
        bars.say("a [bracket] in a line")
    shown = screen.getvalue()
    for words in ("outer [task]", "10/10", "inner", "loss 0.5", "a [bracket] in a line"):
        assert words in shown
    with bars.task("again", 1, "steps"):
        pass
    assert "again" in screen.getvalue()


def test_elsewhere_lines_and_when_quiet_nothing(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(progress(quiet=False), Lines)
    assert progress(quiet=True) is SILENT
