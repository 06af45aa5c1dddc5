"""What is embedded in one photo: EXIF, IPTC and XMP, read with Pillow and defusedxml, flattened.

>>> read_metadata(Path("beach.jpg")).place   # doctest: +SKIP
Place(lat=41.38, lon=2.17)
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cartolina.datasets.exif import describe_exif
from cartolina.datasets.fields import PhotoMetadata, merge
from cartolina.datasets.iptc import parse_iptc
from cartolina.datasets.xmp import parse_xmp

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PhotoMetadata", "read_metadata"]

_PHOTOSHOP_IPTC, _TIFF_IPTC = 0x0404, 33723


def read_metadata(image: Path | bytes) -> PhotoMetadata:
    """Read a photo's embedded captions, tags, place, date and orientation, without decoding its pixels.

    XMP's words come before IPTC's (programs that write both keep XMP newer), EXIF's place before XMP's.
    A part that cannot be read is dropped and told in `problems` as "bad metadata"; a file that is no
    picture has no metadata. Raises `OSError` only when the file cannot be opened.
    """
    from PIL import Image

    with io.BytesIO(image) if isinstance(image, bytes) else image.open("rb") as file:
        if not isinstance(image, bytes) and image.suffix.lower() in (".heic", ".heif"):
            _register_heif()
        with warnings.catch_warnings():  # Pillow warns of damaged tags; `problems` tells what was lost
            warnings.simplefilter("ignore")
            try:
                opened = Image.open(file)
            except Exception:  # noqa: BLE001  # on hostile bytes Pillow raises nearly anything
                return PhotoMetadata()
            # The base class's getexif: PNG's own would decode the pixels to look behind them.
            return merge(
                (
                    _guard("EXIF", lambda: describe_exif(Image.Image.getexif(opened))),
                    _guard("XMP", lambda: _xmp(opened)),
                    _guard("IPTC", lambda: _iptc(opened)),
                )
            )


def _guard(what: str, read: Callable[[], PhotoMetadata]) -> PhotoMetadata:
    try:
        return read()
    except Exception as error:  # noqa: BLE001  # a damaged part must not cost the photo, nor the next part
        return PhotoMetadata(problems=(("bad metadata", f"{what}: {error}"),))


def _xmp(image: Image) -> PhotoMetadata:
    data = image.info.get("xmp")
    return parse_xmp(data) if data else PhotoMetadata()


def _iptc(image: Image) -> PhotoMetadata:
    blocks = image.info.get("photoshop")  # JPEG: Photoshop's resources in APP13
    data = blocks.get(_PHOTOSHOP_IPTC) if isinstance(blocks, dict) else None
    tags = getattr(image, "tag_v2", None)  # TIFF
    if data is None and tags is not None:
        # As it lies in the file, which is how Pillow's own IPTC reader takes it: many programs declare
        # these bytes as 32-bit numbers, of which `tags` would give the first.
        data = tags._tagdata.get(_TIFF_IPTC)
    return parse_iptc(data) if isinstance(data, bytes) else PhotoMetadata()


def _register_heif() -> None:
    """Let Pillow open HEIF when the package for it is there; without it those photos have no metadata."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()
