"""Bringing a space into an album: copied, named by its content, made durable, then shown to work."""

from __future__ import annotations

import os
import shutil
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np

from cartolina.album.space import Space
from cartolina.durable import fsync_file, fsync_folder
from cartolina.errors import AlbumError

__all__ = ["check_space", "fingerprint", "install_space"]


def install_space(folder: Path, album: Path) -> Space:
    """Copy the space at `folder` to `spaces/<fingerprint>` of the album, whole or not at all.

    The same space installed again is found there and left as it is. Raises `AlbumError` for a folder that
    is no working space: nothing is installed then.
    """
    check_space(Space.open(folder))
    target = album / "spaces" / fingerprint(folder)
    if not target.exists():
        staging = album / "tmp"
        for left in staging.glob("space-*"):  # by a killed writer
            shutil.rmtree(left)
        staging.mkdir(exist_ok=True)
        staged = staging / f"space-{uuid4().hex}"
        shutil.copytree(folder, staged)
        for parent, _, names in os.walk(staged):
            for name in names:
                fsync_file(Path(parent) / name)
            fsync_folder(Path(parent))
        target.parent.mkdir(exist_ok=True)
        staged.rename(target)
        fsync_folder(target.parent)
    return Space.open(target)


def fingerprint(folder: Path) -> str:
    """32 hexadecimal digits of every file's name and bytes; a space's vectors are not part of it."""
    summary = blake2b(digest_size=16)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    for path in files:
        if path.parts[0] not in ("vectors", "index"):
            with (folder / path).open("rb") as file:
                content = blake2b(digest_size=32)
                while block := file.read(1 << 20):
                    content.update(block)
            summary.update(path.as_posix().encode() + b"\0" + content.digest())
    return summary.hexdigest()


def check_space(space: Space) -> None:
    """Both sides give finite vectors of the length the space says; raises `AlbumError` if not."""
    try:
        shapes = [backbone.shape for backbone in space.backbones]
        features = [np.ones((1, *shape), np.float32) for shape in shapes]
        sides = {
            "the text side": space.encode_texts(["a dog on the beach"]),
            "the image side": space.encode_features(features),
        }
    except Exception as error:  # whatever a damaged model makes its runtime say
        raise AlbumError(f"the space at {space.folder} does not work: {_first_line(error)}") from error
    for side, vectors in sides.items():
        if vectors.shape != (1, space.dim) or not np.isfinite(vectors).all():
            raise AlbumError(
                f"the space at {space.folder} does not work: {side} gave {vectors.shape}, "
                f"finite: {bool(np.isfinite(vectors).all())}; expected finite (1, {space.dim})"
            )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
