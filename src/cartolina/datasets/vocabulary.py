"""The hashtag vocabulary as published (Location sensitive retrieval, §4 "Data"; YFCC100M).

Tags in lower case, `+` (a space) removed; none with a digit; where a word list is given, only words of it;
the 10 most frequent dropped and the next 100,000 kept, one a line, the most frequent first, equal ones by
their letters (code points). Each occurrence counts.

>>> hashtag("New York"), hashtag("Roma2019")
(b'newyork', 'digits')
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote_to_bytes

from cartolina.datasets.fields import clean
from cartolina.datasets.processes import Tell, in_processes
from cartolina.datasets.tag_counts import PARTS, TagCounts, Totals, totals
from cartolina.datasets.yfcc_tags import Lines, Span, cut_up, tags_of, whole_lines
from cartolina.durable import write_bytes
from cartolina.errors import InputError
from cartolina.onnx_session import available_cores
from cartolina.post import Post
from cartolina.progress import SILENT, Progress

__all__ = [
    "DROP",
    "SIZE",
    "Hashtags",
    "Vocabulary",
    "hashtag",
    "vocabulary_of_posts",
    "vocabulary_of_yfcc",
    "write_vocabulary",
]

SIZE, DROP = 100_000, 10
MEMORY = 1 << 30
"""Bytes that all processes' counts may take together."""

_SPAN = 64 << 20
_TOGETHER = 1 << 14  # tags of posts counted at a time
_LOWER = bytes(range(256)).lower()
_CUT_SHORT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Vocabulary:
    """The kept `tags` with their `counts`, the `dropped` ones likewise, and what all was counted in.

    `rows` were looked at (lines or posts), `used` of them counted and `with_tags` of those had some;
    `bad_rows` could not be read, by reason. `occurrences` of `distinct` tags passed the rules; `left_out`
    counts those that did not, by rule.
    """

    tags: tuple[str, ...]
    counts: tuple[int, ...]
    dropped: Mapping[str, int]
    rows: int
    used: int
    with_tags: int
    distinct: int
    occurrences: int
    bad_rows: Mapping[str, int]
    left_out: Mapping[str, int]


def hashtag(text: str) -> bytes | str:
    """A tag as the vocabulary has it, in UTF-8, or in a phrase why it has none."""
    tag = clean(text.lower()).replace(" ", "").replace("+", "")
    if any(map(str.isdigit, tag)):
        return "digits"
    if "," in tag or ";" in tag:  # no file that speaks of it could hold it
        return "comma or semicolon"
    return tag.encode() if any(map(str.isprintable, tag)) else "empty"


@dataclass(frozen=True)
class Hashtags:
    """What tags count as: URL-encoded ones, or (`is_encoded` False) plain text, in UTF-8.

    `known` are the words to keep, as `hashtag` writes them (None: all).
    """

    known: frozenset[bytes] | None = None
    is_encoded: bool = True

    def __call__(self, raw: Sequence[bytes]) -> Iterator[bytes | str]:
        """Yield each tag as the vocabulary has it, or why it does not count."""
        # All at once, since by far most are letters of ASCII and need no more than this.
        spaces = b"+" if self.is_encoded else b""
        plain = b"\n".join(raw).translate(_LOWER, spaces).split(b"\n") if raw else []
        known = self.known
        for written, tag in zip(raw, plain, strict=True):
            found: bytes | str = tag if tag.isalpha() else self._other(written)
            if known is not None and found not in known and isinstance(found, bytes):
                found = "not in the word list"
            yield found

    def _other(self, raw: bytes) -> bytes | str:
        plain = raw.translate(None, b"+") if self.is_encoded else raw
        if plain.isalnum():
            return "digits"
        if self.is_encoded:
            if _CUT_SHORT.search(plain):
                return "broken escape"
            plain = unquote_to_bytes(plain)
        try:
            return hashtag(plain.decode())
        except UnicodeDecodeError:
            return "not UTF-8"


