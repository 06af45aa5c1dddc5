"""The inner loops of GloVe, compiled by numba when first called. Import this module inside functions only.

A pair of words (rows of the vocabulary, a ≤ b) is one number of 64 bits, a in its upper half, scrambled by
`scrambled`, which can be undone: sorted by it, pairs come in an order as good as random and fill any table
evenly. The loops let go of Python's lock, so that threads run them side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["PAD", "adagrad", "count_pairs", "move_over", "scrambled", "take_out", "unscramble"]

Function = TypeVar("Function", bound=Callable[..., Any])

PAD = 4096
"""Slots behind a table's last home, for what is pushed on from there."""

FLOATS_A_LINE = 16
"""Of the memory that a processor fetches at once."""

MULTIPLIER = np.uint64(
    0x9E3779B97F4A7C15
)  # 2^64 over the golden ratio; it is odd, so multiplying can be undone
INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
HALF = np.uint64(32)
LOWER = np.uint64(0xFFFFFFFF)


def _compiled(function: Function) -> Function:
    """`function`, compiled at its first call and kept on disk for the next process, where a disk lets us."""
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",  # a check for division by zero would keep loops from filling whole registers
        # Sums may be reordered and square roots approximated to the last bit. What is not finite stays so (no
        # "nnan", no "ninf"): by that we know divergence.
        "fastmath": {"reassoc", "contract", "arcp", "nsz"},
    }
    try:
        compiled: Function = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither the folder of this file nor one at home can be written
        compiled = numba.njit(**options)(function)
    return compiled


def _prefetch(typing: Any, array: Any, at: Any) -> Any:  # noqa: ANN401  (numba's own types)
    """Have what lies `at` a place of the flat `array` brought near the processor; waits for nothing."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401
        data = context.make_array(signature.args[0])(context, builder, given[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        of = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], of)
        read, second_level, data_cache = number(0), number(2), number(1)
        place = builder.bitcast(builder.gep(data, [given[1]]), byte)
        builder.call(prefetch, [place, read, second_level, data_cache])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


_bring: Any = intrinsic(_prefetch)


@_compiled
def scrambled(pair: np.uint64) -> np.uint64:
    """A pair's place in the order: a bijection of 64 bits."""
    pair *= MULTIPLIER
    pair ^= pair >> HALF
    pair *= MULTIPLIER
    pair ^= pair >> HALF
    return pair * MULTIPLIER


@_compiled
def unscramble(run: NDArray[np.uint64], first: NDArray[np.int32], second: NDArray[np.int32]) -> None:
    """Write the two words of each key of `run` (n, 2) to `first` and `second`."""
    for at in range(len(run)):
        pair = run[at, 0] * INVERSE
        pair ^= pair >> HALF
        pair *= INVERSE
        pair ^= pair >> HALF
        pair *= INVERSE
        first[at] = np.int32(pair >> HALF)
        second[at] = np.int32(pair & LOWER)


@_compiled
def home(key: np.uint64, parts: int, bits: int) -> tuple[np.int64, np.int64]:
    """Which of `parts` equal parts of all keys `key` lies in, and which of its 2^bits slots is the key's."""
    scaled = (key >> HALF) * np.uint64(parts)
    return np.int64(scaled >> HALF), np.int64((scaled & LOWER) >> np.uint64(32 - bits))


@_compiled
def count_pairs(
    words: NDArray[np.int32],
    start: int,
    stop: int,
    weights: NDArray[np.int64],
    part: int,
    parts: int,
    table: NDArray[np.uint64],
    room: int,
) -> tuple[int, int]:
    """Add those pairs that the words in [start, stop) make with earlier ones whose keys lie in `part`.

    `words` has −1 between texts. `weights[d]` is what a pair at distance d counts (d = 0 unused). `table`
    (2^n + PAD, 2) holds a key and its count in each slot (0: free), always in the order of keys, each at its
    `home` or behind. Stops early where the pairs of one more word could be more than the `room` entries that
    may be added. Returns where it stopped and how many entries were added.
    """
    window = len(weights) - 1
    bits = _bits(len(table))
    added = 0
    for at in range(start, stop):
        word = words[at]
        if word < 0:
            continue
        if added + window > room:
            return at, added
        for distance in range(1, min(window, at) + 1):
            other = words[at - distance]
            if other < 0:
                break
            low, high = (word, other) if word < other else (other, word)
            key = scrambled((np.uint64(low) << HALF) | np.uint64(high))
            of, slot = home(key, parts, bits)
            if of == part:
                added += _add(table, key, np.uint64(weights[distance]), slot)
    return stop, added


@_compiled
def _bits(length: int) -> int:
    """How many bits a slot has in a table of so many rows."""
    bits = 0
    while (2 << bits) + PAD <= length:
        bits += 1
    return bits


