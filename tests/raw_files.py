"""A camera's RAW, written byte by byte: a DNG of few pixels that LibRaw opens, with previews embedded in it.

Laid out as Adobe's converter does: the first directory holds a thumbnail in plain RGB, its sub-directories
the sensor's data and the previews.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

BYTE, ASCII, SHORT, LONG, RATIONAL, SRATIONAL = 1, 2, 3, 4, 5, 10
_LETTER = {BYTE: "B", SHORT: "H", LONG: "I", RATIONAL: "II", SRATIONAL: "ii"}


def dng(
    *previews: bytes,
    size=(64, 48),
    thumbnail=(16, 12),
    orientation=1,
    taken="2019:07:04 12:34:56",
    gps=None,
    xmp=b"",
    iptc=b"",
    order="<",
) -> bytes:
    """`previews` are JPEGs; `gps` is (latitude, longitude) in whole degrees; `order` "<" or ">".

    Without a `thumbnail` the first directory is the sensor's, too.
    """
    width, height = size
    sensor = (np.arange(width * height) % 1000).astype(order + "u2").tobytes()
    small = Image.new("RGB", thumbnail, "red").tobytes() if thumbnail else b""

    def first(at):
        shown = _strip(thumbnail, at["small"], small, 8, 1, 2, 3) if thumbnail else sensor_tags(at)
        tags = shown | {
            254: (LONG, [1 if thumbnail else 0]),
            271: (ASCII, b"Acme\0"),
            272: (ASCII, b"Acme One\0"),
            274: (SHORT, [orientation]),
            330: (LONG, [at["sensor tags"], *(at[f"preview tags {i}"] for i in range(len(previews)))]),
            34665: (LONG, [at["exif"]]),
            50706: (BYTE, [1, 4, 0, 0]),
            50708: (ASCII, b"Acme One\0"),
            50721: (SRATIONAL, [(int(i % 4 == 0), 1) for i in range(9)]),
            50728: (RATIONAL, [(1, 1)] * 3),
        }
        if gps:
            tags[34853] = (LONG, [at["gps"]])
        return tags | {tag: (BYTE, data) for tag, data in ((700, xmp), (33723, iptc)) if data}

    def sensor_tags(at):
        return _strip(size, at["sensor"], sensor, 16, 1, 32803, 1) | {
            254: (LONG, [0]),
            33421: (SHORT, [2, 2]),
            33422: (BYTE, [0, 1, 1, 2]),
            50717: (LONG, [1023]),
        }

    def preview_tags(i):
        shown = Image.open(io.BytesIO(previews[i])).size
        return lambda at: _strip(shown, at[f"preview {i}"], previews[i], 8, 7, 6, 3) | {254: (LONG, [1])}

    def gps_tags(at):
        lat, lon = gps
        return {
            1: (ASCII, b"N\0" if lat >= 0 else b"S\0"), 2: (RATIONAL, [(abs(lat), 1), (0, 1), (0, 1)]),
            3: (ASCII, b"E\0" if lon >= 0 else b"W\0"), 4: (RATIONAL, [(abs(lon), 1), (0, 1), (0, 1)]),
        }  # fmt: skip

    directories = {"first": first, "sensor tags": sensor_tags}
    directories |= {f"preview tags {i}": preview_tags(i) for i in range(len(previews))}
    directories["exif"] = lambda at: {36867: (ASCII, taken.encode() + b"\0")} if taken else {}
    if gps:
        directories["gps"] = gps_tags
    data = {"small": small, "sensor": sensor, **{f"preview {i}": one for i, one in enumerate(previews)}}
    at = dict.fromkeys([*directories, *data], 0)
    for _ in range(2):  # first to learn where all lies, then with that
        body = b""
        for name in at:
            at[name] = 8 + len(body)
            block = _directory(directories[name](at), at[name], order) if name in directories else data[name]
            body += block + b"\0" * (len(block) % 2)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + body


def _strip(size, at, data, bits, compression, photometric, samples):
    """The tags of a picture in one strip."""
    width, height = size
    return {
        256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [bits] * samples),
        259: (SHORT, [compression]), 262: (SHORT, [photometric]), 273: (LONG, [at]),
        277: (SHORT, [samples]), 278: (LONG, [height]), 279: (LONG, [len(data)]),
    }  # fmt: skip


def _directory(tags, at, order):
    entries, behind = b"", b""
    for tag in sorted(tags):
        kind, values = tags[tag]
        if isinstance(values, bytes):
            data = values
        elif kind in (RATIONAL, SRATIONAL):
            data = b"".join(struct.pack(order + _LETTER[kind], *value) for value in values)
        else:
            data = b"".join(struct.pack(order + _LETTER[kind], value) for value in values)
        entries += struct.pack(order + "HHI", tag, kind, len(values))
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", at + 2 + 12 * len(tags) + 4 + len(behind))
            behind += data + b"\0" * (len(data) % 2)
    return struct.pack(order + "H", len(tags)) + entries + b"\0" * 4 + behind
