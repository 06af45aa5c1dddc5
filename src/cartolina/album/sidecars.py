"""What was said by hand goes back to the photos: as XMP sidecars beside them. Originals are never written.

A sidecar that is there, `photo.jpg.xmp` or `photo.xmp`, gets the words merged in; else `photo.jpg.xmp` is
made, the name darktable and digiKam use. Each file is replaced whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cartolina.album.edits import Edits
from cartolina.datasets.xmp import parse_xmp
from cartolina.datasets.xmp_writer import Words, merged
from cartolina.durable import write_bytes
from cartolina.errors import InputError
from cartolina.post import Post
from cartolina.progress import SILENT, Progress

__all__ = ["SidecarReport", "write_sidecars"]


@dataclass(slots=True)
class SidecarReport:
    """What became of the sidecars: `written` and `skipped` (path, reason) files, and how many had it all."""

    written: list[Path] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        """How often each reason to skip."""
        return Counter(reason.partition(":")[0] for _, reason in self.skipped)


def write_sidecars(
    posts: Iterable[tuple[Post, Edits]],
    *,
    copies_in: Path,
    into: Path | None = None,
    dry_run: bool = False,
    total: int | None = None,
    progress: Progress = SILENT,
) -> SidecarReport:
    """Write what was said by hand of each post beside its picture, or below `into` where that is given.

    Below `into`, a sidecar lies under the whole path of its picture, so that no two meet. Pictures in
    `copies_in` are the album's own (they came in an archive): there is nothing to write beside, they need
    `into`. A sidecar that cannot be read is left alone and told of. `dry_run` reports the same and writes
    nothing.
    """
    report = SidecarReport()
    with progress.task("sidecars", total, "posts") as step:
        for post, edits in posts:
            picture = post.image
            assert isinstance(picture, Path), "an album's posts have files"
            try:
                target = _target(picture, copies_in, into)
                _write(target, edits, report, dry_run)
            except InputError as error:
                report.skipped.append((picture, str(error)))
            except OSError as error:
                report.skipped.append((picture, f"cannot be written: {error.strerror or error}"))
            step.advance()
    return report


def _target(picture: Path, copies_in: Path, into: Path | None) -> Path:
    if into is not None:
        return into / picture.relative_to(picture.anchor).with_name(f"{picture.name}.xmp")
    if picture.parent == copies_in:
        raise InputError("came in an archive: say where sidecars go with --into")
    if not picture.exists():
        raise InputError("the picture is not there: run `cartolina sync`")
    for name in (f"{picture.name}.xmp", f"{picture.stem}.xmp"):
        for there in (picture.with_name(name), picture.with_name(name[:-4] + ".XMP")):
            if there.exists():
                return there
    return picture.with_name(f"{picture.name}.xmp")


def _write(target: Path, edits: Edits, report: SidecarReport, dry_run: bool) -> None:
    existing = target.read_bytes() if target.exists() else None
    words = Words(edits.tags, edits.not_tags, edits.captions, edits.place)
    if existing is None and words == Words(not_tags=edits.not_tags):
        report.unchanged += 1  # only what was taken off: there is nothing it could be taken off from
        return
    try:
        new = merged(existing, words)
    except InputError as error:
        raise InputError(f"its sidecar cannot be read, it was left alone: {target.name}: {error}") from error
    if new == existing:
        report.unchanged += 1
        return
    said = parse_xmp(new)
    assert {*edits.tags} <= {*said.tags} or existing, "what was written can be read back"
    if not dry_run:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, new)
    report.written.append(target)