@_compiled
def _add(table: NDArray[np.uint64], key: np.uint64, count: np.uint64, slot: np.int64) -> int:
    """Add `count` to the entry of `key`, or enter it, `slot` being its home; how many entries are new."""
    while table[slot, 1] != 0 and table[slot, 0] < key:
        slot += 1
    if table[slot, 1] != 0 and table[slot, 0] == key:
        table[slot, 1] += count
        return 0
    while count != 0:  # what is larger moves on by one, up to the next free slot
        if slot == len(table) - 1:
            raise OverflowError("more keys at the end of the table than an even spread can bring")
        held_key, held_count = table[slot, 0], table[slot, 1]
        table[slot, 0], table[slot, 1] = key, count
        key, count = held_key, held_count
        slot += 1
    return 1


@_compiled
def take_out(table: NDArray[np.uint64], run: NDArray[np.uint64]) -> None:
    """Write the entries of `table` to `run` (entries, 2), in order, and leave the table empty."""
    to = 0
    for slot in range(len(table)):
        if table[slot, 1] != 0:
            run[to, 0], run[to, 1] = table[slot, 0], table[slot, 1]
            table[slot, 1] = 0
            to += 1


@_compiled
def move_over(table: NDArray[np.uint64], larger: NDArray[np.uint64], parts: int) -> None:
    """Enter what `table` holds into `larger`, which is empty and has twice the slots or more."""
    bits = _bits(len(larger))
    free = np.int64(0)
    for slot in range(len(table)):
        if table[slot, 1] != 0:
            free = max(free, home(table[slot, 0], parts, bits)[1])
            larger[free, 0], larger[free, 1] = table[slot, 0], table[slot, 1]
            free += 1


@_compiled
def merge(one: NDArray[np.uint64], other: NDArray[np.uint64], both: NDArray[np.uint64]) -> int:
    """Merge two runs into `both`, long enough for all; counts of equal keys add up. How many there are."""
    i = j = to = 0
    while i < len(one) and j < len(other):
        if one[i, 0] < other[j, 0]:
            both[to, 0], both[to, 1] = one[i, 0], one[i, 1]
            i += 1
        elif one[i, 0] > other[j, 0]:
            both[to, 0], both[to, 1] = other[j, 0], other[j, 1]
            j += 1
        else:
            both[to, 0], both[to, 1] = one[i, 0], one[i, 1] + other[j, 1]
            i += 1
            j += 1
        to += 1
    for rest, start in ((one, i), (other, j)):
        for at in range(start, len(rest)):
            both[to, 0], both[to, 1] = rest[at, 0], rest[at, 1]
            to += 1
    return to


@_compiled
def adagrad(
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    count: NDArray[np.float32],
    rows: NDArray[np.float32],
    biases: NDArray[np.float32],
    rate: np.float32,
    x_max: float,
    alpha: float,
) -> float:
    """One AdaGrad step for each (i, j) and then for (j, i), in the order given; the sum of their terms of J.

    `rows` (V, 4, D) holds for each word w, the sum of its squared gradients, w̃ and the sum of its; `biases`
    (V, 4) likewise. The gradients are those of J / 2. Each term is taken before its own step.
    """
    loss = 0.0
    flat, row = rows.reshape(-1), 4 * rows.shape[2]
    for at in range(len(first)):
        if at + 1 < len(first):  # the next pair's rows come while this one's are computed with
            following, after = np.int64(first[at + 1]) * row, np.int64(second[at + 1]) * row
            for line in range(0, row, FLOATS_A_LINE):
                _bring(flat, following + line)
                _bring(flat, after + line)
        i, j = first[at], second[at]
        x = np.float64(count[at])
        logarithm = np.float32(math.log(x))
        weight = np.float32(1.0 if x >= x_max else (x / x_max) ** alpha)
        for _ in range(1 if i == j else 2):
            difference = _dot(rows[i, 0], rows[j, 2]) + biases[i, 0] + biases[j, 2] - logarithm
            pull = weight * difference
            loss += np.float64(pull) * np.float64(difference)
            _step(rows[i, 0], rows[i, 1], rows[j, 2], rows[j, 3], pull, rate)
            biases[i, 1] += pull * pull
            biases[i, 0] -= rate * pull / np.sqrt(biases[i, 1])
            biases[j, 3] += pull * pull
            biases[j, 2] -= rate * pull / np.sqrt(biases[j, 3])
            i, j = j, i
    return loss


@_compiled
def _dot(w: NDArray[np.float32], context: NDArray[np.float32]) -> np.float32:
    total = np.float32(0)
    for d in range(len(w)):
        total += w[d] * context[d]
    return total


@_compiled
def _step(
    w: NDArray[np.float32],
    w_squares: NDArray[np.float32],
    context: NDArray[np.float32],
    context_squares: NDArray[np.float32],
    pull: np.float32,
    rate: np.float32,
) -> None:
    for d in range(len(w)):
        of_w, of_context = pull * context[d], pull * w[d]
        squares, others = w_squares[d] + of_w * of_w, context_squares[d] + of_context * of_context
        w[d] -= rate * of_w / np.sqrt(squares)
        context[d] -= rate * of_context / np.sqrt(others)
        w_squares[d], context_squares[d] = squares, others
