"""How long work shows its progress, on stderr: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from cartolina.progress import SILENT, Progress, Step

if TYPE_CHECKING:
    import rich.progress

__all__ = ["Bars", "Lines", "duration", "logged", "progress"]


def progress(*, quiet: bool) -> Progress:
    """What suits this process: nothing when `quiet`, bars on a terminal, else lines for a log."""
    if quiet:
        return SILENT
    return Bars() if sys.stderr.isatty() else Lines()


@contextmanager
def logged(album: Path, *, quiet: bool = False) -> Iterator[Progress]:
    """What suits this process, written into the album's log as well."""
    from cartolina.album.runlog import logged as written

    with written(album, shlex.join(["cartolina", *sys.argv[1:]]), progress(quiet=quiet)) as shown:
        yield shown


class Bars:
    """Rich's bars with how many, how fast and how long still; they stay when they are full."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._bars: rich.progress.Progress | None = None

    def say(self, message: str) -> None:
        """Print a line above the bars."""
        self._console.print(message, markup=False)

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Step]:
        """Show a bar until the block ends; tasks inside each other share the screen."""
        outermost = self._bars is None
        if self._bars is None:
            self._bars = self._new_bars()
            self._bars.start()
        bars = self._bars
        number = bars.add_task(label, total=total, unit=unit, note="")
        try:
            yield _Bar(bars, number)
        finally:
            bars.stop_task(number)
            if outermost:
                bars.stop()
                self._bars = None

    def _new_bars(self) -> rich.progress.Progress:
        from rich import progress as rp
        from rich.text import Text

        class Rate(rp.ProgressColumn):
            def render(self, task: rp.Task) -> Text:
                return Text(_rate(task.finished_speed or task.speed, task.fields["unit"]), style="cyan")

        return rp.Progress(
            rp.TextColumn("{task.description}", markup=False),
            rp.BarColumn(bar_width=30),
            rp.MofNCompleteColumn(),
            Rate(),
            rp.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            rp.TextColumn("{task.fields[note]}", markup=False, style="dim"),
            console=self._console,
            speed_estimate_period=60,
        )


@dataclass(frozen=True)
class _Bar:
    bars: rich.progress.Progress
    number: rich.progress.TaskID

    def advance(self, n: int = 1) -> None:
        self.bars.advance(self.number, n)

    def note(self, message: str) -> None:
        self.bars.update(self.number, note=message)


class Lines:
    """A line every `every` seconds, for logs and pipes; a task shorter than `worth` leaves none."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        every: float = 10.0,
        worth: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._every, self._worth, self._clock = every, worth, clock

    def say(self, message: str) -> None:
        """Print a line."""
        self._stream.write(f"{message}\n")
        self._stream.flush()

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Step]:
        """Report on a task until the block ends."""
        line = _Line(self, label, total, unit, self._clock, self._every)
        yield line
        spent = line.elapsed()
        if spent >= self._worth:
            self.say(f"{label}: {line.done:,} {unit} in {duration(spent)}{line.remark}")


class _Line:
    def __init__(
        self, lines: Lines, label: str, total: int | None, unit: str, clock: Callable[[], float], every: float
    ) -> None:
        self._lines, self._label, self._total, self._unit = lines, label, total, unit
        self._clock, self._every = clock, every
        self._start = self._told = clock()
        self.done = 0
        self.remark = ""

    def elapsed(self) -> float:
        return self._clock() - self._start

    def advance(self, n: int = 1) -> None:
        self.done += n
        if self._clock() - self._told >= self._every:
            self._told = self._clock()
            self._lines.say(self._state())

    def note(self, message: str) -> None:
        self.remark = f" ({message})" if message else ""

    def _state(self) -> str:
        of = f"/{self._total:,}" if self._total is not None else ""
        speed = self.done / max(self.elapsed(), 1e-9)
        state = f"{self._label}: {self.done:,}{of} {self._unit}"
        if self.done:
            state += f", {_rate(speed, self._unit)}"
            if self._total is not None:
                state += f", {duration(max(self._total - self.done, 0) / speed)} left"
        return state + self.remark


def _rate(speed: float | None, unit: str) -> str:
    if not speed:
        return ""
    if speed < 0.1:
        return f"{duration(1 / speed)} for one of {unit}"
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s"


def duration(seconds: float) -> str:
    """42 → "42 s", 84 → "1 min 24 s", 4000 → "1 h 6 min".

    >>> duration(84.4)
    '1 min 24 s'
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
