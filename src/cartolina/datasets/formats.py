"""Which decoders may see a stranger's bytes: those of photos, HEIC's where its package is installed.

EPS would start Ghostscript, and most of what Pillow knows is never a photo: nothing else is tried, be it for
pixels or for metadata.
"""

from __future__ import annotations

import logging
import re
import warnings
from functools import cache

__all__ = ["formats", "is_avif", "is_heic", "silence_pillow"]

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "ICO")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")


@cache
def formats() -> tuple[str, ...]:
    """Names for the `formats` of `PIL.Image.open`; "HEIF" is among them where pillow-heif is installed."""
    from PIL import Image

    known = list(_FORMATS)
    try:
        import pillow_heif
    except ImportError:
        pass
    else:
        pillow_heif.register_heif_opener()
        known.append("HEIF")
    Image.init()
    return tuple(name for name in known if name in Image.OPEN)


def is_heic(head: bytes) -> bool:
    """Tell a HEIC photo by its first 12 bytes."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def is_avif(head: bytes) -> bool:
    """Tell an AVIF picture likewise."""
    return head[4:8] == b"ftyp" and head[8:12] in _AVIF_BRANDS


_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


def silence_pillow() -> None:
    """Let Pillow say nothing of odd files in this process: what was lost of them is told elsewhere."""
    # `warnings.catch_warnings` is not safe in threads, and decoding happens in many: one filter that stays.
    if _PILLOW not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")
        logging.getLogger("PIL").setLevel(logging.CRITICAL)  # TIFF's decoder says some on stderr
