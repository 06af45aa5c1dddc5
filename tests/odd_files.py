"""A folder with everything odd that lies in people's photos at once, and what each must be told as.

`good` files become posts, all red; `noted` lose a part, which is told; `bad` are left out, with the reason.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from photo_files import descriptions, dms, exif, iptc, jpeg, subjects, xmp
from raw_files import dng

RED = (255, 0, 0)
NAN = (IFDRational(0, 0),) * 3
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
for former, name in zip("abcdefgh", "bcdefghi", strict=True):  # 10^8 times "ha"
    LAUGHS += f'<!ENTITY {name} "{f"&{former};" * 10}">'.encode()
LAUGHS += b"]><x>&i;</x>"
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@dataclass
class Odd:
    """Names of the files in a folder by what becomes of them; `bad` and `noted` with their reasons."""

    good: set[str] = field(default_factory=set)
    noted: dict[str, str] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def red(mode="RGB", size=(24, 16)):
    return Image.new("RGB", size, RED).convert(mode)


def png(*chunks):
    """A red PNG with more chunks before its pixels."""
    data = encoded(red(), "PNG")
    at = data.index(b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def promising(width, height):
    """A PNG of some bytes that promises a giant."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def good_pictures():
    """name -> bytes of what is odd and can be read."""
    red_cmyk = Image.new("CMYK", (24, 16), (0, 255, 255, 0))
    frames = [red(), Image.new("RGB", (24, 16), "blue")]
    clear = Image.new("P", (24, 16))
    clear.putpalette([*RED, 0, 255, 0])
    made = {
        "cmyk.jpg": encoded(red_cmyk, "JPEG"),
        "sixteen bits.tif": encoded(Image.fromarray(np.full((16, 24), 65535, np.uint16)), "TIFF"),
        "palette with alpha.png": encoded(clear, "PNG", transparency=b"\xff\x00"),
        "rotated.jpg": jpeg(exif=exif(orientation=6), colour=RED),
        "animated.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated.webp": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "animated.png": encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "a jpeg named.png": jpeg(colour=RED),
        "no suffix that fits.heic": jpeg(colour=RED, size=(26, 16)),
        "new\nline.jpg": jpeg(colour=RED, size=(28, 16)),
        "tab\tand 'quotes\".jpg": jpeg(colour=RED, size=(30, 16)),
        "東京 🗼.jpg": jpeg(colour=RED, size=(32, 16)),
    }
    import pillow_heif

    pillow_heif.register_heif_opener()
    made["phone.heic"] = encoded(red(), "HEIF")
    made["camera.dng"] = dng(encoded(red(size=(320, 240)), "JPEG"))
    return made


def noted_pictures():
    """name -> (bytes, reason) of what can be read but for a part of it."""
    camera = {"taken": "2019:07:04 12:00:00"}

    def gps(lat, lon, refs=("N", "E")):
        return jpeg(exif=exif(lat, lon, refs, **camera), colour=RED)

    broken = b"Exif\0\0MM\0*\0\0\0\x08\0\x02"  # its two directories are said to lie nowhere
    broken += b"\x87\x69\0\x04\0\0\0\x01\0\0\0\0" + b"\x88\x25\0\x04\0\0\0\x01\xff\xff\xff\xff"
    bomb = chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"0" * (9 << 20)))
    other = xmp(attributes='exif:GPSLatitude="51,0.0N" exif:GPSLongitude="0,0.5E"')
    return {
        "gps nan.jpg": (gps(NAN, NAN), "bad coordinates"),
        "gps out of range.jpg": (gps(dms(95), dms(10)), "bad coordinates"),
        "gps half nan.jpg": (gps(dms(41), NAN), "bad coordinates"),
        "gps without a fix.jpg": (gps(dms(0), dms(0)), "bad coordinates"),
        "gps without a side.jpg": (gps(dms(41), dms(2), (None, None)), "bad coordinates"),
        "date.jpg": (jpeg(exif=exif(taken="yesterday"), colour=RED), "bad date"),
        "exif.jpg": (jpeg(exif=broken, colour=RED), ""),
        "laughs.jpg": (jpeg(xmp=LAUGHS, colour=RED), "bad metadata"),
        "outside.jpg": (jpeg(xmp=OUTSIDE, colour=RED), "bad metadata"),
        "text bomb.png": (png(bomb), "bad metadata"),
        "disagree.jpg": (jpeg(exif=exif(dms(41), dms(2)), xmp=other, colour=RED), "sources disagree"),
    }


