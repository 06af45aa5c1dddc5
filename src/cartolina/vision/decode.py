"""Bytes → upright RGB pixels, whatever a photo library throws at us.

>>> open_rgb(Path("IMG_0042.JPG"), at_least=224).mode  # doctest: +SKIP
'RGB'

Orientation from EXIF is applied; CMYK, 16-bit, palettes and transparency (over white) become 8-bit RGB; of an
animation the first frame is taken. A file that cannot be decoded raises `UnreadableImage`, whatever Pillow
made of it.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartolina.errors import CartolinaError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["MAX_PIXELS", "UnreadableImage", "content_hash", "dimensions", "open_rgb", "read_bytes"]

MAX_PIXELS = 178_956_970
"""Above this many pixels a file is taken for a decompression bomb (where Pillow too draws the line)."""

# Only these decoders see a stranger's bytes: EPS would start Ghostscript, others are never photos.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "ICO")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
# DCT scaling may go this close to the size that is asked for: half as large again costs no sharpness.
_DRAFT_GAP = 1.5


class UnreadableImage(CartolinaError):
    """A photo that cannot be decoded.

    `reason` is one of a few stable phrases, to be counted by: "no such image", "empty file", "not an image",
    "truncated image", "image too large", "unreadable image"; `detail` is what the decoder said.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def read_bytes(image: Path | bytes) -> bytes:
    """The encoded file's bytes; raises `UnreadableImage` for a file that is missing, unreadable or empty."""
    if isinstance(image, Path):
        try:
            image = image.read_bytes()
        except FileNotFoundError as error:
            raise UnreadableImage("no such image", str(error.filename)) from error
        except OSError as error:
            raise UnreadableImage("unreadable image", str(error)) from error
    if not image:
        raise UnreadableImage("empty file")
    return image


def content_hash(image: Path | bytes) -> str:
    """What names a photo's content: BLAKE2b-128 of the file's bytes, 32 hexadecimal digits."""
    return hashlib.blake2b(read_bytes(image), digest_size=16).hexdigest()


def open_rgb(image: Path | bytes, at_least: int | None = None) -> Image.Image:
    """The photo as an upright 8-bit RGB `PIL.Image`, fully decoded.

    `at_least` is the side in pixels that it will be resized to: a large JPEG is then decoded at a half, a
    quarter or an eighth of its size, never below 1.5 × `at_least`: half the time, little of the memory.
    Raises `UnreadableImage`. Pillow's own warnings about odd files are silenced in this process.
    """
    from PIL import Image, UnidentifiedImageError

    _silence_pillow()
    data = read_bytes(image)
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise UnreadableImage("image too large", f"{opened.width} × {opened.height} pixels")
            if at_least is not None:
                side = int(at_least * _DRAFT_GAP)
                opened.draft("RGB", (side, side))
            opened.load()
            return _upright(_as_rgb(opened), _orientation(opened))
    except UnreadableImage:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImage("not an image", _what_it_may_be(data)) from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage("image too large", str(error)) from error
    except Exception as error:
        reason = "truncated image" if _is_truncation(error) else "unreadable image"
        raise UnreadableImage(reason, f"{type(error).__name__}: {error}") from error


def dimensions(image: Path | bytes) -> tuple[int, int]:
    """Width and height of the upright photo in pixels, by its header alone; raises `UnreadableImage`."""
    from PIL import Image

    _silence_pillow()
    data = read_bytes(image)
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as opened:
            width, height = opened.size
            return (height, width) if _orientation(opened) > 4 else (width, height)
    except Exception as error:
        raise UnreadableImage("not an image", f"{type(error).__name__}: {error}") from error


def _as_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        drawn = image.convert("RGBA")
        paper = Image.new("RGBA", drawn.size, "white")
        return Image.alpha_composite(paper, drawn).convert("RGB")
    return image.convert("RGB")


def _eight_bits(grey: np.ndarray) -> np.ndarray:
    """(H, W) of 16 or 32-bit integers or floats -> (H, W) uint8, by the range the values are evidently in."""
    values = np.nan_to_num(grey.astype(np.float32), posinf=0.0, neginf=0.0)
    top = float(values.max())
    if grey.dtype.kind == "f":
        white = 1.0 if top <= 1 else 255.0 if top <= 255 else top
    else:  # integers wider than a byte: 16 bits are meant, whatever the container
        white = 65535.0 if grey.dtype.itemsize == 2 or top <= 65535 else top
    scaled: np.ndarray = np.clip(values * (255 / white) + 0.5, 0, 255).astype(np.uint8)
    return scaled


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or the EXIF block is damaged."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001  (damaged metadata says nothing against the pixels)
        return 1
    return value if isinstance(value, int) else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    from PIL import Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _is_truncation(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, EOFError) or any(w in said for w in ("truncated", "not enough data", "eof"))


def _what_it_may_be(data: bytes) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS and "HEIF" not in _formats():
        return "a HEIC photo: pip install 'cartolina[heif]' lets us read it"
    return f"the file begins with {data[:8]!r}"


@cache
def _formats() -> tuple[str, ...]:
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


_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


def _silence_pillow() -> None:
    # `warnings.catch_warnings` is not safe in threads, and decoding happens in many: one filter that stays.
    if _PILLOW not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")
