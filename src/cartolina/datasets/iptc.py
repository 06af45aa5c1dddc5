"""IPTC-IIM, the words newspapers put into photographs: keywords, caption, headline.

On disk: a run of datasets `1C RR DD LL LL data…` (record, dataset, big-endian length; with the length's
top bit set, its other bits count the bytes of the true length). Record 1, dataset 90 declares the
encoding; `ESC % G` there means UTF-8. Source: IPTC-NAA Information Interchange Model 4.2, 1.5-1.6.

>>> parse_iptc(bytes.fromhex("1c0219 0005") + b"beach").tags
('beach',)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cartolina.datasets.encoding import decode, decode_western
from cartolina.datasets.fields import PhotoMetadata, clean, distinct

__all__ = ["parse_iptc"]

_CHARSET, _HEADLINE, _KEYWORD, _CAPTION = (1, 90), (2, 105), (2, 25), (2, 120)
_LATIN_1 = (b"\x1b.A", b"\x1b-A", b"\x1b/A")


def parse_iptc(data: bytes) -> PhotoMetadata:
    """Read keywords (2:25) as tags, caption (2:120) then headline (2:105) as captions.

    Never raises: reading stops where the bytes stop making sense, and what came before is kept.
    """
    found: dict[tuple[int, int], list[bytes]] = {}
    for key, value in _datasets(data):
        found.setdefault(key, []).append(value)
    # No declaration: old software wrote its own code page, new software UTF-8; `decode` tells them apart.
    declared = found.get(_CHARSET, [b""])[0]
    text: Callable[[bytes], str] = decode_western if declared in _LATIN_1 else decode
    captions = [clean(text(value)) for key in (_CAPTION, _HEADLINE) for value in found.get(key, [])]
    keywords = [clean(text(value)).lstrip("#") for value in found.get(_KEYWORD, [])]
    return PhotoMetadata(captions=distinct(captions), tags=distinct(keywords))


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