def vocabulary_of_yfcc(
    paths: Sequence[Path],
    *,
    known: Iterable[str] | None = None,
    photos_only: bool = False,
    size: int = SIZE,
    drop: int = DROP,
    workers: int | None = None,
    memory: int = MEMORY,
    progress: Progress = SILENT,
) -> Vocabulary:
    """The vocabulary of raw `yfcc100m_dataset` files, plain or packed (.bz2, .gz).

    A plain file is shared out among `workers` processes (None: a core each), packed ones file by file.
    What does not fit into `memory` waits in the system's temporary folder (`TMPDIR`). Raises `InputError`
    where no line of the files has their columns, or a packed one is damaged.
    """
    workers = workers or available_cores()
    total = sum(path.stat().st_size for path in paths)
    with tempfile.TemporaryDirectory(prefix="cartolina-") as scratch:
        make = partial(_Counting, Path(scratch), Hashtags(_words(known)), memory // workers, photos_only)
        spans = [span for path in paths for span in cut_up(path, _SPAN)]
        with progress.task("tags", total, "bytes") as step:
            found = in_processes(make, spans, workers=workers, tell=step.advance)
        seen, left_out = Lines(), Counter[str]()
        for lines, left in found:
            seen += lines
            left_out += left
        if seen.rows and not seen.rows - sum(seen.bad.values()):
            raise InputError(
                f"{', '.join(map(str, paths))}: no line has the 25 columns of yfcc100m_dataset, or 23 "
                f"({_listed(seen.bad)})"
            )
        counted = _sum(Path(scratch), size + drop, memory, workers, progress)
    return _vocabulary(counted, drop, seen, left_out)


def vocabulary_of_posts(
    posts: Iterable[Post],
    *,
    known: Iterable[str] | None = None,
    size: int = SIZE,
    drop: int = DROP,
    memory: int = MEMORY,
    total: int | None = None,
    progress: Progress = SILENT,
) -> Vocabulary:
    """The vocabulary of posts' tags, by the same rules; `total` is how many posts there are, if known."""
    seen = Lines()
    with tempfile.TemporaryDirectory(prefix="cartolina-") as scratch:
        counts = TagCounts(Path(scratch), "0", Hashtags(_words(known), is_encoded=False), memory)
        waiting: list[bytes] = []
        with progress.task("tags", total, "posts") as step:
            for post in posts:
                seen.rows += 1
                seen.with_tags += bool(post.tags)
                waiting += [_line(tag) for tag in post.tags]
                if len(waiting) >= _TOGETHER:
                    counts.add(waiting)
                    waiting = []
                step.advance()
        counts.add(waiting)
        counts.write_out()
        seen.used = seen.rows
        counted = _sum(Path(scratch), size + drop, memory, 1, progress)
    return _vocabulary(counted, drop, seen, counts.left_out)


def write_vocabulary(path: Path, vocabulary: Vocabulary) -> None:
    """Write the tags, one a line, atomically; `locsens.read_vocabulary` reads them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, "".join(f"{tag}\n" for tag in vocabulary.tags).encode())


@dataclass
class _Counting:
    """One process's share of the lines."""

    folder: Path
    keys: Hashtags
    memory: int
    photos_only: bool
    number: int
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.counts = TagCounts(self.folder, str(self.number), self.keys, self.memory)

    def do(self, task: Span, tell: Tell) -> None:
        for block in whole_lines(task, self.lines.bad, tell):
            found, lines = tags_of(block, photos_only=self.photos_only)
            self.lines += lines
            self.counts.add(found.tags, found.letters, found.longest)

    def finish(self) -> tuple[Lines, Counter[str]]:
        self.counts.write_out()
        self.lines.rows += self.lines.bad["line too long"]
        return self.lines, self.counts.left_out


def _line(tag: str) -> bytes:
    return clean(tag).encode()  # without tab and line end


def _words(known: Iterable[str] | None) -> frozenset[bytes] | None:
    if known is None:
        return None
    words = frozenset(tag for word in known if isinstance(tag := hashtag(word), bytes))
    if not words:
        raise InputError("the word list has no words without digits: no tag could be known to it")
    return words


def _sum(folder: Path, most: int, memory: int, workers: int, progress: Progress) -> Totals:
    with progress.task("most frequent tags", PARTS, "parts") as step:
        return totals(folder, most, memory=memory, workers=workers, tell=step.advance)


def _vocabulary(counted: Totals, drop: int, seen: Lines, left_out: Counter[str]) -> Vocabulary:
    most = [(tag.decode(), count) for tag, count in counted.most]
    return Vocabulary(
        tags=tuple(tag for tag, _ in most[drop:]),
        counts=tuple(count for _, count in most[drop:]),
        dropped=dict(most[:drop]),
        rows=seen.rows,
        used=seen.used,
        with_tags=seen.with_tags,
        distinct=counted.distinct,
        occurrences=counted.occurrences,
        bad_rows=dict(+seen.bad),
        left_out=dict(+left_out),
    )


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} with {reason}" for reason, count in sorted(reasons.items()) if count)
