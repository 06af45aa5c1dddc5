"""Do the spaces open, and are their files what they were when they were learnt?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cartolina.album.checks.findings import Checked, Finding
from cartolina.album.install import check_space, fingerprint
from cartolina.album.space import Space
from cartolina.errors import AlbumError

__all__ = ["look", "problem"]


def look(album: Checked) -> Iterator[Finding]:
    """Every space of the catalogue: its files are read, words and a picture's features put through it."""
    catalogue = album.catalogue
    known = catalogue.rows("SELECT space, fingerprint FROM spaces ORDER BY space")
    active = catalogue.active_space()
    with album.progress.task("spaces", len(known), "spaces") as step:
        for number, name in known:
            if (wrong := problem(album.path / "spaces" / name)) is not None:
                is_active = active is not None and active[0] == number
                detail = f"{'the space that is searched' if is_active else 'a former space'}: {wrong}"
                album.broken.add(name)
                yield Finding(
                    "space", f"spaces/{name}", detail, mend=_Replacement(album, number, name, is_active)
                )
            step.advance()
    settled = catalogue.rows("SELECT value FROM settings WHERE name = 'active_space'")
    if settled and active is None:
        yield Finding(
            "space", f"spaces/{settled[0][0]}", "the space that is searched is not in the catalogue",
            mend=_Replacement(album, None, settled[0][0], True),
        )  # fmt: skip


def problem(folder: Path) -> str | None:
    """What is wrong with the space at `folder`, or None."""
    try:
        space = Space.open(folder)
        if (now := fingerprint(folder)) != folder.name:
            return f"its files have changed since it was learnt (their fingerprint is {now})"
        check_space(space)
    except (AlbumError, OSError) as error:
        return str(error)
    return None


class _Replacement:
    """Sets a space that does not work aside, and searches in the newest one that does."""

    def __init__(self, album: Checked, number: int | None, name: str, is_active: bool) -> None:
        self.album, self.number, self.name, self.is_active = album, number, name, is_active

    def __call__(self) -> str:
        """Do it; what was done."""
        catalogue, said = self.album.catalogue, "set aside"
        if self.is_active:
            other = self._other()
            if other is not None:
                self.album.writer(*other).embed(self.album.progress)
            with catalogue.transaction():
                catalogue.set_active_space(other[1] if other else None)
            now = f"the album searches in {other[1]} now" if other else "there is no other: learn again"
            said += f"; {now}, or restore it from a backup"
        with catalogue.transaction():
            catalogue.change("DELETE FROM spaces WHERE space = ?", self.number)
        folder = self.album.path / "spaces" / self.name
        if folder.exists():
            self.album.set_aside(folder)
        return said

    def _other(self) -> tuple[int, str] | None:
        known = self.album.catalogue.rows(
            "SELECT space, fingerprint FROM spaces WHERE fingerprint != ? ORDER BY space DESC", self.name
        )
        working = (
            (number, name) for number, name in known if problem(self.album.path / "spaces" / name) is None
        )
        return next(working, None)