def bad_pictures():
    """name -> (bytes, reason) of what cannot be read."""
    whole = encoded(Image.effect_noise((200, 200), 60), "JPEG")
    return {
        "empty.jpg": (b"", "empty file"),
        "text.jpg": (b"Dear diary, today we went to the sea.\n", "not an image"),
        "page.png": (b"<!DOCTYPE html><html>404 Not Found</html>", "not an image"),
        "cut.jpg": (whole[: len(whole) // 2], "truncated image"),
        "cut.png": (encoded(Image.effect_noise((200, 200), 60), "PNG")[:9000], "truncated image"),
        "giant.png": (promising(60_000, 60_000), "image too large"),
        "wide.png": (promising(2**31 - 1, 3), "image too large"),
        "bare.nef": (dng(), "RAW without a preview"),
        "film.mp4": (b"\0\0\0\x18ftypisom", "video"),
        "film.jpg": (b"\0\0\0\x18ftypisom" + b"\0" * 99, "not an image"),
    }


CAPTIONS = {
    "utf-8 with mark.txt": ("À bientôt".encode("utf-8-sig"), "À bientôt"),
    "utf-16.txt": ("Évora, 東京".encode("utf-16"), "Évora, 東京"),
    "windows.txt": ("Café – 5 €".encode("cp1252"), "Café – 5 €"),
    "shift-jis.txt": ("東京".encode("shift-jis"), "“Œ‹ž"),  # no telling what it was
}


def odd_folder(root, outside):
    """Write all of it below `root`; `outside` is a picture elsewhere that a link leads to."""
    root.mkdir(parents=True)
    odd = Odd()
    for number, (name, data) in enumerate(good_pictures().items()):
        (root / name).write_bytes(data + bytes([number]))  # no two alike; what is behind the end is not read
        odd.good.add(name)
    for name, (data, reason) in noted_pictures().items():
        (root / name).write_bytes(data)
        odd.good.add(name)
        if reason:
            odd.noted[name] = reason
    for name, (data, reason) in bad_pictures().items():
        (root / name).write_bytes(data)
        odd.bad[name] = reason
    for number, (name, (data, _)) in enumerate(CAPTIONS.items()):
        picture = root / name.replace(".txt", ".jpg")
        picture.write_bytes(jpeg(colour=RED, size=(40 + number, 16)))
        (root / name).write_bytes(data)
        odd.good.add(picture.name)
    for suffix, content in ((".json", b""), (".xmp", LAUGHS)):
        name = f"sidecar{suffix}.jpg"
        (root / name).write_bytes(jpeg(colour=RED, iptc=iptc((2, 25, suffix.encode()))))
        (root / f"{name}{suffix}").write_bytes(content)
        odd.good.add(name)
        odd.noted[name] = "bad sidecar"
    (root / "sidecar folder.jpg").write_bytes(jpeg(colour=RED, xmp=xmp(subjects("x") + descriptions(it="y"))))
    (root / "sidecar folder.jpg.xmp").mkdir()
    (root / "sidecar folder.txt").touch()
    odd.good.add("sidecar folder.jpg")
    links(root, outside, odd)
    return odd


def links(root, outside, odd):
    """Links, pipes, and names that are no text."""
    (root / "sub").mkdir()
    (root / "sub/loop").symlink_to("..")
    (root / "round").symlink_to("round")
    (root / "round.jpg").symlink_to("round.jpg")
    (root / "broken.jpg").symlink_to("nowhere.jpg")
    (root / "away.jpg").symlink_to(outside)
    (root / "away").symlink_to(outside.parent)
    os.mkfifo(root / "pipe.jpg")
    odd.bad |= {
        "round.jpg": "no such image",
        "broken.jpg": "no such image",
        "away.jpg": "link leaves the folder",
        "away": "link leaves the folder",
        "pipe.jpg": "not a regular file",
    }
    try:
        (root / os.fsdecode(b"caf\xe9.jpg")).write_bytes(jpeg(colour=RED))
    except OSError:  # this file system takes UTF-8 only
        return
    odd.bad["caf\\xe9.jpg"] = "bad file name"
