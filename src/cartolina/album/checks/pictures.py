"""Are the pictures where the catalogue says? Only the album's own can be damage; photos come and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cartolina.album.checks.findings import Checked, Finding
from cartolina.vision.decode import UnreadableImage, content_hash

__all__ = ["look"]

FILES = (
    "SELECT image, offline FROM posts UNION ALL SELECT c.image, offline FROM copies c JOIN posts USING (key)"
)


def look(album: Checked) -> Iterator[Finding]:
    """Every picture the catalogue names is looked for; with `deep` the album's own are read."""
    own = album.path / "pictures"
    missing, elsewhere, changed, gone = [], [], [], []
    files = album.catalogue.rows(FILES)
    with album.progress.task("pictures", len(files), "files") as step:
        for value, offline in files:
            image = album.catalogue.image_from(value)
            step.advance()
            if image.exists():
                if album.deep and image.parent == own and not _is_whole(image):
                    changed.append(image)
            elif image.parent == own:
                missing.append(image)
            elif image.parent.name == "pictures" and (own / image.name).exists():
                elsewhere.append(image)
            elif offline is None:
                gone.append(image)
    restore = "restore them from a backup, or add the archive they came in again"
    if elsewhere:
        yield Finding(
            "picture-elsewhere", str(elsewhere[0]),
            f"{len(elsewhere):,} of the album's own pictures are named by where the album was once",
            len(elsewhere), lambda: _renamed(album, elsewhere),
        )  # fmt: skip
    for picture in sorted(set(missing)):
        yield Finding("picture-missing", f"pictures/{picture.name}", f"it is not there: {restore}")
    for picture in sorted(set(changed)):
        yield Finding("picture-changed", f"pictures/{picture.name}", f"its bytes are others: {restore}")
    if gone:
        detail = f"{len(gone):,} photos are not there, {gone[0]} for one: `cartolina sync` takes them offline"
        yield Finding("photo-gone", str(gone[0].parent), detail, len(gone))


def _is_whole(picture: Path) -> bool:
    try:
        return content_hash(picture) == picture.name
    except UnreadableImage:
        return False


def _renamed(album: Checked, images: list[Path]) -> str:
    catalogue = album.catalogue
    with catalogue.transaction():
        for image in set(images):
            name = f"pictures/{image.name}"
            for table in ("posts", "copies", "former_posts", "former_copies"):
                catalogue.change(
                    f"UPDATE {table} SET image = ?, within = ? WHERE image = ?",  # noqa: S608 - our own names
                    name, name, str(image),
                )  # fmt: skip
    return "named by the album from now on"
