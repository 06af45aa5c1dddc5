"""IPTC-IIM, what newspapers write into photographs: keywords, caption, headline, title, names of the place.

On disk: a run of datasets `1C RR DD LL LL data…` (record, dataset, big-endian length; with the length's
top bit set, its other bits count the bytes of the true length). Record 1, dataset 90 declares the
encoding; `ESC % G` there means UTF-8. Source: IPTC-NAA Information Interchange Model 4.2, 1.5-1.6.

>>> parse_iptc(bytes.fromhex("1c0219 0005") + b"beach").tags
('beach',)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cartolina.datasets.encoding import decode, decode_western
from cartolina.datasets.fields import PhotoMetadata, clean, distinct, is_file_name, levels

__all__ = ["iptc_in", "parse_iptc"]

_CHARSET, _KEYWORD = (1, 90), (2, 25)
_TITLE, _HEADLINE, _CAPTION = (2, 5), (2, 105), (2, 120)
_LOCATION, _CITY, _STATE, _COUNTRY = (2, 92), (2, 90), (2, 95), (2, 101)
_IPTC_RESOURCE = 0x0404
_LATIN_1 = (b"\x1b.A", b"\x1b-A", b"\x1b/A")


def parse_iptc(data: bytes) -> PhotoMetadata:
    """Read caption (2:120), headline (2:105) and title (2:05) as captions, keywords (2:25) as tags.

    The names of the place (2:92, 2:90, 2:95, 2:101: from the spot to the country) are tags too, and so is
    each level of a keyword `Places|Italy|Rome`. A title that is a file's name is none. Never raises: reading
    stops where the bytes stop making sense, and what came before is kept.
    """
    found: dict[tuple[int, int], list[bytes]] = {}
    for key, value in _datasets(data):
        found.setdefault(key, []).append(value)
    # No declaration: old software wrote its own code page, new software UTF-8; `decode` tells them apart.
    declared = found.get(_CHARSET, [b""])[0]
    text: Callable[[bytes], str] = decode_western if declared in _LATIN_1 else decode

    def texts(*keys: tuple[int, int]) -> list[str]:
        return [clean(text(value)) for key in keys for value in found.get(key, [])]

    titles = [title for title in texts(_TITLE) if not is_file_name(title)]
    keywords = [level for keyword in texts(_KEYWORD) for level in levels(keyword.lstrip("#"), "|")]
    return PhotoMetadata(
        captions=distinct([*texts(_CAPTION, _HEADLINE), *titles]),
        tags=distinct([*keywords, *texts(_LOCATION, _CITY, _STATE, _COUNTRY)]),
    )


def iptc_in(resources: bytes) -> bytes:
    """The IPTC within Photoshop's image resources (`8BIM` blocks), or what is given where it is bare."""
    data = resources.removeprefix(b"Photoshop 3.0\0")
    if not data.startswith(b"8BIM"):
        return data
    at = 0
    while data[at : at + 4] == b"8BIM":
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = int.from_bytes(data[at + 6 : at + 7], "big")  # its length; with that itself padded to be even
        start = at + 6 + (name // 2 + 1) * 2 + 4
        size = int.from_bytes(data[start - 4 : start], "big")
        if number == _IPTC_RESOURCE:
            return data[start : start + size]
        at = start + size + size % 2
    return b""


def _datasets(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        record, number = data[at + 1], data[at + 2]
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:
            size = length & 0x7FFF
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            return
        yield (record, number), data[at : at + length]
        at += length
