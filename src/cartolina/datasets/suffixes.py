"""What a file's name says it is: a picture, a camera's RAW, a film.

>>> kind_of("IMG_1.CR2"), kind_of("IMG_1.jpg"), kind_of("MVI_2.MOV"), kind_of("notes.md")
('raw', 'picture', 'video', None)
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

__all__ = ["IMAGE_SUFFIXES", "RAW_SUFFIXES", "SIDECARS", "VIDEO_SUFFIXES", "kind_of"]

_PICTURES = (
    ".jpg .jpeg .jpe .jfif .png .apng .gif .webp .bmp .tif .tiff .mpo .heic .heif .hif .avif .jp2 "
    ".ppm .pgm .pnm"
)
_RAWS = (
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .iiq .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw .rw2 "
    ".rwl .sr2 .srf .srw .x3f"
)
_VIDEOS = (
    ".3g2 .3gp .asf .avi .divx .dv .flv .insv .lrv .m2t .m2ts .m2v .m4v .mkv .mov .mp .mp4 .mpe .mpeg .mpg "
    ".mts .mxf .ogm .ogv .rm .rmvb .tod .vob .webm .wmv"
)

RAW_SUFFIXES = frozenset(_RAWS.split())
"""What cameras write instead of a picture, in small letters; read with the package `rawpy`."""

IMAGE_SUFFIXES = frozenset(_PICTURES.split()) | RAW_SUFFIXES
"""All that is read as a photo, in small letters."""

VIDEO_SUFFIXES = frozenset(_VIDEOS.split())
"""Films, in small letters: counted and left out. (`.mp` is the moving half of a Pixel's motion photo.)"""

SIDECARS = (".txt", ".json", ".xmp")
"""What lies beside photos and speaks of them, in the order its captions are listed."""


def kind_of(name: str | PurePath) -> Literal["picture", "raw", "video"] | None:
    """What a file of this name is taken for; None is nothing of ours."""
    suffix = PurePath(name).suffix.lower()
    if suffix in RAW_SUFFIXES:
        return "raw"
    if suffix in IMAGE_SUFFIXES:
        return "picture"
    return "video" if suffix in VIDEO_SUFFIXES else None
