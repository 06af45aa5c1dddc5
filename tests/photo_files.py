"""Photos in the authentic formats, their IPTC, XMP and EXIF written byte by byte."""

import io
import struct
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/"
    xmlns:mediapro="http://ns.iview-multimedia.com/mediapro/1.0/" {attributes}>
   {elements}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def xmp(elements: str = "", attributes: str = "") -> bytes:
    return XMP.format(elements=elements, attributes=attributes).encode()


def subjects(*words: str) -> str:
    return f"<dc:subject><rdf:Bag>{''.join(f'<rdf:li>{w}</rdf:li>' for w in words)}</rdf:Bag></dc:subject>"


def descriptions(**texts: str) -> str:
    items = "".join(
        f'<rdf:li xml:lang="{lang.replace("_", "-")}">{text}</rdf:li>' for lang, text in texts.items()
    )
    return f"<dc:description><rdf:Alt>{items}</rdf:Alt></dc:description>"


def iptc(*datasets: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, rec, num, len(data)) + data for rec, num, data in datasets)


def photoshop(iptc_bytes: bytes) -> bytes:
    """The payload of JPEG's APP13: one image resource block 0x0404."""
    padded = iptc_bytes + b"\0" * (len(iptc_bytes) % 2)
    block = b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0" + struct.pack(">I", len(iptc_bytes)) + padded
    return b"Photoshop 3.0\0" + block


def exif(
    lat=None,
    lon=None,
    refs=("N", "E"),
    taken=None,
    offset=None,
    orientation=None,
    digitized=None,
    modified=None,
) -> Image.Exif:
    made = Image.Exif()
    if orientation is not None:
        made[0x0112] = orientation
    if modified is not None:
        made[0x0132] = modified
    details = {36867: taken, 36868: digitized, 36881: offset}
    if any(details.values()):
        made.get_ifd(0x8769).update({tag: value for tag, value in details.items() if value})
    if lat is not None:
        gps = made.get_ifd(0x8825)
        gps.update({2: lat, 4: lon})
        if refs[0]:
            gps[1] = refs[0]
        if refs[1]:
            gps[3] = refs[1]
        made[0x8825] = gps
    return made


def dms(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and hundredths of a second, as cameras write them."""
    hundredths = round(abs(degrees) * 360_000)
    return (
        IFDRational(hundredths // 360_000, 1),
        IFDRational(hundredths // 6000 % 60, 1),
        IFDRational(hundredths % 6000, 100),
    )


def jpeg(
    *,
    exif=None,
    xmp: bytes | None = None,
    iptc: bytes | None = None,
    colour=(90, 120, 200),
    size: tuple[int, int] = (24, 16),
) -> bytes:
    """A small JPEG with the given segments spliced in behind its start marker."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **({"exif": exif} if exif is not None else {}))
    segments = []
    if xmp is not None:
        segments.append((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp))
    if iptc is not None:
        segments.append((0xED, photoshop(iptc)))
    spliced = b"".join(struct.pack(">BBH", 0xFF, code, len(data) + 2) + data for code, data in segments)
    return out.getvalue()[:2] + spliced + out.getvalue()[2:]


def tiff(tag: int, kind: int, data: bytes, order: str = "<") -> bytes:
    """A grey TIFF of one pixel with one more tag; `kind` 4 declares the same bytes as 32-bit numbers."""
    if kind == 4:
        data += b"\0" * (-len(data) % 4)
    short = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 0), (278, 1), (279, 1)]
    behind = 8 + 2 + 12 * (len(short) + 1) + 4
    entries = [
        struct.pack(order + "HHIHH", number, 3, 1, value if number != 273 else behind, 0)
        for number, value in short
    ]
    entries.append(struct.pack(order + "HHII", tag, kind, len(data) // (4 if kind == 4 else 1), behind + 2))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    return head + b"".join(entries) + b"\0" * 4 + b"\x80\0" + data


def write(path: Path, **parts) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(**parts))
    return path
