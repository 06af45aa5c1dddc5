"""Where a picture named by somebody's file lies, or why it is not taken; and the small texts beside it."""

from __future__ import annotations

import os
from pathlib import Path

from cartolina.datasets.encoding import decode
from cartolina.errors import InputError

__all__ = ["NotTaken", "locate", "read_text"]

_LARGEST_TEXT = 8 << 20  # bytes; as of a sidecar


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


def read_text(path: Path, root: Path, largest: int = _LARGEST_TEXT) -> str | None:
    """Return the text of a dataset's small file, None where there is none.

    Raises `NotTaken` ("bad sidecar") when it is larger than `largest` bytes, cannot be read, is no regular
    file (a pipe may be waited for for ever), or is a link that leaves `root`: pictures may be linked from
    anywhere, but the text of a private file would become a caption.
    """
    try:
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            raise NotTaken("bad sidecar", f"{path.name} is a link that leaves {root}")
        if not path.is_file():
            if os.path.lexists(path):
                raise NotTaken("bad sidecar", f"{path.name} is no file")
            return None
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > largest:
                raise NotTaken("bad sidecar", f"{path.name} is larger than {largest >> 20} MB")
            return decode(file.read(size))
    except OSError as error:
        raise NotTaken("bad sidecar", f"{path.name}: {error.strerror or error}") from error
