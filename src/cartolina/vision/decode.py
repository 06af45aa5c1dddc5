"""Bytes → upright RGB pixels, whatever a photo library throws at us.

>>> open_rgb(Path("IMG_0042.JPG"), at_least=224).mode  # doctest: +SKIP
'RGB'

Orientation from EXIF is applied; CMYK, 16-bit, palettes and transparency (over white) become 8-bit RGB; of an
animation the first frame is taken, of a RAW the preview embedded in it. A file that cannot be decoded raises
`UnreadableImage`, whatever Pillow made of it.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cartolina.datasets.formats import formats, is_avif, is_heic, silence_pillow
from cartolina.datasets.png import without_texts
from cartolina.datasets.raw import NoPreview, is_raw, read_preview
from cartolina.errors import CartolinaError

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "UnreadableImage",
    "content_hash",
    "dimensions",
    "open_rgb",
    "read_bytes",
]

MAX_PIXELS = 178_956_970
"""Above this many pixels a file is taken for a decompression bomb (where Pillow too draws the line)."""

MAX_BYTES = 1 << 29
"""A larger file is not read: so many pixels with 8 bits fit in uncompressed, and a RAW is half of it."""

# DCT scaling may go this close to the size that is asked for: half as large again costs no sharpness.
_DRAFT_GAP = 1.5


class UnreadableImage(CartolinaError):
    """A photo that cannot be decoded.

    `reason` is one of a few stable phrases, to be counted by: "no such image", "empty file", "file too
    large", "not an image", "truncated image", "image too large", "unreadable image", "RAW without a preview",
    "needs cartolina[raw]", "needs cartolina[heif]"; `detail` is what the decoder said.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def read_bytes(image: Path | bytes) -> bytes:
    """The encoded file's bytes; raises `UnreadableImage` for one that is missing, empty or not to be read."""
    size = len(image) if isinstance(image, bytes) else 0
    if isinstance(image, Path):
        try:
            with image.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                image = file.read() if size <= MAX_BYTES else b""
        except FileNotFoundError as error:
            raise UnreadableImage("no such image", str(error.filename)) from error
        except OSError as error:
            raise UnreadableImage("unreadable image", str(error)) from error
    if size > MAX_BYTES:
        raise UnreadableImage("file too large", f"{size >> 20:,} MB, more than {MAX_BYTES >> 20:,}")
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
    silence_pillow()
    data = read_bytes(image)
    if not is_raw(io.BytesIO(data)):
        try:
            return _decoded(data, at_least, formats())
        except UnreadableImage:
            bare = without_texts(data)  # a PNG's words must not cost its pixels
            if bare == data:
                raise
            return _decoded(bare, at_least, formats())
    try:
        preview = read_preview(data)
    except NoPreview as error:
        raise UnreadableImage(error.reason, str(error)) from error
    except Exception as error:
        raise UnreadableImage("unreadable image", f"{type(error).__name__}: {error}") from error
    if isinstance(preview.picture, bytes):
        return _decoded(preview.picture, at_least, ("JPEG", "MPO"), preview.orientation)
    from PIL import Image

    return _upright(Image.fromarray(preview.picture).convert("RGB"), preview.orientation)


def _decoded(
    data: bytes, at_least: int | None, known: tuple[str, ...], orientation: int | None = None
) -> Image.Image:
    """A picture in one of the `known` formats, turned as its EXIF says, or by `orientation`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=known) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise UnreadableImage("image too large", f"{opened.width} × {opened.height} pixels")
            if at_least is not None:
                side = int(at_least * _DRAFT_GAP)
                opened.draft("RGB", (side, side))
            opened.load()
            return _upright(_as_rgb(opened), orientation or _orientation(opened))
    except UnreadableImage:
        raise
    except UnidentifiedImageError as error:
        if is_heic(data[:12]) and "HEIF" not in known:
            what = "a HEIC photo: pip install 'cartolina[heif]' lets us read it"
            raise UnreadableImage("needs cartolina[heif]", what) from error
        if is_heic(data[:12]) or is_avif(data[:12]):
            raise UnreadableImage(
                "unreadable image", "begins as HEIC or AVIF, is damaged or cut off"
            ) from error
        raise UnreadableImage("not an image", f"the file begins with {data[:8]!r}") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage("image too large", str(error)) from error
    except Exception as error:
        reason = "truncated image" if _is_truncation(error) else "unreadable image"
        raise UnreadableImage(reason, f"{type(error).__name__}: {error}") from error


def dimensions(image: Path | bytes) -> tuple[int, int]:
    """Width and height of the upright photo (of a RAW: its preview) in pixels; raises `UnreadableImage`."""
    from PIL import Image

    silence_pillow()
    data = read_bytes(image)
    if is_raw(io.BytesIO(data)):
        return open_rgb(data).size
    try:
        with Image.open(io.BytesIO(data), formats=formats()) as opened:
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
