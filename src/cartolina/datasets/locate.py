"""Where a picture named by somebody's file lies, or why it is not taken."""

from __future__ import annotations

import os
from pathlib import Path

from cartolina.errors import InputError

__all__ = ["NotTaken", "locate"]


class NotTaken(InputError):
    """A picture that is not taken; `reason` is a `Skipped` reason, the message its detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def locate(name: str, folder: Path) -> Path:
    """Return the file that `name` means, relative to `folder` unless absolute.

    A relative name must stay inside: `../` would let a downloaded table read anything under an innocent
    name, while an absolute path says plainly what it wants. Links the user put there are followed.
    Raises `NotTaken` when it leaves the folder, is a web address, or no such file is there.
    """
    if "://" in name:
        raise NotTaken("image is a web address", f"{name[:200]}: download it and name the file")
    relative = os.path.normpath(name)
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        raise NotTaken(
            "image outside the dataset", f"{name[:200]} leaves {folder}: write its absolute path instead"
        )
    path = folder / relative
    try:
        found = path.is_file()
    except OSError:  # a name longer than the file system allows
        found = False
    if not found:
        raise NotTaken("no such image", f"{name[:200]} is not in {folder}")
    return path
