"""Texts to learn from: the captions and tags of a dataset's posts, or the lines of a text file.

>>> read_texts("flickr8k", split="train").texts[0]     # doctest: +SKIP
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.datasets import open_dataset
from cartolina.errors import InputError
from cartolina.post import Post
from cartolina.progress import SILENT, Progress
from cartolina.text.tokens import tokens

__all__ = ["Texts", "read_texts"]

LONGEST_LINE = 1_000_000
"""Characters of a line of text; a file with a longer one is not what it is taken for."""


@dataclass(frozen=True, slots=True)
class Texts:
    """`texts`, and `owner` (N,) int64, the number of the post (or line) that each belongs to."""

    texts: list[str]
    owner: NDArray[np.int64]

    def common_words(self, least: int = 1) -> list[str]:
        """Its words, stop words aside, that are said `least` times or more, the commonest first."""
        counts = Counter(word for text in self.texts for word in tokens(text))
        return [word for word, count in counts.most_common() if count >= least]


def read_texts(
    path: Path | str,
    format: str = "auto",  # noqa: A002  # what users say: --format
    columns: str | Mapping[str, str] | None = None,
    split: str | None = None,
    progress: Progress = SILENT,
) -> Texts:
    """Read all texts at `path`: a .txt file with a text a line, or whatever `open_dataset` reads.

    Each caption of a post is a text, and so are its tags together, but for those a caption says. Raises
    `InputError` where there is no text, and what `open_dataset` raises.
    """
    path = Path(path).expanduser()
    skipped: Counter[str] = Counter()
    if path.is_file() and path.suffix.lower() == ".txt" and format == "auto":
        if split is not None:
            raise InputError(f"a text file has no parts, and the split {split!r} was asked for")
        texts = _lines(path, progress)
        owner = list(range(len(texts)))
    else:
        dataset = open_dataset(path, format, columns)
        progress.say(dataset.why)
        texts, owner = [], []
        with progress.task("reading texts", dataset.count(split), "posts") as step:
            posts = dataset.posts(split, lambda one: skipped.update([one.reason]))
            for number, post in enumerate(posts):
                of_post = _texts_of(post)
                texts += of_post
                owner += [number] * len(of_post)
                step.advance()
    left_out = ", ".join(f"{count:,} × {reason}" for reason, count in skipped.most_common())
    if not texts:
        why = f" ({left_out})" if left_out else ""
        raise InputError(f"no text was found in {path}{why}: expected captions, tags, or lines of text")
    if left_out:
        progress.say(f"Skipped or noted {left_out}")
    return Texts(texts, np.array(owner, np.int64))


def _texts_of(post: Post) -> list[str]:
    texts = [caption for caption in post.captions if caption.strip()]
    said = {word for caption in texts for word in tokens(caption, frozenset())}
    tags = [tag for tag in post.tags if not said.issuperset(tokens(tag, frozenset()))]
    return [*texts, " ".join(tags)] if tags else texts


def _lines(path: Path, progress: Progress) -> list[str]:
    """The lines that hold something; what is not UTF-8 is replaced, letter by letter."""
    texts: list[str] = []
    with (
        path.open(encoding="utf-8", errors="replace") as file,
        progress.task(path.name, None, "lines") as step,
    ):
        while line := file.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise InputError(
                    f"{path}, after {len(texts)} texts: a line of {LONGEST_LINE:,} characters or more; "
                    "expected one text a line"
                )
            step.advance()
            if line.strip():
                texts.append(line.strip())
    return texts
