"""How fast GloVe is learnt: `python -m benchmarks.glove [--words N] [--text FILE …] [--dim 400] [--json]`.

Counting and one epoch of AdaGrad in 400 dimensions at one and two threads, beside an epoch of gensim's
Word2Vec over the same texts, turn about, the best of `--rounds`. Without `--text` (a text a line) the corpus
is made: words drawn by Zipf and Mandelbrot's law from 30,000, twelve a text, as many as give some 12 million
non-zeros.

Counting's peer is numpy, which sorts all pairs. Learning's bound is what memory sets: a pair of words has
eight rows read and written, and the bound moves the same rows in the same order and computes nothing. "CPU"
is the time that all threads had a core, which says more than seconds do on a machine that is not idle.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from cartolina.text.cooccurrence import CoOccurrences, count_cooccurrences
from cartolina.text.corpus import Corpus, numbered
from cartolina.text.glove import GloVeSettings, learn_glove
from cartolina.text.tokens import tokens

VOCABULARY = 30_000
TEXT = 12
THREADS = (1, 2)


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.glove", description=__doc__)
    parser.add_argument("--text", type=Path, nargs="+", help="files with a text a line (default: made words)")
    parser.add_argument("--words", type=int, default=2_800_000, help="words to make (2,800,000)")
    parser.add_argument("--dim", type=int, default=400)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--min-count", type=int, default=1, help="words seen less often are left out (1)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    texts = lines(given.text) if given.text else made(given.words)
    warm_up(given.dim, given.window)
    started = time.perf_counter()
    corpus = numbered(texts)
    reading = time.perf_counter() - started
    corpus = corpus.without_rare(given.min_count)
    counted = count_cooccurrences(corpus.numbers, len(corpus.words), given.window, workers=2)
    timed = works(texts, corpus, counted, given.dim, given.window, given.min_count)
    rounds = [{name: seconds(work) for name, work in timed.items()} for _ in range(given.rounds)]
    taken = {name: Seconds(*(min(one[name][of] for one in rounds) for of in (0, 1))) for name in timed}
    row = {
        "words": corpus.length,
        "vocabulary": len(corpus.words),
        "nonzeros": counted.nonzeros,
        "dim": given.dim,
        "load": round(os.getloadavg()[0], 1),
        "read_words_a_second": round(corpus.length / reading),
        "seconds": {name: round(one.wall, 2) for name, one in taken.items()},
        "cpu_seconds": {name: round(one.cpu, 2) for name, one in taken.items()},
    }
    print(json.dumps(row) if given.json else table(row, taken))


Work = Callable[[], object]


class Seconds(NamedTuple):
    """Of the clock on the wall, and of all cores together."""

    wall: float
    cpu: float


def works(
    texts: list[str], corpus: Corpus, counted: CoOccurrences, dim: int, window: int, min_count: int
) -> dict[str, Work]:
    """What is timed, by name."""
    rows = np.ones((len(corpus.words), 4, dim), np.float32)
    sentences = [tokens(text) for text in texts]
    timed: dict[str, Work] = {"numpy count": lambda: count_by_sorting(corpus.numbers, window)}
    for threads in THREADS:
        settings = GloVeSettings(dim=dim, epochs=1, workers=threads)
        timed |= {
            f"count {threads}": lambda n=threads: count_cooccurrences(  # type: ignore[misc]
                corpus.numbers, len(corpus.words), window, workers=n
            ),
            f"epoch {threads}": lambda s=settings: learn_glove(counted, s),  # type: ignore[misc]
            f"bound {threads}": lambda n=threads: move_rows(counted, rows, n),  # type: ignore[misc]
            f"word2vec {threads}": word2vec(sentences, dim, window, min_count, threads),
        }
    return timed


def made(words: int, seed: int = 0) -> list[str]:
    """Texts of twelve words, drawn with chances of 1 / (rank + 2.7)."""
    rng = np.random.default_rng(seed)
    chances = 1 / (np.arange(1, VOCABULARY + 1) + 2.7)
    drawn = rng.choice(VOCABULARY, (words // TEXT, TEXT), p=chances / chances.sum()).tolist()
    return [" ".join([f"w{word}" for word in row]) for row in drawn]


def lines(files: list[Path]) -> list[str]:
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def warm_up(dim: int, window: int) -> None:
    """Compile what is timed."""
    numbers = np.array([0, 1, 0, -1], np.int32)
    counted = count_cooccurrences(numbers, 2, window, workers=2)
    learn_glove(counted, GloVeSettings(dim=dim, epochs=1))
    move_rows(counted, np.ones((2, 4, dim), np.float32), 1)


def seconds(work: Work) -> Seconds:
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return Seconds(time.perf_counter() - started, time.process_time() - cpu)


def count_by_sorting(words: NDArray[np.int32], window: int) -> NDArray[Any]:
    """The peer of counting: a key for each pair, all of them sorted, with numpy."""
    text = np.cumsum(words < 0)
    keys, weights = [], []
    for distance in range(1, window + 1):
        one, other = words[:-distance], words[distance:]
        same = (text[:-distance] == text[distance:]) & (one >= 0) & (other >= 0)
        low, high = np.minimum(one, other)[same], np.maximum(one, other)[same]
        keys.append(low.astype(np.int64) << 32 | high)
        weights.append(np.full(len(low), 1 / distance))
    key = np.concatenate(keys)
    order = np.argsort(key)
    key = key[order]
    firsts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return np.add.reduceat(np.concatenate(weights)[order], firsts)


def move_rows(counted: CoOccurrences, rows: NDArray[np.float32], threads: int) -> None:
    """The bound of learning: the rows that an epoch reads and writes, in the same order."""
    parts = np.array_split(counted.records, threads)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: _move(part["first"].copy(), part["second"].copy(), rows), parts))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _move(first: NDArray[np.int32], second: NDArray[np.int32], rows: NDArray[np.float32]) -> None:
    for at in range(len(first)):
        for word in (first[at], second[at]):
            flat = rows[word].reshape(-1)
            for d in range(len(flat)):
                flat[d] += np.float32(1e-30)


def word2vec(sentences: list[list[str]], dim: int, window: int, min_count: int, threads: int) -> Work:
    """The peer of learning: an epoch of gensim's CBOW, ready to run."""
    from gensim.models import Word2Vec

    model = Word2Vec(vector_size=dim, window=window, min_count=min_count, workers=threads)
    model.build_vocab(sentences)
    return lambda: model.train(sentences, total_examples=model.corpus_count, epochs=1)


def table(row: dict[str, Any], taken: dict[str, Seconds]) -> str:
    words, nonzeros = row["words"], row["nonzeros"]
    shown = [
        f"{words:,} words, {row['vocabulary']:,} different, {nonzeros:,} non-zeros, {row['dim']} dimensions; "
        f"load {row['load']}",
        f"reading and cutting: {row['read_words_a_second']:,} words a second",
        f"{'':16}{'seconds':>9}{'a second':>13}{'CPU':>9}{'a CPU second':>13}",
    ]
    for name, one in taken.items():
        count, unit = (nonzeros, "non-zeros") if name[:5] in ("epoch", "bound") else (words, "words")
        rates = f"{one.wall:9.2f}{round(count / one.wall):13,}{one.cpu:9.2f}{round(count / one.cpu):13,}"
        shown.append(f"{name:16}{rates} {unit}")
    return "\n".join(shown)


if __name__ == "__main__":
    main()
