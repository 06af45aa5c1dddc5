"""Lines of a second file that go with the posts of a first, both read forward, neither held.

    yfcc100m_dataset    6985418911 …        yfcc100m_places    6985418911<TAB>24703176:Admiralty:Suburb
                        4903566511 …                           4903566511<TAB>

Both have the same order. Lines may be missing in either: some are read ahead and remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from cartolina.datasets.dataset import Skipped
from cartolina.datasets.longfiles import each_line

__all__ = ["Alongside"]

_AHEAD = 65_536  # lines; some 20 MB
_LOST = 1_000  # posts in a row without a line of theirs, with so many lines ahead: the order is another


class Alongside:
    """What files of `id<TAB>value` lines say of each of the posts, asked in their order."""

    def __init__(self, files: Sequence[Path], ahead: int = _AHEAD) -> None:
        self._name = files[0].name if files else ""
        self._lines = each_line(files)
        self._most = ahead
        self._ahead: OrderedDict[str, str] = OrderedDict()
        self._missed = 0
        self._is_done = not files
        self._problems: list[Skipped] = []

    def find(self, post_id: str) -> str:
        """The value of a post, "" where there is none."""
        if post_id not in self._ahead and not self._read_to(post_id):
            self._miss()
            return ""
        self._missed = 0
        while True:  # what was passed over belongs to posts that are not asked for
            passed, value = self._ahead.popitem(last=False)
            if passed == post_id:
                return value

    def problems(self) -> list[Skipped]:
        """What could not be read since the last call."""
        found, self._problems = self._problems, []
        return found

    def _read_to(self, post_id: str) -> bool:
        while not self._is_done and len(self._ahead) < self._most:
            line = next(self._lines, None)
            if line is None:
                self._is_done = True
            elif isinstance(line, Skipped):
                self._problems.append(line)
            else:
                found, tab, value = line[1].partition("\t")
                if tab:
                    self._ahead[found] = value
                    if found == post_id:
                        return True
        return False

    def _miss(self) -> None:
        self._missed += 1
        if self._missed == _LOST and len(self._ahead) >= self._most:
            self._is_done = True
            self._ahead.clear()
            detail = "its lines are not in the order of the dataset's: from here on it is not read"
            self._problems.append(Skipped(self._name, "bad metadata", detail))
