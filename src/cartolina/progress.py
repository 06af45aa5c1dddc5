"""What long work tells of its progress, without knowing who listens.

Library code takes a `Progress` and defaults to `SILENT`; the CLI passes one that draws bars with rates.

>>> with SILENT.task("features", total=3, unit="images") as step:
...     step.advance(3)
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["SILENT", "Progress", "Step"]


class Step(Protocol):
    """One running task."""

    def advance(self, n: int = 1) -> None:
        """`n` more units are done."""

    def note(self, message: str) -> None:
        """Replace the short text shown beside the bar (a loss, a file's name)."""


class Progress(Protocol):
    """Somebody who shows tasks."""

    def task(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Step]:
        """Begin a task of `total` units (None: unknown); it ends with the `with` block."""

    def say(self, message: str) -> None:
        """Say one line that stays (what was recognised, chosen, skipped)."""


class _Silent:
    def advance(self, n: int = 1) -> None:
        pass

    def note(self, message: str) -> None:
        pass

    def say(self, message: str) -> None:
        pass

    def task(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Step]:
        return nullcontext(self)


SILENT: Progress = _Silent()
